/* SPDX-License-Identifier: MIT */
/* Prints of texts: near copies share bands, others do not, and short texts have none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "moderation/shingle.h"

static int shared(const char *one, const char *other, uint64_t seed) {
    int64_t a[SHINGLE_BANDS], b[SHINGLE_BANDS];
    int count = 0;
    assert_true(shingle_print(one, strlen(one), seed, a));
    assert_true(shingle_print(other, strlen(other), seed, b));
    for (int i = 0; i < SHINGLE_BANDS; i++) {
        count += a[i] == b[i];
        assert_true(a[i] >= 0);
    }
    return count;
}

static const char review[] =
    "I bought this kettle for my mother and she loves it, it boils quickly and the "
    "handle "
    "stays cool, the lid closes well and it looks good in her kitchen.";

static void copies_share(void **state) {
    (void)state;
    static const char loud[] =
        "I BOUGHT this kettle -- for my mother & she LOVES it!! It boils quickly and the "
        "handle "
        "stays cool; the lid closes well, and it looks good in her kitchen";
    int near = 0;
    assert_int_equal(shared(review, review, 7), SHINGLE_BANDS);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        near += shared(review, loud, seed) >= 2;
    }
    assert_true(near >= 36);
}

static void others_do_not(void **state) {
    (void)state;
    static const char other[] =
        "The kettle came late and the box was torn, nobody answered my letters, and "
        "after two weeks "
        "it stopped boiling. I would not buy it from this shop again.";
    int near = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        near += shared(review, other, seed) >= 1;
    }
    assert_int_equal(near, 0);
    int64_t a[SHINGLE_BANDS], b[SHINGLE_BANDS];
    assert_true(shingle_print(review, strlen(review), 1, a));
    assert_true(shingle_print(review, strlen(review), 2, b));
    assert_memory_not_equal(a, b, sizeof a);
}

static void short_ones_have_none(void **state) {
    (void)state;
    int64_t a[SHINGLE_BANDS];
    static const char *const texts[] = {
        "", "Good", "Very good, I recommend this shop", "a b c d e f g h i j",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(shingle_print(texts[i], strlen(texts[i]), 1, a));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies_share),
                                       cmocka_unit_test(others_do_not),
                                       cmocka_unit_test(short_ones_have_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
