/* SPDX-License-Identifier: MIT */
/* Derived values against vectors made with Python's hashlib, and the independence of all
 * that must be independent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"

static const char secret[] = "a secret of the unit tests, 32 bytes or more";
static struct keyring *keys, *other;

static int open_keys(void **state) {
    (void)state;
    int code = crypto_start();
    code = code != 0 ? code : keyring_open(secret, sizeof secret - 1, &keys, NULL);
    return code != 0 ? code : keyring_open(secret, sizeof secret - 2, &other, NULL);
}

static int close_keys(void **state) {
    (void)state;
    keyring_close(keys);
    keyring_close(other);
    keyring_close(NULL);
    return 0;
}

static void known_values(void **state) {
    (void)state;
    char text[65];
    uint8_t hash[32];
    keyring_fingerprint(keys, text);
    assert_string_equal(text, "b39ff52711bbe0393904fcaf7390d099");
    crypto_token(keys, "review", "main", "1001", 1, text);
    assert_string_equal(text, "r4bnWsa7O9QZF1SHCTUq85kx-IoaylfGWYl_FGlXXCw");
    crypto_code(keys, "main", "1001", 1, text);
    assert_string_equal(text, "KA6ENBX4RJ1MX");
    crypto_message_id(keys, "main", 7, text);
    assert_string_equal(text, "7wD0pZDhO7DVjUPkXH8yK9dSxBHU4Jp_YKa1V3-DvPI");
    crypto_csrf(keys, "anna", "/console", 20000, text);
    assert_string_equal(text, "MQt2UpbBa3t-rSNPcBr-irOD0oTafh41uW4M83pboD4");
    crypto_code_hash(keys, "main", "7K3", hash);
    crypto_hex(hash, 32, text);
    assert_string_equal(
        text, "df1bb2c5f3bea785a998471c6f41a6bf91b4822f90edbea776dfd818eb9d2e5f");
    crypto_address_key(keys, "anna@example.test", hash);
    crypto_hex(hash, 32, text);
    assert_string_equal(
        text, "2f5cf7f9856743e5ee0db30a3e854c3792b12505e8eab49954c17c433847ab5a");
    crypto_token_hash("abc", 3, hash);
    crypto_hex(hash, 32, text);
    assert_string_equal(
        text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, hash);
    crypto_hex(hash, 32, text);
    assert_string_equal(
        text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* Each line differs from the first in one argument, or in where a part ends. */
