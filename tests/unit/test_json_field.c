/* SPDX-License-Identifier: MIT */
/* The field readers: right, missing, null, of another type, at and over each limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"

static json_t *object;
static struct error error;
static struct field field;

/* Members by kind, so that every reader can be tried on every kind. */
static const char members[] =
    "{\"null\":null,\"true\":true,\"integer\":4,\"real\":4.0,\"string\":\"kettle\","
    "\"empty\":\"\",\"object\":{},\"array\":[1,2],\"number\":\"4\"}";
static const char *const names[] = {"absent", "null",  "true",   "integer", "real",
                                    "string", "empty", "object", "array",   "number"};
enum { NAMES = sizeof names / sizeof *names };

static int begin(void **state) {
    (void)state;
    object = json_read(members, sizeof members - 1, NULL);
    return object == NULL;
}

static int end(void **state) {
    (void)state;
    json_decref(object);
    return 0;
}

static const struct field *fresh(const json_t *of) {
    error = (struct error){0};
    field = (struct field){of, "/data", &error};
    return &field;
}

static void expect_refused(int code, const char *name, const char *says) {
    char pointer[160];
    json_point(pointer, "/data", name);
    assert_int_equal(code, ERROR_INVALID);
    assert_int_equal(error.code, ERROR_INVALID);
    assert_string_equal(error.pointer, pointer);
    assert_non_null(strstr(error.detail, name));
    assert_non_null(strstr(error.detail, says));
}

/* Reads member i as one kind; *has says whether there is a value. */
typedef int reader(const struct field *f, const char *name, bool need, bool *has);

static int as_string(const struct field *f, const char *name, bool need, bool *has) {
    const char *out = "unset";
    int code = need ? json_need_string(f, name, 100, &out)
                    : json_take_string(f, name, 100, &out);
    *has = out != NULL;
    return code;
}

static int as_text(const struct field *f, const char *name, bool need, bool *has) {
    const char *out = "unset";
    int code =
        need ? json_need_text(f, name, 100, &out) : json_take_text(f, name, 100, &out);
    *has = out != NULL;
    return code;
}

static int as_integer(const struct field *f, const char *name, bool need, bool *has) {
    int64_t out = 77;
    *has = true;
    int code = need ? json_need_integer(f, name, 1, 5, &out)
                    : json_take_integer(f, name, 1, 5, has, &out);
    *has = *has && code == 0;
    assert_int_equal(out, *has ? 4 : 0);
    return code;
}

static int as_boolean(const struct field *f, const char *name, bool need, bool *has) {
    bool out = true;
    *has = true;
    int code =
        need ? json_need_boolean(f, name, &out) : json_take_boolean(f, name, has, &out);
    *has = *has && code == 0;
    assert_true(out == *has);
    return code;
}

static int as_time(const struct field *f, const char *name, bool need, bool *has) {
    int64_t out = 77;
    *has = true;
    int code = need ? json_need_time(f, name, &out) : json_take_time(f, name, has, &out);
    *has = *has && code == 0;
    assert_int_equal(out, 0);
    return code;
}

static int as_money(const struct field *f, const char *name, bool need, bool *has) {
    const char *out = "unset";
    int code = need ? json_need_money(f, name, &out) : json_take_money(f, name, &out);
    *has = out != NULL;
    return code;
}

static int as_object(const struct field *f, const char *name, bool need, bool *has) {
    const json_t *out = object;
    int code = need ? json_need_object(f, name, &out) : json_take_object(f, name, &out);
    *has = out != NULL;
    return code;
}

static int as_array(const struct field *f, const char *name, bool need, bool *has) {
    const json_t *out = object;
    int code =
        need ? json_need_array(f, name, 2, &out) : json_take_array(f, name, 2, &out);
    *has = out != NULL;
    return code;
}

/* right: the members that the reader takes, besides those missing. */
static void try_all(reader *read, const char *right) {
    for (size_t i = 0; i < NAMES; i++) {
        bool has = false, missing = i < 2, taken = strstr(right, names[i]) != NULL;
        bool empty = strcmp(names[i], "empty") == 0;
        print_message("# %s of %s\n", right, names[i]);
        int code = read(fresh(object), names[i], false, &has);
        if (missing || taken) {
            assert_int_equal(code, 0);
            assert_int_equal(error.code, 0);
            assert_true(has == taken);
        } else {
            expect_refused(code, names[i], "must be");
            assert_false(has);
        }
        code = read(fresh(object), names[i], true, &has);
        if (taken && !empty) {
            assert_int_equal(code, 0);
            assert_true(has);
        } else {
            expect_refused(code, names[i], missing ? "is missing" : "must");
            assert_false(has);
        }
        assert_true(read(&(struct field){object, NULL, NULL}, names[i], true, &has) ==
                    code);
    }
}

static void every_kind(void **state) {
    (void)state;
    try_all(as_string, "string empty number");
    try_all(as_text, "string empty number");
    try_all(as_integer, "integer");
    try_all(as_boolean, "true");
    try_all(as_time, "-");
    try_all(as_money, "number");
    try_all(as_object, "object");
    try_all(as_array, "array");
}

