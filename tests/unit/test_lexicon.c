/* SPDX-License-Identifier: MIT */
/* Terms: boundaries, stems, exceptions, disguises, marks on the right bytes, many terms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "moderation/lexicon.h"

static json_t *row(const char *locale, const char *term, int severity,
                   const char *match) {
    return json_pack("{s:s, s:s, s:s, s:i, s:s}", "locale", locale, "term", term,
                     "category", "insult", "severity", severity, "match", match);
}

static struct lexicon *compiled(json_t *rows) {
    struct lexicon *lexicon;
    struct error error = {0};
    assert_int_equal(lexicon_compile(rows, &lexicon, &error), 0);
    json_decref(rows);
    return lexicon;
}

/* A lexicon of one term with exceptions separated by '|'. */
static struct lexicon *one(const char *locale, const char *term, const char *match,
                           const char *exceptions) {
    json_t *list = json_array(), *object = row(locale, term, 2, match);
    char *copy = memory_copy(exceptions), *rest = copy, *next;
    while (*rest) {
        next = strchr(rest, '|');
        if (next) {
            *next = '\0';
        }
        json_array_append_new(list, json_string(rest));
        rest = next ? next + 1 : rest + strlen(rest);
    }
    memory_free(copy);
    json_object_set_new(object, "exceptions", list);
    return compiled(json_pack("[o]", object));
}

/* The original words found, each in brackets. */
static void found(const struct lexicon *lexicon, const char *locale, const char *text,
                  char out[512]) {
    static struct lexicon_hits hits;
    struct reading r;
    hits.count = 0;
    assert_int_equal(normalise(text, strlen(text), &r), 0);
    lexicon_scan(lexicon, lexicon_locales(lexicon, locale), text, &r, &hits);
    size_t n = 0;
    for (size_t i = 0; i < hits.count; i++) {
        n += (size_t)snprintf(out + n, 512 - n, "[%.*s]",
                              (int)(hits.items[i].end - hits.items[i].start),
                              text + hits.items[i].start);
    }
    out[n] = '\0';
    normalise_free(&r);
}

static int misses;

static void finds(const struct lexicon *lexicon, const char *locale, const char *text,
                  const char *expected) {
    char out[512];
    found(lexicon, locale, text, out);
    if (strcmp(out, expected) != 0) {
        print_error("in '%s' found '%s', not '%s'\n", text, out, expected);
        misses++;
    }
}

/* All of a test's misses are shown before it fails. */
static void none_missed(void) {
    int count = misses;
    misses = 0;
    assert_int_equal(count, 0);
}

static void words_have_borders(void **state) {
    (void)state;
    struct lexicon *l = one("en", "ass", "word", "");
    finds(l, "en", "an ASS, really", "[ASS]");
    finds(l, "en", "class assess as Assam", "");
    finds(l, "en", "asssss", "[asssss]");
    finds(l, "en", "ass2 (ass) ass😂 «ass»", "[ass][ass][ass][ass]");
    finds(l, "es", "ass", "");
    finds(l, "en-GB", "ass", "[ass]");
    lexicon_free(l);
    l = one("*", "笨蛋", "word", "");
    finds(l, "ja", "你是笨蛋吗", "[笨蛋]");
    lexicon_free(l);
    l = one("en", "🖕", "word", "");
    finds(l, "en", "thanks🖕🏿🖕bye", "[🖕🏿🖕]");
    lexicon_free(l);
    l = one("fa", "کس کش", "word", "");
    finds(l, "fa", "کسکش کس‌کش كس كش",
          "[کسکش][کس‌کش][كس كش]");
    lexicon_free(l);
    none_missed();
}

static void stems_inflect(void **state) {
    (void)state;
    struct lexicon *l = one("ar", "كلب", "stem", "كلب البحر");
    finds(l, "ar", "والكلب وكلبك يا كلبة بكلابهم", "[كلب][كلب][كلب]");
    finds(l, "ar", "كلب البحر قلب مكلبش", "");
    lexicon_free(l);
    l = one("ar", "لعين", "stem", "");
    finds(l, "ar", "في العين", "");
    lexicon_free(l);
    l = one("fa", "احمق", "stem", "");
    finds(l, "fa", "احمق‌ها احمقی أحمقانه",
          "[احمق‌][احمق][أحمق]");
    lexicon_free(l);
    l = one("lv", "idiot", "stem", "");
    finds(l, "lv", "idiotiem idiots vidiots", "[idiot][idiot]");
    lexicon_free(l);
    l = one("pt", "babac", "stem", "");
    finds(l, "pt", "babacas, babaquice", "[babac]");
    lexicon_free(l);
    none_missed();
}

