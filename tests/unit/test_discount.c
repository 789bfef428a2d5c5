/* SPDX-License-Identifier: MIT */
/* Codes: one per order, found again however somebody types them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "request/discount.h"

static const char secret[] = "a secret of the unit tests, 32 bytes or more";
static struct keyring *keys;
static struct store store;

static int open_keys(void **state) {
    (void)state;
    int rc = crypto_start();
    rc = rc ? rc : keyring_open(secret, sizeof secret - 1, &keys, NULL);
    store.name = "main";
    store.keys = keys;
    return rc;
}

static int close_keys(void **state) {
    (void)state;
    keyring_close(keys);
    return 0;
}

static void printed(void **state) {
    (void)state;
    char code[DISCOUNT_CODE_SIZE], again[DISCOUNT_CODE_SIZE];
    discount_print(keys, "main", "1001", NULL, code);
    assert_string_equal(code, "KA6ENBX4RJ1MX");
    discount_print(keys, "main", "1001", "THANKS", code);
    assert_string_equal(code, "THANKSKA6ENBX4RJ1MX");
    discount_print(keys, "main", "1001", "LONGERTHANEIGHT", code);
    assert_string_equal(code, "LONGERTHKA6ENBX4RJ1MX");
    discount_print(keys, "main", "1002", NULL, again);
    assert_string_not_equal(code + 8, again);
    discount_print(keys, "second", "1001", NULL, again);
    assert_string_not_equal(code + 8, again);
}

static void found_again(void **state) {
    (void)state;
    static const char *const spellings[] = {
        "KA6ENBX4RJ1MX",       "THANKSKA6ENBX4RJ1MX", "thanks ka6e-nbx4-rj1mx",
        "  ka6enbx4rjimx ",    "KA6ENBX4RJLMX",       "Thanks-KA6ENBX4RJ1MX",
        "XMASKA6E NBX4 RJ1M X"};
    uint8_t wanted[32], hash[32];
    crypto_code_hash(keys, "main", "KA6ENBX4RJ1MX", wanted);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        memset(hash, 0, sizeof hash);
        assert_true(discount_hash(&store, spellings[i], strlen(spellings[i]), hash));
        assert_memory_equal(hash, wanted, 32);
    }
}

static void no_codes(void **state) {
    (void)state;
    static const char *const typed[] = {"",
                                        "-",
                                        "KA6ENBX4RJ1M",
                                        "KA6ENBX4RJ1M\xc3\xa9",
                                        "';",
                                        "KA6ENBX4RJ1MX;",
                                        "1111111111111111111111111111111111111111"
                                        "111111111111111111111111"};
    struct store keyless = {.name = "main"};
    uint8_t hash[32];
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        assert_false(discount_hash(&store, typed[i], strlen(typed[i]), hash));
    assert_false(discount_hash(&store, "KA6ENBX4RJ1MX\0", 14, hash));
    assert_false(discount_hash(&keyless, "KA6ENBX4RJ1MX", 13, hash));
}

static void all_different(void **state) {
    (void)state;
    enum { ORDERS = 500 };
    static char codes[ORDERS][DISCOUNT_CODE_SIZE];
    for (int i = 0; i < ORDERS; i++) {
        char order[16];
        (void)snprintf(order, sizeof order, "%d", i);
        discount_print(keys, "main", order, NULL, codes[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(codes[i], codes[k]);
    }
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(printed),
        cmocka_unit_test(found_again),
        cmocka_unit_test(no_codes),
        cmocka_unit_test(all_different),
    };
    return cmocka_run_group_tests_name("discount", all, open_keys, close_keys);
}
