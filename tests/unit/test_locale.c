/* SPDX-License-Identifier: MIT */
/* tsan */
/* Catalogues of this test's own: one whole, one broken, one no object, the rest missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/asset.h"

#define ASSET(name, data)                                                                \
    { "plugin/locale/" name ".json", data, sizeof data - 1 }

static const struct asset own_assets[] = {
    ASSET("en", "{\"a\":\"English\",\"b\":\"only\"}"),
    ASSET("es", "{\"a\":\"Español\",\"b\":7}"),
    ASSET("lv", "{\"a\":"),
    ASSET("pt", "[]"),
};

static const struct asset *own_find(const char *name) {
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(own_assets[i].name, name) == 0) {
            return &own_assets[i];
        }
    }
    return NULL;
}

#define asset_find own_find
#define locale_pick own_pick
#define locale_catalogue own_catalogue
#define locale_text own_text
#undef BASE_LOCALE_H
#include "base/locale.c" /* the same code over own_assets */
#undef asset_find

static void picked(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"en", "en"},      {"lv-LV", "lv"}, {"lv_LV.UTF-8", "lv"}, {"pt-BR", "pt"},
        {"ES", "es"},      {"fa-IR", "fa"}, {"ar", "ar"},          {"de", "en"},
        {"enx", "en"},     {"", "en"},      {"-", "en"},           {"lv-Latn-LV", "lv"},
        {"lv@euro", "lv"}, {"C", "en"},     {"..", "en"},          {"e", "en"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(own_pick(cases[i][0]), cases[i][1]);
    }
    assert_string_equal(own_pick(NULL), "en");
    assert_string_equal(
        own_pick("a-very-long-tag-that-is-no-language-tag-at-all-and-goes-on-"
                 "and-on-and-on"),
        "en");
}

static void texts(void **state) {
    (void)state;
    assert_string_equal(own_text("es-MX", "a"), "Español");
    assert_string_equal(own_text("es", "b"), "only"); /* no string there */
    assert_string_equal(own_text("es", "zzz"), "zzz");
    assert_string_equal(own_text("lv", "a"), "English");
    assert_string_equal(own_text("pt", "a"), "English");
    assert_string_equal(own_text("ar", "a"), "English");
    assert_ptr_equal(own_catalogue("es"), own_catalogue("es-ES"));
    assert_ptr_equal(own_catalogue("xx"), own_catalogue("en"));
    assert_ptr_equal(own_catalogue("lv"), own_catalogue("en"));
}

static void *ask(void *slot) {
    const json_t **found = slot;
    *found = own_catalogue("es");
    return NULL;
}

static void threads_get_one(void **state) {
    (void)state;
    pthread_t threads[8];
    const json_t *found[8] = {NULL};
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &found[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_non_null(found[i]);
        assert_ptr_equal(found[i], found[0]);
    }
}

int main(void) {
    json_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_get_one), /* first: it races for the parse */
        cmocka_unit_test(picked),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests_name("locale", tests, NULL, NULL);
}
