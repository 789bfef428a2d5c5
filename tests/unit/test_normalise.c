/* SPDX-License-Identifier: MIT */
/* The plain reading: what it folds, the map back to the original, any bytes, linear time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "moderation/normalise.h"

static void reads(const char *text, const char *expected) {
    struct reading r;
    assert_int_equal(normalise(text, strlen(text), &r), 0);
    char *plain = memory_copy_n(r.text + 1, r.length - 1);
    size_t n = strlen(plain);
    if (n && plain[n - 1] == ' ') {
        plain[n - 1] = '\0';
    }
    assert_string_equal(plain, expected);
    memory_free(plain);
    normalise_free(&r);
}

static void folds(void **state) {
    (void)state;
    reads("", "");
    reads("  ...  ", "");
    reads("Hello, WORLD!", "helo world");
    reads("ﬁve ＦＵＬＬ ⒜ⓑ 𝒻𝓊𝓃 ᶠᵘⁿ", "five ful ab fun fun");
    reads("Straße İstanbul ĲSSEL", "strase istanbul ijsel");
    reads("crème brûlée ÀÉÎÕÜ", "creme brule aeiou");
    reads("z̸̡̢a̴l̵g̶o̷", "zalgo");
    reads("fuuuuuck 1000 II", "fuck 1000 i");
    reads("d\xC2\xADi\xE2\x80\x8B"
          "c\xE2\x80\x8Dk\xEF\xBB\xBF",
          "dick");
    reads("a\xE2\x80\xAE"
          "b\xE2\x81\xA6"
          "c",
          "abc");
    reads("Ёж и Ελλάς", "еж и ελασ");
}

static void folds_arabic(void **state) {
    (void)state;
    reads("كـــلـــب", "كلب");
    reads("كَلْبٌ", "كلب");
    reads("أحمق إحمق آحمق", "احمق احمق احمق");
    reads("شرموطة شرموطه", "شرموطه شرموطه");
    reads("مصطفى مصطفي مصطفی", "مصطفي مصطفي مصطفي");
    reads("کلب كلب ڪلب", "كلب كلب كلب");
    reads("بی\xE2\x80\x8Cشرف", "بيشرف");
    reads("ﻛﻠﺐ", "كلب");
    reads("١٢٣ ۱۲۳ 123", "123 123 123");
}

/* A term's place, taken back to the original, is exactly what a reader would mark. */
static void place_is(const char *text, const char *plain, const char *expected) {
    struct reading r;
    assert_int_equal(normalise(text, strlen(text), &r), 0);
    const char *found = strstr(r.text, plain);
    assert_non_null(found);
    size_t at = (size_t)(found - r.text);
    size_t start = normalise_start(&r, at), end = normalise_end(&r, at + strlen(plain));
    assert_int_equal(end - start, strlen(expected));
    assert_memory_equal(text + start, expected, end - start);
    normalise_free(&r);
}

static void maps_back(void **state) {
    (void)state;
    place_is("You shiiiit!", "shit", "shiiiit");
    place_is("«ＤＩＣＫ»", "dick", "ＤＩＣＫ");
    place_is("der Scheiß da", "scheis", "Scheiß");
    place_is("x e\xCC\x81t\xCC\x81 y", "et", "e\xCC\x81t\xCC\x81");
    place_is("يا كَـلْب!", "كلب", "كَـلْب");
    place_is("puta", "puta", "puta");
    place_is("\xFF\xFEputa\xFF", "puta", "puta");
}

static void finds_suspects(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        bool spaced;
    } cases[] = {
        {"An ordinary sentence, with commas; and don't.", 0, false},
        {"f u c k", 1, true},
        {"f.u.c.k", 1, false},
        {"f**k", 1, false},
        {"sh1t", 1, false},
        {"$hit", 1, false},
        {"р\xD1\x83t\xD0\xB0", 1, false},
        {"Привет мир", 0, false},
        {"5 stars for 20 euros", 0, false},
        {"a b", 0, false},
        {"f - u - c - k", 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        assert_int_equal(normalise(cases[i].text, strlen(cases[i].text), &r), 0);
        assert_int_equal(r.suspect_count, cases[i].count);
        if (r.suspect_count) {
            assert_int_equal(r.suspects[0].spaced, cases[i].spaced);
        }
        normalise_free(&r);
    }
}

static void equal_readings(const char *a, const char *b) {
    struct reading x, y;
    assert_int_equal(normalise(a, strlen(a), &x), 0);
    assert_int_equal(normalise(b, strlen(b), &y), 0);
    assert_string_equal(x.text, y.text);
    normalise_free(&x);
    normalise_free(&y);
}

