/* SPDX-License-Identifier: MIT */
/* UTF-8 at its edges, folding, graphemes, categories, language tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void well_formed(void **state) {
    (void)state;
    static const char *const good[] = {
        "",
        "a",
        "\x7F",
        "\xC2\x80",
        "\xDF\xBF",
        "\xE0\xA0\x80",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",
        "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF",
    };
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC0\xAF",
        "\xC1\xBF",
        "\xC2",
        "\xC2\x20",
        "\xE0\x80\xAF",
        "\xE0\x9F\xBF",
        "\xE0\xA0",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xED\xA0\xBD\xED\xB8\x80",
        "\xF0\x80\x80\xAF",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
        "a\xCC",
        "a\xE2\x82",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(text_valid(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(text_valid(bad[i], strlen(bad[i])));
        assert_null(text_fold(bad[i], strlen(bad[i])));
    }
    assert_false(text_valid("a\0b", 3));
    assert_false(text_valid("\xE2\x82\xAC", 2)); /* what follows is not looked at */
}

static void every_code_point(void **state) {
    (void)state;
    for (int32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4];
        int32_t back = -1;
        int used = text_encode(c, bytes);
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        int expected = surrogate     ? -1
                       : c < 0x80    ? 1
                       : c < 0x800   ? 2
                       : c < 0x10000 ? 3
                                     : 4;
        if (used != expected) {
            fail_msg("U+%04X is of %d bytes", (unsigned)c, used);
        }
        if (used > 0 && (text_decode(bytes, (size_t)used, &back) != used || back != c ||
                         text_decode(bytes, (size_t)used - 1, &back) != -1)) {
            fail_msg("U+%04X does not come back", (unsigned)c);
        }
    }
    char bytes[4];
    assert_int_equal(text_encode(-1, bytes), -1);
    assert_int_equal(text_encode(0x110000, bytes), -1);
    assert_int_equal(text_decode("", 0, &(int32_t){0}), -1);
}

static void folded(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Kettle", "kettle"},
        {"STRAßE", "strasse"},
        {"TĒJKANNA", "tējkanna"},
        {"Te\xCC\x84jkanna", "tējkanna"},   /* a combining macron */
        {"\xEF\xBC\xA1\xEF\xBC\xA2", "ab"}, /* wide */
        {"\xEF\xAC\x81", "fi"},             /* ligature */
        {"a\xE2\x80\x8B\xC2\xAD\xEF\xBB\xBF"
         "b",
         "ab"}, /* zero width, soft hyphen, BOM */
        {"İ", "i\xCC\x87"},
        {"ΣΑΣ", "σασ"},
        {"\xE2\x85\xA7", "viii"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *fold = text_fold(cases[i][0], strlen(cases[i][0]));
        assert_non_null(fold);
        assert_string_equal(fold, cases[i][1]);
        memory_free(fold);
    }
}

static void folding_is_stable(void **state) {
    (void)state;
    for (int32_t c = 1; c <= 0x10FFFF; c++) {
        char bytes[4];
        int used = text_encode(c, bytes);
        char *once = used > 0 ? text_fold(bytes, (size_t)used) : NULL;
        char *twice = once ? text_fold(once, strlen(once)) : NULL;
        if (used > 0 && (!twice || strcmp(once, twice) != 0)) {
            fail_msg("U+%04X folds to %s and then to %s", (unsigned)c, once, twice);
        }
        memory_free(once);
        memory_free(twice);
    }
}

/* Plain ASCII goes a way of its own: with a letter of another kind behind it, it does not. */
static void plain_folds_alike(void **state) {
    (void)state;
    for (char c = 0x20; c < 0x7F; c++) {
        const char text[] = {'A', c, (char)0xC3, (char)0xA9, '\0'};
        assert_int_equal(text_plain(text, 4), 2);
        char *plain = text_fold(text, 2), *other = text_fold(text, 4);
        assert_int_equal(strlen(plain) + 2, strlen(other));
        assert_memory_equal(plain, other, strlen(plain));
        memory_free(plain);
        memory_free(other);
    }
}