static void tokens_are_independent(void **state) {
    (void)state;
    static const struct {
        const char *purpose, *store, *id;
        int64_t version;
    } cases[] = {
        {"review", "main", "1001", 1},   {"author", "main", "1001", 1},
        {"review", "maim", "1001", 1},   {"review", "main", "1002", 1},
        {"review", "main", "1001", 2},   {"review", "main1", "001", 1},
        {"reviewm", "ain", "1001", 1},   {"", "reviewmain", "1001", 1},
        {"review", "main", "", 1},       {"review", "main", "1001", -1},
        {"review", "main", "1001", 256}, {"review", "main", "1001", INT64_MIN},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    char tokens[COUNT + 1][44];
    for (size_t i = 0; i <= COUNT; i++) {
        const struct keyring *with = i < COUNT ? keys : other;
        size_t at = i < COUNT ? i : 0;
        char again[44];
        crypto_token(with, cases[at].purpose, cases[at].store, cases[at].id,
                     cases[at].version, tokens[i]);
        crypto_token(with, cases[at].purpose, cases[at].store, cases[at].id,
                     cases[at].version, again);
        assert_string_equal(tokens[i], again);
        assert_int_equal(strlen(tokens[i]), 43);
        assert_int_equal(strspn(tokens[i],
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_"),
                         43);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(tokens[i], tokens[k]);
        }
    }
}

static void codes(void **state) {
    (void)state;
    static unsigned seen[128];
    for (int i = 0; i < 4000; i++) {
        char id[24], code[14], again[14];
        char normal[64];
        snprintf(id, sizeof id, "%d", i);
        crypto_code(keys, "main", id, 1, code);
        crypto_code(keys, "main", id, 2, again);
        assert_string_not_equal(code, again);
        crypto_code(keys, "other", id, 1, again);
        assert_string_not_equal(code, again);
        crypto_code(other, "main", id, 1, again);
        assert_string_not_equal(code, again);
        assert_int_equal(strlen(code), 13);
        assert_int_equal(strspn(code, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 13);
        assert_true(crypto_code_normal(code, 13, normal));
        assert_string_equal(normal, code);
        for (size_t at = 0; at < 13; at++) {
            seen[(unsigned char)code[at]]++;
        }
    }
    /* 52000 characters over 32 signs: 1625 each, a deviation of 40; six of them. */
    for (const char *c = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *c != '\0'; c++) {
        assert_in_range(seen[(unsigned char)*c], 1385, 1865);
    }
}

static void normal_codes(void **state) {
    (void)state;
    static const struct {
        const char *typed, *normal; /* NULL: refused */
    } cases[] = {
        {"KA6ENBX4RJ1MX", "KA6ENBX4RJ1MX"},
        {"ka6e-nbx4-rjlm-x", "KA6ENBX4RJ1MX"},
        {" KA6EN BX4RJ IMX\r\n", "KA6ENBX4RJ1MX"},
        {"KA6EN\xE2\x80\x93"
         "BX4RJ\xC2\xA0"
         "1MX",
         "KA6ENBX4RJ1MX"},
        {"oOiIlL", "001111"},
        {"HELLO-KA6E-NBX4-RJlM-XO", "HELLOKA6ENBX4RJ1MX0"},
        {"hello"
         "OOOOOOOOOOOOOO",
         "HELLO00000000000000"},
        {"u", "U"},
        {"", NULL},
        {"- -", NULL},
        {"KA6E_NBX4", NULL},
        {"KA6E.NBX4", NULL},
        {"KA6ENBX4RJ1M\xC3\x84", NULL},
        {"\xD0\x9A"
         "A6ENBX4RJ1MX",
         NULL},                 /* a Cyrillic K */
        {"\xEF\xBC\xAB", NULL}, /* a wide one */
        {"KA6E\xFF", NULL},
        {"123456789012345678901234567890123456789012345678901234567890123",
         "123456789012345678901234567890123456789012345678901234567890123"},
        {"1234567890123456789012345678901234567890123456789012345678901234", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char normal[64], again[64];
        bool accepted =
            crypto_code_normal(cases[i].typed, strlen(cases[i].typed), normal);
        assert_true(accepted == (cases[i].normal != NULL));
        assert_string_equal(normal, cases[i].normal ? cases[i].normal : "");
        if (accepted) {
            assert_true(crypto_code_normal(normal, strlen(normal), again));
            assert_string_equal(again, normal);
        }
    }
    char normal[64];
    assert_false(crypto_code_normal("A\0B", 3, normal));
}

static void hashes_are_independent(void **state) {
    (void)state;
    uint8_t a[32], b[32];
    crypto_code_hash(keys, "main", "ABC", a);
    crypto_code_hash(keys, "mainA", "BC", b);
    assert_false(crypto_equal(a, b, 32));
    crypto_code_hash(other, "main", "ABC", b);
    assert_false(crypto_equal(a, b, 32));
    crypto_address_key(keys, "ABC", b);
    assert_false(crypto_equal(a, b, 32));
    crypto_code_hash(keys, "main", "ABC", b);
    assert_true(crypto_equal(a, b, 32));
}

static void secrets_refused(void **state) {
    (void)state;
    static char longest[KEYRING_MOST_BYTES + 1];
    memset(longest, 'k', sizeof longest);
    struct keyring *none = keys;
    struct error error = {0};
    assert_int_equal(keyring_open("fifteen bytes..", 15, &none, &error), ERROR_INVALID);
    assert_null(none);
    assert_string_equal(error.pointer, "/secrets/key");
    assert_null(strstr(error.detail, "fifteen"));
    assert_int_equal(keyring_open(longest, sizeof longest, &none, NULL), ERROR_INVALID);
    assert_int_equal(keyring_open(NULL, 0, &none, NULL), ERROR_INVALID);
    assert_int_equal(keyring_open("sixteen bytes...", 16, &none, NULL), 0);
    keyring_close(none);
    assert_int_equal(keyring_open(longest, KEYRING_MOST_BYTES, &none, NULL), 0);
    keyring_close(none);
}

static void signatures(void **state) {
    (void)state;
    uint8_t key[32], wrong[32], signature[64];
    const char text[] = "head of the chain";
    keyring_public(keys, key);
    keyring_public(other, wrong);
    crypto_sign(keys, text, sizeof text, signature);
    assert_true(crypto_signed(key, text, sizeof text, signature));
    assert_false(crypto_signed(wrong, text, sizeof text, signature));
    assert_false(crypto_signed(key, text, sizeof text - 1, signature));
    for (size_t bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(crypto_signed(key, text, sizeof text, signature));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void hex_and_base64(void **state) {
    (void)state;
    static const char *const standard[] = {"", "+w==", "+/8=", "+/8A", "+/8A/g=="};
    static const char *const url[] = {"", "-w", "-_8", "-_8A", "-_8A_g"};
    const uint8_t bytes[] = {0xFB, 0xFF, 0x00, 0xFE};
    for (size_t n = 0; n <= 4; n++) {
        char text[16];
        size_t size = 99;
        char *whole = crypto_base64(bytes, n);
        assert_string_equal(whole, standard[n]);
        memory_free(whole);
        crypto_base64url(bytes, n, text);
        assert_string_equal(text, url[n]);
        assert_true(strlen(text) < CRYPTO_BASE64URL_SIZE(n));
        uint8_t *back = crypto_unbase64(standard[n], strlen(standard[n]), &size);
        assert_int_equal(size, n);
        assert_memory_equal(back, bytes, n);
        assert_int_equal(back[n], 0);
        memory_free(back);
        back = crypto_unbase64(url[n], strlen(url[n]), &size);
        assert_int_equal(size, n);
        memory_free(back);
    }
    static const char *const bad[] = {"A",     "AA=",    "AB=C", "+_8A",
                                      "AA AA", "AA==AA", "===="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t size;
        assert_null(crypto_unbase64(bad[i], strlen(bad[i]), &size));
    }
    uint8_t out[4];
    assert_int_equal(crypto_unhex("fBff00FE", 8, out), 0);
    assert_memory_equal(out, bytes, 4);
    assert_int_equal(crypto_unhex("", 0, out), 0);
    assert_int_equal(crypto_unhex("abc", 3, out), ERROR_INVALID);
    assert_int_equal(crypto_unhex("ag", 2, out), ERROR_INVALID);
    assert_int_equal(crypto_unhex("a b ", 4, out), ERROR_INVALID);
}

static void random_and_zero(void **state) {
    (void)state;
    uint8_t a[32], b[32];
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    assert_false(crypto_equal(a, b, sizeof a));
    crypto_zero(a, sizeof a);
    memset(b, 0, sizeof b);
    assert_memory_equal(a, b, sizeof a);
}

static void no_memory(void **state) {
    (void)state;
#ifdef VOUCH_TEST_ALLOC
    struct keyring *none;
    struct error error = {0};
    size_t size;
    memory_fail_at(1, true);
    int code = keyring_open(secret, sizeof secret, &none, &error);
    char *text = crypto_base64("x", 1);
    void *bytes = crypto_unbase64("eA==", 4, &size);
    memory_fail_at(0, false);
    assert_int_equal(code, ERROR_FAILED);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_true(!none && !text && !bytes);
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(tokens_are_independent),
        cmocka_unit_test(codes),
        cmocka_unit_test(normal_codes),
        cmocka_unit_test(hashes_are_independent),
        cmocka_unit_test(secrets_refused),
        cmocka_unit_test(signatures),
        cmocka_unit_test(hex_and_base64),
        cmocka_unit_test(random_and_zero),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests_name("crypto", tests, open_keys, close_keys);
}