static void no_object(void **state) {
    (void)state;
    const char *out = "unset";
    assert_int_equal(json_take_string(fresh(NULL), "a", 9, &out), 0);
    assert_null(out);
    expect_refused(json_need_string(fresh(NULL), "a", 9, &out), "a", "is missing");
    assert_int_equal(
        json_take_string(fresh(json_object_get(object, "array")), "a", 9, &out),
        ERROR_INVALID);
    assert_string_equal(error.pointer, "/data");
}

static void strings(void **state) {
    (void)state;
    static const struct {
        const char *value;
        bool string, text;
    } cases[] = {
        {"123456", true, true},
        {"1234567", false, false},
        {"\xC3\xA9\xC3\xA9\xC3\xA9", true, true},
        {"a\tb", false, true},
        {"a\nb", false, true},
        {"a\r\nb", false, true},
        {"a\x01", false, false},
        {"a\x1F", false, false},
        {"a\x7F", false, true},
        {"a\xC2\x85", false, true},
        {"a\xE2\x80\xA8", false, true},
        {"a\xE2\x80\xA9", false, true},
        {"{{a}}", true, true},
        {"%s%n", true, true},
        {"a\x0B", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *own = json_object();
        const char *out;
        json_object_set_new(own, "x", json_string(cases[i].value));
        int code = json_take_string(fresh(own), "x", 6, &out);
        assert_int_equal(code, cases[i].string ? 0 : ERROR_INVALID);
        assert_true((out != NULL) == cases[i].string);
        code = json_need_text(fresh(own), "x", 6, &out);
        assert_int_equal(code, cases[i].text ? 0 : ERROR_INVALID);
        if (out) {
            assert_string_equal(out, cases[i].value);
        }
        json_decref(own);
    }
    json_t *own = json_object();
    const char *out;
    json_object_set_new(own, "x", json_stringn("a\0b", 3));
    assert_int_equal(json_take_text(fresh(own), "x", 6, &out), ERROR_INVALID);
    json_decref(own);
}

static void numbers(void **state) {
    (void)state;
    json_t *own = json_pack("{s:I,s:I,s:i}", "most", (json_int_t)INT64_MAX, "least",
                            (json_int_t)INT64_MIN, "six", 6);
    int64_t out;
    assert_int_equal(json_need_integer(fresh(own), "most", INT64_MIN, INT64_MAX, &out),
                     0);
    assert_true(out == INT64_MAX);
    assert_int_equal(json_need_integer(fresh(own), "least", INT64_MIN, INT64_MAX, &out),
                     0);
    assert_true(out == INT64_MIN);
    assert_int_equal(json_need_integer(fresh(own), "six", 6, 6, &out), 0);
    expect_refused(json_need_integer(fresh(own), "six", 1, 5, &out), "six",
                   "from 1 to 5");
    assert_int_equal(out, 0);
    expect_refused(json_need_integer(fresh(own), "six", 7, 9, &out), "six",
                   "from 7 to 9");
    assert_int_equal(json_take_integer(fresh(own), "six", 1, 9, NULL, &out), 0);
    json_decref(own);
}

static void money_and_times(void **state) {
    (void)state;
    static const char *const good[] = {"0", "19.90", "123456789012", "0.0001",
                                       "999999999999.9999"};
    static const char *const bad[] = {"",     ".5",      "5.", "-1", "+1",
                                      "1,50", "1.00001", " 1", "1 ", "1234567890123",
                                      "1e3",  "1.2.3",   "٥",  "0x1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        json_t *own = json_pack("{s:s}", "x", good[i]);
        const char *out;
        assert_int_equal(json_need_money(fresh(own), "x", &out), 0);
        assert_string_equal(out, good[i]);
        json_decref(own);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *own = json_pack("{s:s}", "x", bad[i]);
        const char *out;
        expect_refused(json_take_money(fresh(own), "x", &out), "x", "decimal string");
        assert_null(out);
        json_decref(own);
    }
    json_t *own = json_pack("{s:s,s:s}", "x", "1970-01-01T00:00:01Z", "y", "2026-11-01");
    bool has;
    int64_t us;
    assert_int_equal(json_take_time(fresh(own), "x", &has, &us), 0);
    assert_true(has && us == 1000000);
    expect_refused(json_take_time(fresh(own), "y", &has, &us), "y", "RFC 3339");
    assert_true(!has && us == 0);
    json_decref(own);
}

static void arrays(void **state) {
    (void)state;
    const json_t *out;
    assert_int_equal(json_need_array(fresh(object), "array", 2, &out), 0);
    assert_int_equal(json_array_size(out), 2);
    expect_refused(json_need_array(fresh(object), "array", 1, &out), "array",
                   "more than 1");
    assert_null(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind), cmocka_unit_test(no_object),
        cmocka_unit_test(strings),    cmocka_unit_test(numbers),
        cmocka_unit_test(arrays),     cmocka_unit_test(money_and_times),
    };
    return cmocka_run_group_tests_name("json_field", tests, begin, end);
}
