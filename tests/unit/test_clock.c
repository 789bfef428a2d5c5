/* SPDX-License-Identifier: MIT */
/* RFC 3339 to the letter, every day of 8000 years there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static void accepted(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T02:00:00+02:00", 0},
        {"1969-12-31T23:30:00-00:30", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"2026-11-01T10:00:00Z", INT64_C(1793527200000000)},
        {"2026-11-01t10:00:00z", INT64_C(1793527200000000)},
        {"2026-11-01T12:00:00+02:00", INT64_C(1793527200000000)},
        {"2026-11-01T00:01:00-09:59", INT64_C(1793527200000000)},
        {"2026-11-01T10:00:00.5Z", INT64_C(1793527200500000)},
        {"2026-11-01T10:00:00.000001Z", INT64_C(1793527200000001)},
        {"2026-11-01T10:00:00.123456789Z", INT64_C(1793527200123456)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000000)},
        {"9999-12-31T23:59:59.999999999Z", CLOCK_MOST_US},
        {"2026-11-01T10:00:00+23:59", INT64_C(1793527200000000) - INT64_C(86340000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = -1;
        print_message("# %s\n", cases[i].text);
        assert_int_equal(clock_parse(cases[i].text, strlen(cases[i].text), &us), 0);
        assert_true(us == cases[i].us);
    }
}

static void refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-01",
        "2026-11-01T10:00:00",
        "2026-11-01 10:00:00Z",
        "2026-11-01T10:00Z",
        "2026-11-01T10:00:00.Z",
        "2026-11-01T10:00:00,5Z",
        "2026-11-01T10:00:00.1234567890Z",
        "2026-11-01T10:00:00ZZ",
        "2026-11-01T10:00:00Z ",
        " 2026-11-01T10:00:00Z",
        "2026-11-01T10:00:00+0200",
        "2026-11-01T10:00:00+02",
        "2026-11-01T10:00:00+02:00:00",
        "2026-11-01T10:00:00+24:00",
        "2026-11-01T10:00:00+02:60",
        "2026-11-01T10:00:00 02:00",
        "2026-13-01T10:00:00Z",
        "2026-00-01T10:00:00Z",
        "2026-11-00T10:00:00Z",
        "2026-11-31T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "2100-02-29T10:00:00Z",
        "2026-11-01T24:00:00Z",
        "2026-11-01T10:60:00Z",
        "2026-11-01T10:00:60Z",
        "2016-12-31T23:59:60Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+2026-11-01T10:00:00Z",
        "2026-1-01T10:00:00Z",
        "20261101T100000Z",
        "2026-W44-7T10:00:00Z",
        "٢٠٢٦-11-01T10:00:00Z",
        "2026-11-01T10:00:0OZ",
        "2026:11:01T10:00:00Z",
        "now",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 42;
        print_message("# %s\n", cases[i]);
        assert_int_equal(clock_parse(cases[i], strlen(cases[i]), &us), ERROR_INVALID);
        assert_true(us == 42);
    }
    int64_t us;
    assert_int_equal(clock_parse(NULL, 0, &us), ERROR_INVALID);
    assert_int_equal(clock_parse("2026-11-01T10:00:00Z\0", 21, &us), ERROR_INVALID);
    assert_int_equal(clock_parse("2026-11-01T10:00:00Z", 19, &us), ERROR_INVALID);
}

static void there_and_back(void **state) {
    (void)state;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t expected = 0;
    for (int year = 1970; year <= 9999; year++) {
        int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= days[month - 1] + (month == 2 && leap); day++) {
                char text[64], again[32];
                int64_t us = -1;
                snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
                clock_format(expected, again);
                if (clock_parse(text, strlen(text), &us) != 0 || us != expected ||
                    strcmp(text, again) != 0) {
                    fail_msg("%s became %s", text, again);
                }
                expected += INT64_C(86400000000);
            }
        }
    }
    assert_true(expected == CLOCK_MOST_US + 1);
}

static void formatted(void **state) {
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {INT64_C(1793527200500000), "2026-11-01T10:00:00.5Z"},
        {INT64_C(1793527200000000), "2026-11-01T10:00:00Z"},
        {INT64_C(1793491200100000), "2026-11-01T00:00:00.1Z"},
        {CLOCK_MOST_US, "9999-12-31T23:59:59.999999Z"},
        {-1, "1970-01-01T00:00:00Z"},
        {INT64_MIN, "1970-01-01T00:00:00Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        clock_format(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void clocks_run(void **state) {
    (void)state;
    int64_t now = clock_now_us();
    assert_true(now > 0 && clock_now_us() >= now);
    assert_true(clock_wall_us() > INT64_C(1700000000000000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),   cmocka_unit_test(refused),
        cmocka_unit_test(formatted),  cmocka_unit_test(there_and_back),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