static void harmless_words(void **state) {
    (void)state;
    struct lexicon *l = one("en", "cunt", "anywhere", "scunthorpe");
    finds(l, "en", "Scunthorpe and s.c.u.n.t.h.o.r.p.e", "");
    finds(l, "en", "stupidcunts", "[cunt]");
    lexicon_free(l);
    l = one("pt", "saco", "word", "saco de dormir|saco plástico");
    finds(l, "pt", "Saco de dormir e sacos; saco  PLASTICO", "");
    finds(l, "pt", "que saco", "[saco]");
    lexicon_free(l);
    l = one("es", "coño", "stem", "");
    finds(l, "es", "cono de helado", "");
    finds(l, "es", "coño con\xCC\x83o", "[coño][con\xCC\x83o]");
    lexicon_free(l);
    l = one("en", "tard", "word", "");
    finds(l, "en", "kind-hearted custard torneira aranha", "");
    lexicon_free(l);
    l = one("pt", "pene", "word", "");
    finds(l, "pt", "penne ao molho", "[penne]");
    lexicon_free(l);
    l = one("lv", "žūp", "stem", "");
    finds(l, "lv", "zupa ir laba, bet šķidra", "");
    finds(l, "lv", "vecais zupis", "[zup]");
    finds(l, "lv", "šis žūpis", "[žūp]");
    lexicon_free(l);
    none_missed();
}

