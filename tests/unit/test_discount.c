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
    assert_string_equal(code, "KA6ENBX4RJ1MX0");
    discount_print(keys, "main", "1001", "THANKS", code);
    assert_string_equal(code, "THANKSKA6ENBX4RJ1MX0");
    discount_print(keys, "main", "1001", "LONGERTHANEIGHT", code);
    assert_string_equal(code, "LONGERTHKA6ENBX4RJ1MX0");
    discount_print(keys, "main", "1002", NULL, again);
    assert_string_not_equal(code + 8, again);
    discount_print(keys, "second", "1001", NULL, again);
    assert_string_not_equal(code + 8, again);
}

static void found_again(void **state) {
    (void)state;
    static const char *const spellings[] = {
        "KA6ENBX4RJ1MX0",       "THANKSKA6ENBX4RJ1MX0", "thanks ka6e-nbx4-rj1mx-0",
        "  ka6enbx4rjimx0 ",    "KA6ENBX4RJLMX0",       "Thanks-KA6ENBX4RJ1MX0",
        "XMASKA6E NBX4 RJ1M X0"};
    uint8_t wanted[32], hash[32];
    crypto_code_hash(keys, "main", "KA6ENBX4RJ1MX", wanted);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        memset(hash, 0, sizeof hash);
        assert_true(discount_hash(&store, spellings[i], strlen(spellings[i]), hash));
        assert_memory_equal(hash, wanted, 32);
    }
}

/* Any one character wrong, or any two that changed places, is no code. */
static void slips(void **state) {
    (void)state;
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char code[DISCOUNT_CODE_SIZE], slip[DISCOUNT_CODE_SIZE];
    uint8_t hash[32];
    for (int order = 0; order < 20; order++) {
        char id[24];
        snprintf(id, sizeof id, "%d", order);
        discount_print(keys, "main", id, NULL, code);
        assert_true(discount_hash(&store, code, 14, hash));
        for (size_t at = 0; at < 14; at++) {
            for (const char *c = alphabet; *c; c++) {
                memcpy(slip, code, 15);
                slip[at] = *c;
                assert_true(discount_hash(&store, slip, 14, hash) == (*c == code[at]));
            }
            for (size_t other = at + 1; other < 14; other++) {
                memcpy(slip, code, 15);
                slip[at] = code[other];
                slip[other] = code[at];
                assert_true(discount_hash(&store, slip, 14, hash) == (code[at] == code[other]));
            }
        }
    }
}

static void no_codes(void **state) {
    (void)state;
    static const char *const typed[] = {"",
                                        "-",
                                        "KA6ENBX4RJ1MX",
                                        "KA6ENBX4RJ1MX\xc3\xa9",
                                        "';",
                                        "KA6ENBX4RJ1MX0;",
                                        "1111111111111111111111111111111111111111"
                                        "111111111111111111111111"};
    struct store keyless = {.name = "main"};
    uint8_t hash[32];
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        assert_false(discount_hash(&store, typed[i], strlen(typed[i]), hash));
    assert_false(discount_hash(&store, "KA6ENBX4RJ1MX0\0", 15, hash));
    assert_false(discount_hash(&keyless, "KA6ENBX4RJ1MX0", 14, hash));
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
        cmocka_unit_test(slips), cmocka_unit_test(no_codes),
        cmocka_unit_test(all_different),
    };
    return cmocka_run_group_tests_name("discount", all, open_keys, close_keys);
}
