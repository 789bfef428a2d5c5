/* SPDX-License-Identifier: MIT */
/* Links: the same again, different for everything they name, and known by their hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "request/link.h"

static const char secret[] = "a secret of the unit tests, 32 bytes or more";
static struct keyring *keys;
static struct store store, other;

static int open_keys(void **state) {
    (void)state;
    int rc = crypto_start();
    rc = rc ? rc : keyring_open(secret, sizeof secret - 1, &keys, NULL);
    store.name = "main";
    store.keys = keys;
    other.name = "second";
    other.keys = keys;
    return rc;
}

static int close_keys(void **state) {
    (void)state;
    keyring_close(keys);
    return 0;
}

static void same_again(void **state) {
    (void)state;
    struct link one, two;
    uint8_t hash[32];
    assert_int_equal(link_make(&store, LINK_REVIEW, "1001", 1, &one, NULL), 0);
    assert_int_equal(link_make_number(&store, LINK_REVIEW, 1001, 1, &two, NULL), 0);
    assert_string_equal(one.token, two.token);
    assert_string_equal(one.token, "r4bnWsa7O9QZF1SHCTUq85kx-IoaylfGWYl_FGlXXCw");
    crypto_token_hash(one.token, 43, hash);
    assert_memory_equal(one.hash, hash, 32);
}

static void different_for_each(void **state) {
    (void)state;
    struct link links[7];
    assert_int_equal(link_make_number(&store, LINK_REVIEW, 7, 1, &links[0], NULL), 0);
    assert_int_equal(link_make_number(&store, LINK_REVIEW, 7, 2, &links[1], NULL), 0);
    assert_int_equal(link_make_number(&store, LINK_REVIEW, 8, 1, &links[2], NULL), 0);
    assert_int_equal(link_make_number(&store, LINK_AUTHOR, 7, 1, &links[3], NULL), 0);
    assert_int_equal(link_make_number(&store, LINK_CONFIRM, 7, 1, &links[4], NULL), 0);
    assert_int_equal(link_make_number(&store, LINK_UNSUBSCRIBE, 7, 1, &links[5], NULL),
                     0);
    assert_int_equal(link_make_number(&other, LINK_REVIEW, 7, 1, &links[6], NULL), 0);
    for (size_t i = 0; i < 7; i++)
        for (size_t k = i + 1; k < 7; k++)
            assert_string_not_equal(links[i].token, links[k].token);
}

static void only_requests_have_versions(void **state) {
    (void)state;
    struct link one, two;
    link_make_number(&store, LINK_AUTHOR, 7, 0, &one, NULL);
    link_make_number(&store, LINK_AUTHOR, 7, 9, &two, NULL);
    assert_string_equal(one.token, two.token);
}

static void no_key(void **state) {
    (void)state;
    struct store keyless = {.name = "main"};
    struct error error = {0};
    struct link link;
    assert_int_equal(link_make(&keyless, LINK_REVIEW, "1", 1, &link, &error),
                     ERROR_UNAVAILABLE);
    assert_true(*error.detail != '\0');
}

static void check_url(const char *base, enum link_purpose purpose, const char *begin) {
    struct link link;
    assert_int_equal(link_make(&store, purpose, "1", 1, &link, NULL), 0);
    char *url = link_url(base, &link);
    assert_non_null(url);
    assert_int_equal(strncmp(url, begin, strlen(begin)), 0);
    assert_string_equal(url + strlen(begin), link.token);
    memory_free(url);
}

static void urls(void **state) {
    (void)state;
    check_url("https://shop.test/reviews", LINK_REVIEW, "https://shop.test/reviews/r/");
    check_url("https://shop.test/reviews/", LINK_AUTHOR, "https://shop.test/reviews/a/");
    check_url("https://shop.test", LINK_UNSUBSCRIBE, "https://shop.test/u/");
    check_url("https://shop.test//", LINK_CONFIRM, "https://shop.test/c/");
}

static void pages(void **state) {
    (void)state;
    char *url =
        link_page("https://shop.test/r/", "/products/", "a b/\xc4\x81?", "/reviews");
    assert_string_equal(url, "https://shop.test/r/products/a%20b%2F%C4%81%3F/reviews");
    memory_free(url);
    url = link_page("https://shop.test", "/transparency", NULL, "");
    assert_string_equal(url, "https://shop.test/transparency");
    memory_free(url);
}

static void tokens(void **state) {
    (void)state;
    struct link link;
    char hex[65];
    link_make(&store, LINK_UNSUBSCRIBE, "00ff", 1, &link, NULL);
    crypto_hex(link.hash, 32, hex);
    json_t *token = link_token(&link, 0, "00ff");
    assert_string_equal(json_string_value(json_object_get(token, "hash")), hex);
    assert_string_equal(json_string_value(json_object_get(token, "purpose")),
                        "unsubscribe");
    assert_string_equal(json_string_value(json_object_get(token, "address_key")), "00ff");
    assert_null(json_object_get(token, "subject_id"));
    json_decref(token);
    token = link_token(&link, 9, NULL);
    assert_int_equal(json_integer_value(json_object_get(token, "subject_id")), 9);
    assert_null(json_object_get(token, "address_key"));
    json_decref(token);
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(same_again),
        cmocka_unit_test(different_for_each),
        cmocka_unit_test(only_requests_have_versions),
        cmocka_unit_test(no_key),
        cmocka_unit_test(urls),
        cmocka_unit_test(pages),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests_name("link", all, open_keys, close_keys);
}