static void sees_through(void **state) {
    (void)state;
    static const struct {
        const char *locale, *term, *match, *text, *expected;
    } cases[] = {
        {"en", "fuck", "word", "oh f u c k it", "[f u c k]"},
        {"en", "fuck", "word", "F.U.C.K. f-u-c-k f_u_c_k f·u·c·k",
         "[F.U.C.K][f-u-c-k][f_u_c_k][f·u·c·k]"},
        {"en", "fuck", "word", "f**k f*ck fu*k f*u*c*k", "[f**k][f*ck][fu*k][f*u*c*k]"},
        {"en", "fuck", "word", "ｆｕｃｋ 𝕗𝕦𝕔𝕜 fυck fцck", "[ｆｕｃｋ][𝕗𝕦𝕔𝕜][fυck]"},
        {"en", "fuck", "word",
         "fu-ck fu.ck f\xCC\xB6u\xCC\xB6"
         "c\xCC\xB6k\xCC\xB6",
         "[f\xCC\xB6u\xCC\xB6"
         "c\xCC\xB6k\xCC\xB6][fu-ck][fu.ck]"},
        {"en", "shit", "stem", "sh1tty $hit sh!t 5h1t s.h.1.t",
         "[sh1tt][$hit][sh!t][5h1t][s.h.1.t]"},
        {"en", "ass", "word", "@ss a$$ A55 phone as5 4s5 A4 a-s", "[@ss][a$$][as5]"},
        {"en", "bitch", "stem", "817ch3$ b!tches b1+ch bіtсh",
         "[817ch][b!tch][b1+ch][bіtсh]"},
        {"en", "nigga", "word", "a s s n i g g a", "[n i g g a]"},
        {"en", "turd", "word", "S-a-t-u-r-d-a-y saturday", ""},
        {"en", "cock", "word", "cocoк соск СОСК сосок", "[соск][СОСК]"},
        {"es", "puta", "stem", "p u t a p.u.t.a.s pu74 p*ta pUtA рutа",
         "[pUtA][p u t a][p.u.t.a][pu74][p*ta][рutа]"},
        {"pt", "caralho", "word", "c4r41h0 c*r*lh* car@lho cаrаlhо",
         "[c4r41h0][c*r*lh*][car@lho][cаrаlhо]"},
        {"ar", "كلب", "stem", "ك.ل.ب ك*ب كـلـب كللللب ك ل ب",
         "[كـلـب][كللللب][ك.ل.ب][ك*ب][ك ل ب]"},
        {"fa", "کونی", "stem", "ک و ن ی ک-و-ن-ی کونی", "[کونی][ک و ن ی][ک-و-ن-ی]"},
        {"lv", "pimpis", "stem", "p1mp1s p.i.m.p.i.s pīmpis",
         "[pīmpis][p1mp1s][p.i.m.p.i.s]"},
        {"lv", "сука", "word", "сука с у к а СУКА", "[сука][СУКА][с у к а]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lexicon *l = one(cases[i].locale, cases[i].term, cases[i].match, "");
        finds(l, cases[i].locale, cases[i].text, cases[i].expected);
        lexicon_free(l);
    }
    none_missed();
}

static void leaves_signs_alone(void **state) {
    (void)state;
    struct lexicon *l =
        compiled(json_pack("[o, o, o]", row("en", "shit", 2, "stem"),
                           row("en", "fag", 2, "word"), row("en", "hoe", 2, "word")));
    finds(l, "en",
          "5* hotel, 4** room, **great** buy!!! $5 @home h3 f4 t-shirt s/h it's h*", "");
    finds(l, "en",
          "https://example.test/?a=1&b=2#f me@example.test +371 2000 0000 IBAN LV80", "");
    lexicon_free(l);
    none_missed();
}

static void bad_rows_are_left_out(void **state) {
    (void)state;
    struct lexicon *l;
    struct error error = {0};
    json_t *rows = json_pack("[o, o, {}, s, o, o]", row("en", "shit", 2, "word"),
                             row("en", "...", 2, "word"), "text",
                             row("en", "damn", 9, "word"), row("en", "x", 2, "stem"));
    assert_int_equal(lexicon_compile(rows, &l, &error), 0);
    assert_int_equal(lexicon_left_out(l), 5);
    assert_string_equal(error.pointer, "/1");
    finds(l, "en", "shit x ...", "[shit]");
    lexicon_free(l);
    json_decref(rows);
    assert_int_equal(lexicon_compile(NULL, &l, NULL), ERROR_INVALID);
    rows = json_array();
    assert_int_equal(lexicon_compile(rows, &l, NULL), 0);
    finds(l, "en", "f*ck f u c k", "");
    lexicon_free(l);
    json_decref(rows);
    none_missed();
}

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void random_term(char out[24], size_t i) {
    static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz";
    size_t n = 0, length = 4 + i % 8;
    while (n < length) {
        char c = letters[next_random() % (next_random() % 26 + 1)];
        if (n == 0 || out[n - 1] != c) {
            out[n++] = c;
        }
    }
    out[n] = '\0';
}

/* Every one of many terms is found as a word, and what is no term is not. */
static void many_terms(void **state) {
    (void)state;
    enum { COUNT = 50000 };
    json_t *rows = json_array();
    for (size_t i = 0; i < COUNT; i++) {
        char term[24];
        random_term(term, i);
        json_array_append_new(rows, row("en", term, 2, "word"));
    }
    struct lexicon *l;
    assert_int_equal(lexicon_compile(rows, &l, NULL), 0);
    assert_true(lexicon_bytes(l) < (size_t)12 << 20);
    for (size_t i = 0; i < COUNT; i++) {
        const char *term =
            json_string_value(json_object_get(json_array_get(rows, i), "term"));
        struct lexicon_hits *hits = memory_zero(1, sizeof *hits);
        struct reading r;
        assert_int_equal(normalise(term, strlen(term), &r), 0);
        lexicon_scan(l, lexicon_locales(l, "en"), term, &r, hits);
        assert_true(hits->count >= 1);
        assert_int_equal(hits->items[0].end - hits->items[0].start, strlen(term));
        normalise_free(&r);
        memory_free(hits);
    }
    finds(l, "en", "0 1 2 -", "");
    lexicon_free(l);
    json_decref(rows);
    none_missed();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_have_borders), cmocka_unit_test(stems_inflect),
        cmocka_unit_test(harmless_words),     cmocka_unit_test(sees_through),
        cmocka_unit_test(leaves_signs_alone), cmocka_unit_test(bad_rows_are_left_out),
        cmocka_unit_test(many_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
