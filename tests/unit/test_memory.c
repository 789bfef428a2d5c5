/* SPDX-License-Identifier: MIT */
/* Allocation at its edges, and the hook that other tests rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"

static void nothing_is_something(void **state) {
    (void)state;
    void *a = memory_get(0), *b = memory_zero(0, 8), *c = memory_grow(NULL, 0);
    assert_true(a && b && c);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(NULL);
}

static void products_that_overflow(void **state) {
    (void)state;
    assert_null(memory_zero(SIZE_MAX / 2, 4));
    assert_null(memory_copy_n("x", SIZE_MAX));
}

static void copies(void **state) {
    (void)state;
    char *whole = memory_copy("kettle"), *part = memory_copy_n("a\0b-", 3);
    assert_string_equal(whole, "kettle");
    assert_memory_equal(part, "a\0b", 4);
    assert_null(memory_copy(NULL));
    assert_null(memory_copy_n(NULL, 3));
    memory_free(whole);
    memory_free(part);
}

static void the_hook(void **state) {
    (void)state;
#ifdef VOUCH_TEST_ALLOC
    for (int forever = 0; forever < 2; forever++) {
        memory_fail_at(2, forever != 0);
        void *first = memory_get(1), *second = memory_get(1), *third = memory_get(1);
        assert_int_equal(memory_count(), 3);
        memory_fail_at(0, false);
        assert_non_null(first);
        assert_null(second);
        assert_true((third == NULL) == (forever != 0));
        memory_free(first);
        memory_free(third);
    }
#else
    assert_false(memory_refused());
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_something),
        cmocka_unit_test(products_that_overflow),
        cmocka_unit_test(copies),
        cmocka_unit_test(the_hook),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