/* The same text composed, decomposed and sprinkled with the invisible reads the same. */
static void encoding_is_no_matter(void **state) {
    (void)state;
    equal_readings("cr\xC3\xA8me ni\xC3\xB1o \xC4\xB7",
                   "cre\xCC\x80me nin\xCC\x83o k\xCC\xA7");
    equal_readings(
        "\xED\x95\x9C\xEA\xB5\xAD",
        "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB\xE1\x84\x80\xE1\x85\xAE\xE1\x86\xA8");
    equal_readings("\xD8\xA2", "\xD8\xA7\xD9\x93");
    equal_readings("\xE3\x82\xAC", "\xE3\x82\xAB\xE3\x82\x99");
    equal_readings("plain", "p\xE2\x80\x8Bl\xE2\x81\xA0"
                            "a\xCD\x8Fi\xEF\xB8\x8Fn");
}

/* Where both drop only what both drop, the table agrees with utf8proc's NFKC_Casefold. */
static void agrees_with_text_fold(void **state) {
    (void)state;
    for (int32_t cp = 0x21; cp < 0x30000; cp++) {
        char raw[5] = {0};
        if (!text_is_letter(cp) || text_encode(cp, raw) <= 0) {
            continue;
        }
        char *folded = text_fold(raw, strlen(raw));
        if (folded && *folded) {
            struct reading a, b;
            assert_int_equal(normalise(raw, strlen(raw), &a), 0);
            assert_int_equal(normalise(folded, strlen(folded), &b), 0);
            if (strcmp(a.text, b.text) != 0 && a.length > 1) {
                fail_msg("U+%04X reads '%s', its fold '%s'", (unsigned)cp, a.text,
                         b.text);
            }
            normalise_free(&a);
            normalise_free(&b);
        }
        memory_free(folded);
    }
}

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void survives_any_bytes(void **state) {
    (void)state;
    static const char *const bits[] = {"\xCC\x81",
                                       "\xE2\x80\x8B",
                                       "ñ",
                                       "f",
                                       "*",
                                       " ",
                                       ".",
                                       "ك",
                                       "ـ",
                                       "ﷺ",
                                       "\xF0\x9F\x96\x95",
                                       "\xED\x95\x9C",
                                       "\xFF",
                                       "\xC2",
                                       "\xF4\x90\x80\x80",
                                       "\xED\xA0\x80"};
    long rounds = getenv("VOUCH_LONG") ? 1000000 : 30000;
    for (long i = 0; i < rounds; i++) {
        char text[256];
        size_t n = 0, most = next_random() % 200;
        while (n < most) {
            if (i % 2) {
                text[n++] = (char)next_random();
                continue;
            }
            const char *bit = bits[next_random() % (sizeof bits / sizeof *bits)];
            memcpy(text + n, bit, strlen(bit));
            n += strlen(bit);
        }
        struct reading r;
        assert_int_equal(normalise(text, n, &r), 0);
        assert_true(r.length <= 3 * n + 2 && r.text[0] == ' ' &&
                    r.text[r.length - 1] == ' ');
        assert_true(r.length == 1 || text_valid(r.text, r.length));
        for (size_t k = 0; k + 1 < r.length; k++) {
            assert_true(normalise_start(&r, k) <= normalise_start(&r, k + 1));
        }
        assert_true(normalise_end(&r, r.length) == n);
        for (size_t k = 0; k < r.suspect_count; k++) {
            assert_true(r.suspects[k].start < r.suspects[k].end &&
                        r.suspects[k].end <= n);
        }
        normalise_free(&r);
    }
}

static double seconds_for(const char *bit, size_t bytes) {
    char *text = memory_get(bytes);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = bit[i % strlen(bit)];
    }
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
        struct timespec a, b;
        struct reading r;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        assert_int_equal(normalise(text, bytes, &r), 0);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        normalise_free(&r);
        double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
        best = s < best ? s : best;
    }
    memory_free(text);
    return best;
}

/* Eight times the text is to take less than three times eight as long. */
static void is_linear(void **state) {
    (void)state;
    static const char *const bits[] = {"a",        "f u ", "f.u.", "*",  "ｆ",
                                       "\xCC\x81", "ك",    "\xFF", "1a "};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        double small = seconds_for(bits[i], 64 << 10),
               large = seconds_for(bits[i], 512 << 10);
        assert_true(large < 24 * small + 0.005);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(folds_arabic),
        cmocka_unit_test(maps_back),
        cmocka_unit_test(finds_suspects),
        cmocka_unit_test(encoding_is_no_matter),
        cmocka_unit_test(agrees_with_text_fold),
        cmocka_unit_test(survives_any_bytes),
        cmocka_unit_test(is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