static void fold_limits(void **state) {
    (void)state;
    char *large = memory_get(TEXT_MOST_BYTES + 1);
    memset(large, 'A', TEXT_MOST_BYTES + 1);
    char *fold = text_fold(large, TEXT_MOST_BYTES);
    assert_non_null(fold);
    assert_int_equal(strspn(fold, "a"), TEXT_MOST_BYTES);
    memory_free(fold);
    assert_null(text_fold(large, TEXT_MOST_BYTES + 1));
    memory_free(large);
#ifdef VOUCH_TEST_ALLOC
    for (long k = 1; k <= 2; k++) {
        memory_fail_at(k, false);
        fold = text_fold("K\xC3\xA9ttle", 7);
        memory_fail_at(0, false);
        assert_null(fold);
    }
#endif
}

static void graphemes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"\r\n", 1},
        {"e\xCC\x81", 1},
        {"👨‍👩‍👧‍👦", 1},
        {"🇱🇻🇪🇸", 2},
        {"각", 1},
        {"नि", 1},
        {"👍🏽!", 2},
        {"Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", 2},
        {"\xFF\xFE", 2},
        {"a\xFF\xCC\x81", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(text_graphemes(cases[i].text, strlen(cases[i].text)),
                         cases[i].count);
    }
}

static void categories(void **state) {
    (void)state;
    assert_string_equal(text_category('A'), "Lu");
    assert_string_equal(text_category(0x202E), "Cf");
    assert_string_equal(text_category(0x110000), "Cn");
    assert_string_equal(text_category(-1), "Cn");
    assert_true(text_is_letter(0x0101) && text_is_letter(0x4E2D) && !text_is_letter('1'));
    assert_true(text_is_mark(0x0301) && !text_is_mark('a'));
    assert_true(text_is_digit('5') && text_is_digit(0x0665) && !text_is_digit(0xBD));
    static const int32_t spaces[] = {' ',  '\t', '\n',   '\v',   '\f',   '\r',
                                     0x85, 0xA0, 0x2003, 0x2028, 0x2029, 0x3000};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        assert_true(text_is_space(spaces[i]));
    }
    assert_false(text_is_space(0x200B));
    assert_false(text_is_space(0));
    assert_int_equal(text_lower(0x0100), 0x0101);
    assert_int_equal(text_lower('7'), '7');
}

static void directions(void **state) {
    (void)state;
    static const char *const rtl[] = {"ar",    "ar-EG", "AR",      "fa_IR.UTF-8", "he",
                                      "ur-PK", "ckb",   "az-Arab", "pa-arab-PK"};
    static const char *const ltr[] = {"en",  "lv-LV",   "arn",     "a",  "",
                                      "fal", "az-Latn", "ar-Latn", "es", "en-AR"};
    for (size_t i = 0; i < sizeof rtl / sizeof *rtl; i++) {
        assert_true(text_is_rtl_locale(rtl[i]));
    }
    for (size_t i = 0; i < sizeof ltr / sizeof *ltr; i++) {
        assert_false(text_is_rtl_locale(ltr[i]));
    }
    assert_false(text_is_rtl_locale(NULL));
}

static void nearest_locale(void **state) {
    (void)state;
    static const char *const have[] = {"en", "pt", "pt-BR", "zh-Hant"};
    static const char fallback[] = "xx";
    static const struct {
        const char *asked, *given;
    } cases[] = {
        {"en-GB", "en"},
        {"pt-br", "pt-BR"},
        {"pt_BR.UTF-8", "pt-BR"},
        {"pt-PT", "pt"},
        {"zh-Hant-TW", "zh-Hant"},
        {"zh", "xx"},
        {"zh-Hans", "xx"},
        {"", "xx"},
        {"e", "xx"},
        {"eng", "xx"},
        {"EN", "en"},
        {"en--", "en"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(text_locale(cases[i].asked, have, 4, fallback),
                            cases[i].given);
    }
    assert_ptr_equal(text_locale(NULL, have, 4, fallback), fallback);
    assert_ptr_equal(text_locale("en", have, 0, fallback), fallback);
    assert_ptr_equal(text_locale("en-GB", have, 4, fallback), have[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed),    cmocka_unit_test(every_code_point),
        cmocka_unit_test(folded),         cmocka_unit_test(folding_is_stable),
        cmocka_unit_test(plain_folds_alike), cmocka_unit_test(fold_limits),
        cmocka_unit_test(graphemes),      cmocka_unit_test(categories),
        cmocka_unit_test(directions),     cmocka_unit_test(nearest_locale),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
