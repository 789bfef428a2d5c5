/* SPDX-License-Identifier: MIT */
/* Lookup over a table of this test's own, and the order of the one that the build made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define asset_table own_table
#define asset_count own_count
#define asset_find own_find
#define asset_next own_next
#include "base/asset.c" /* the same code over own_table */
#undef asset_table
#undef asset_count
#undef asset_find
#undef asset_next

const struct asset own_table[] = {
    {"a", "1", 1}, {"b/x", "2", 1}, {"b/y", "3", 1}, {"b0", "4", 1}, {"c", "5", 1},
};
const size_t own_count = 5;

extern const struct asset asset_table[];
extern const size_t asset_count;
const struct asset *asset_find(const char *name);

static void found_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < own_count; i++) {
        assert_ptr_equal(own_find(own_table[i].name), &own_table[i]);
    }
    static const char *const absent[] = {"", "0", "aa", "b", "b/", "b/z", "d", "C"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_null(own_find(absent[i]));
    }
}

static void walked_by_prefix(void **state) {
    (void)state;
    const struct asset *first = own_next("b/", NULL);
    assert_ptr_equal(first, &own_table[1]);
    const struct asset *second = own_next("b/", first);
    assert_ptr_equal(second, &own_table[2]);
    assert_null(own_next("b/", second));
    assert_null(own_next("bb", NULL));
    assert_null(own_next("z", NULL));
    size_t all = 0;
    for (const struct asset *a = own_next("", NULL); a; a = own_next("", a)) {
        all++;
    }
    assert_int_equal(all, own_count);
}

static void the_builds_table(void **state) {
    (void)state;
    for (size_t i = 0; i < asset_count; i++) {
        assert_int_equal(asset_table[i].data[asset_table[i].size], '\0');
        assert_ptr_equal(asset_find(asset_table[i].name), &asset_table[i]);
        assert_true(i == 0 || strcmp(asset_table[i - 1].name, asset_table[i].name) < 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_name),
        cmocka_unit_test(walked_by_prefix),
        cmocka_unit_test(the_builds_table),
    };
    return cmocka_run_group_tests_name("asset", tests, NULL, NULL);
}
