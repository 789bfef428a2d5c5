/* SPDX-License-Identifier: MIT */
/* Growth, the limit to the byte, sticky failure, lack of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

static void empty_is_text(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b, 10);
    assert_true(buffer_ok(&b));
    assert_string_equal(b.data, "");
    buffer_append(&b, NULL, 0);
    buffer_text(&b, NULL);
    assert_true(buffer_ok(&b));
    char *text = buffer_steal(&b);
    assert_string_equal(text, "");
    memory_free(text);
    buffer_free(&b);
    buffer_free(NULL);
}

static void limit_to_the_byte(void **state) {
    (void)state;
    for (size_t limit = 0; limit < 300; limit++) {
        struct buffer b;
        buffer_init(&b, limit);
        for (size_t i = 0; i < limit; i++) {
            buffer_char(&b, 'x');
        }
        assert_true(buffer_ok(&b));
        assert_int_equal(b.length, limit);
        assert_int_equal(strlen(b.data), limit);
        buffer_char(&b, 'y');
        assert_false(buffer_ok(&b));
        assert_null(b.data);
        buffer_text(&b, "z");
        buffer_format(&b, "%d", 1);
        assert_null(buffer_steal(&b));
        buffer_free(&b);
    }
}

static void lengths_that_overflow(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    buffer_char(&b, 'x');
    buffer_append(&b, "y", SIZE_MAX);
    assert_false(buffer_ok(&b));
    buffer_clear(&b);
    buffer_append(&b, "y", SIZE_MAX - 1);
    assert_false(buffer_ok(&b));
    buffer_free(&b);
}

static void formats(void **state) {
    (void)state;
    struct buffer b;
    for (int width = 1; width < 400; width++) {
        buffer_init(&b, 400);
        buffer_format(&b, "%*d|", width, 7);
        assert_int_equal(b.length, width + 1);
        assert_string_equal(b.data + width - 1, "7|");
        buffer_free(&b);
    }
    buffer_init(&b, 5);
    buffer_format(&b, "%s", "12345");
    assert_true(buffer_ok(&b));
    buffer_format(&b, "%s", "");
    assert_true(buffer_ok(&b));
    buffer_format(&b, "%s", "6");
    assert_false(buffer_ok(&b));
    buffer_free(&b);
}

static void clear_and_steal_begin_anew(void **state) {
    (void)state;
    struct buffer b;
    buffer_init(&b, 3);
    buffer_text(&b, "long");
    buffer_clear(&b);
    buffer_append(&b, "a\0b", 3);
    char *first = buffer_steal(&b);
    assert_memory_equal(first, "a\0b", 4);
    buffer_text(&b, "xyz");
    char *second = buffer_steal(&b);
    assert_string_equal(second, "xyz");
    memory_free(first);
    memory_free(second);
    buffer_free(&b);
}

static void no_memory(void **state) {
    (void)state;
#ifdef VOUCH_TEST_ALLOC
    for (long k = 1; k < 8; k++) {
        struct buffer b;
        memory_fail_at(k, false);
        buffer_init(&b, 4096);
        for (int i = 0; i < 300; i++) {
            buffer_format(&b, "%03d.", i);
        }
        bool reached = memory_count() >= k;
        memory_fail_at(0, false);
        assert_true(buffer_ok(&b) == !reached);
        buffer_free(&b);
    }
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_text),
        cmocka_unit_test(limit_to_the_byte),
        cmocka_unit_test(lengths_that_overflow),
        cmocka_unit_test(formats),
        cmocka_unit_test(clear_and_steal_begin_anew),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
