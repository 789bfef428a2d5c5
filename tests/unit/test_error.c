/* SPDX-License-Identifier: MIT */
/* The one error: first wins, bounded, well-formed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static void first_wins(void **state) {
    (void)state;
    struct error error = {0};
    assert_int_equal(error_set(&error, ERROR_INVALID, "/a", "%s %d", "one", 1),
                     ERROR_INVALID);
    assert_int_equal(error_set(&error, ERROR_FAILED, "/b", "two"), ERROR_FAILED);
    assert_int_equal(error.code, ERROR_INVALID);
    assert_string_equal(error.pointer, "/a");
    assert_string_equal(error.detail, "one 1");
}

static void nullable_and_keeps_errno(void **state) {
    (void)state;
    struct error error = {0};
    errno = EINTR;
    assert_int_equal(error_set(NULL, ERROR_MISUSE, NULL, "x"), ERROR_MISUSE);
    assert_int_equal(error_set(&error, ERROR_FAILED, NULL, "y"), ERROR_FAILED);
    assert_string_equal(error.pointer, "");
    assert_int_equal(errno, EINTR);
}

static void cut_at_a_character(void **state) {
    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        struct error error = {0};
        char text[1200];
        size_t n = (size_t)shift;
        memset(text, 'x', n);
        for (; n + 4 < sizeof text; n += 4) {
            memcpy(text + n, "\xF0\x9F\x98\x80", 4);
        }
        text[n] = '\0';
        error_set(&error, ERROR_INVALID, text, "%s", text);
        assert_in_range(strlen(error.detail), sizeof error.detail - 4,
                        sizeof error.detail - 1);
        assert_in_range(strlen(error.pointer), sizeof error.pointer - 4,
                        sizeof error.pointer - 1);
        assert_true(text_valid(error.detail, strlen(error.detail)));
        assert_true(text_valid(error.pointer, strlen(error.pointer)));
        assert_null(strchr(error.detail, '?'));
    }
}

static void ill_formed_bytes(void **state) {
    (void)state;
    struct error error = {0};
    error_set(&error, ERROR_INVALID, "/\xFF", "a\xC3(\xED\xA0\x80 \xC3");
    assert_string_equal(error.pointer, "/?");
    assert_string_equal(error.detail, "a?(??? ?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_wins),
        cmocka_unit_test(nullable_and_keeps_errno),
        cmocka_unit_test(cut_at_a_character),
        cmocka_unit_test(ill_formed_bytes),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
