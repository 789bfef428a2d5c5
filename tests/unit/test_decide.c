/* SPDX-License-Identifier: MIT */
/* Verdicts by the shipped lists: abuse in six languages, harmless reviews, disguises, tricks of
   encoding, any bytes, worst cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/asset.h"
#include "base/memory.h"
#include "base/text.h"
#include "moderation/decide.h"

static struct rules rules;

static char *column(char **rest, char separator) {
    char *start = *rest, *end = start ? strchr(start, separator) : NULL;
    if (end) {
        *end = '\0';
    }
    *rest = end ? end + 1 : NULL;
    return start;
}

static void seed_line(json_t *rows, const char *locale, char *line) {
    char *term = column(&line, '\t'), *category = column(&line, '\t');
    char *severity = column(&line, '\t'), *match = column(&line, '\t');
    json_t *exceptions = json_array();
    assert_non_null(match);
    while (line && *line) {
        json_array_append_new(exceptions, json_string(column(&line, '|')));
    }
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:i, s:s, s:o}", "locale",
                                          locale, "term", term, "category", category,
                                          "severity", (int)strtol(severity, NULL, 10),
                                          "match", match, "exceptions", exceptions));
}

static int setup(void **state) {
    (void)state;
    static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
    json_t *rows = json_array();
    for (size_t i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "sql/seed/abuse_term.%s.tsv", locales[i]);
        const struct asset *asset = asset_find(name);
        assert_non_null(asset);
        char *text = memory_copy(asset->data), *rest = text;
        while (rest && *rest) {
            char *line = column(&rest, '\n');
            if (*line && *line != '#') {
                seed_line(rows, locales[i], line);
            }
        }
        memory_free(text);
    }
    struct error error = {0};
    struct lexicon *lexicon;
    assert_int_equal(lexicon_compile(rows, &lexicon, &error), 0);
    if (lexicon_left_out(lexicon) || error.code) {
        fail_msg("%zu rows left out, first %s %s", lexicon_left_out(lexicon),
                 error.pointer, error.detail);
    }
    json_decref(rows);
    rules.lexicon = lexicon;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    struct lexicon *lexicon = (struct lexicon *)(uintptr_t)rules.lexicon;
    lexicon_free(lexicon);
    return 0;
}

static struct verdict verdict;

static bool held(const char *locale, const char *body) {
    struct text_in in = {.body = body, .locale = locale};
    assert_int_equal(decide(&in, &rules, &verdict), 0);
    return verdict.reasons & REASON_ABUSIVE;
}

struct sample {
    const char *locale, *text;
};

static void all_are(const struct sample *samples, size_t count, bool expected) {
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        if (held(samples[i].locale, samples[i].text) != expected) {
            print_error("%s: '%s' is %sheld\n", samples[i].locale, samples[i].text,
                        expected ? "not " : "");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void abuse_is_held(void **state) {
    (void)state;
    static const struct sample samples[] = {
        {"en", "Fuck you and your shop."},
        {"en", "You are an idiot and so is your courier"},
        {"en", "I will find you and burn down your shop"},
        {"en", "f u c k this store"},
        {"en", "sh1tty b!tch"},
        {"es", "Sois unos hijos de puta"},
        {"es", "vete a la m1erda, gilipollas"},
        {"es", "Te voy a matar si no llega"},
        {"es", "eres tonta"},
        {"pt", "Vai tomar no cu, seu lixo"},
        {"pt", "loja de m*rda, filhos da p u t a"},
        {"pt", "CARALHO, que porra é essa"},
        {"ar", "يا ابن الكلب"},
        {"ar", "انتم كـلاب و حـمـيـر"},
        {"ar", "صاحب المتجر ح.م.ا.ر"},
        {"fa", "خفه شو احمق"},
        {"fa", "فروشنده بی‌شرف و کثافت"},
        {"fa", "م ا د ر ج ن د ه"},
        {"lv", "Tu esi idiots, ej dirst"},
        {"lv", "nolādētie lohi un p1d4ras"},
        {"lv", "Nošaušu tevi, kuce"},
    };
    all_are(samples, sizeof samples / sizeof *samples, true);
}

static void reviews_are_not(void **state) {
    (void)state;
    static const struct sample samples[] = {
        {"en", ""},
        {"en",
         "Delivered in Scunthorpe by a kind-hearted driver. Assorted glasses, class A."},
        {"en", "Worst purchase ever. It broke after 2 days, total waste of money!!!"},
        {"en", "Damn good kettle, 5* again"},
        {"en",
         "The garden hoe is solid and the cock a doodle clock is cute. Galaxy A55 case."},
        {"en", "My Maine Coon loves it, and the shih tzu too. Shiitake and shitake kit."},
        {"en", "Stupid design, the lid leaks."},
        {"es",
         "El saco de dormir abriga, y el cono de helado también. Muy buena compra."},
        {"es",
         "Mi perra está encantada con la cama. Disputa resuelta. Computadora rápida."},
        {"es", "Una basura de producto, llegó roto y la atención es pésima"},
        {"pt",
         "A torneira e a teia de aranha de decoração chegaram. Saco de lixo reforçado."},
        {"pt", "O cubo, a cuia e o cuscuz. Curto muito! Pênalti, penne e pinto de novo a "
               "parede."},
        {"pt", "Produto ruim, nao recomendo, veio quebrado e a loja nao responde"},
        {"ar", "المنتج صيني والتوصيل متأخر جدا ولا انصح به"},
        {"ar", "طعام كلب ممتاز، والعين جميلة، والدنيا بخير"},
        {"fa", "خرید خوبی بود، بزرگ‌تر از عکس است. نفهمیدم "
               "چرا "
               "دیر "
               "رسید"},
        {"fa", "هر کسی این را بخرد پشیمان می‌شود"},
        {"lv", "Zīda kleita un zupa bija lieliskas, pakaļ brauca kurjers. Sūdzību nav."},
        {"lv", "Slikta kvalitāte, salūza pēc nedēļas, naudu neatdod."},
    };
    all_are(samples, sizeof samples / sizeof *samples, false);
}

/* The marked bytes are the very words, in characters whole. */
static void marks_are_exact(void **state) {
    (void)state;
    static const char body[] = "Ñandú é: «ｆｕｃｋ» you, b1tch!";
    assert_true(held("en", body));
    assert_int_equal(verdict.mark_count, 2);
    assert_memory_equal(body + verdict.marks[0].start, "ｆｕｃｋ", 12);
    assert_int_equal(verdict.marks[0].end - verdict.marks[0].start, 12);
    assert_memory_equal(body + verdict.marks[1].start, "b1tch", 5);
    assert_int_equal(verdict.marks[1].end - verdict.marks[1].start, 5);
    struct text_in in = {
        .title = "shit", .body = "fine", .author_name = "Fuck Off", .locale = "en"};
    assert_int_equal(decide(&in, &rules, &verdict), 0);
    assert_int_equal(verdict.mark_count, 2);
    assert_int_equal(verdict.marks[0].field, FIELD_TITLE);
    assert_int_equal(verdict.marks[1].field, FIELD_AUTHOR);
}

static void verdict_is_told(void **state) {
    (void)state;
    assert_true(held("en", "you cunt"));
    json_t *told = verdict_json(&verdict),
           *mark = json_array_get(json_object_get(told, "marks"), 0);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(told, "reasons"), 0)),
        "abusive");
    assert_string_equal(json_string_value(json_object_get(mark, "field")), "body");
    assert_string_equal(json_string_value(json_object_get(mark, "category")), "insult");
    assert_int_equal(json_integer_value(json_object_get(mark, "start")), 4);
    assert_int_equal(json_integer_value(json_object_get(mark, "end")), 8);
    json_decref(told);
    assert_false(held("en", "nice"));
    told = verdict_json(&verdict);
    assert_int_equal(json_array_size(json_object_get(told, "reasons")), 0);
    assert_int_equal(json_array_size(json_object_get(told, "marks")), 0);
    json_decref(told);
}

static void nothing_is_fine(void **state) {
    (void)state;
    struct text_in none = {0};
    struct rules bare = {0};
    assert_int_equal(decide(&none, &rules, &verdict), 0);
    assert_int_equal(verdict.reasons, 0);
    struct text_in some = {.body = "fuck", .locale = "en"};
    assert_int_equal(decide(&some, &bare, &verdict), 0);
    assert_int_equal(verdict.reasons, 0);
    assert_true(held(NULL, "fuck"));
    assert_true(held("zz-ZZ", "fuck"));
}

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Between any two letters something that nobody sees. */
static void invisible_is_no_matter(void **state) {
    (void)state;
    static const char *const hidden[] = {"\xE2\x80\x8B", "\xE2\x80\x8D", "\xC2\xAD",
                                         "\xEF\xBB\xBF", "\xE2\x81\xA0", "\xE2\x80\xAE",
                                         "\xCD\x8F"};
    static const struct sample samples[] = {
        {"en", "you fucking bitch"},   {"es", "hijo de puta"},  {"pt", "vai tomar no cu"},
        {"ar", "يا شرموطة"},           {"fa", "خفه شو بی شرف"}, {"lv", "tu esi idiots"},
        {"en", "a kind-hearted class"}};
    for (size_t round = 0; round < 200; round++) {
        const struct sample *s = &samples[round % 7];
        char text[512];
        size_t n = 0;
        for (const char *c = s->text; *c; c++) {
            if ((*c & 0xC0) != 0x80 && next_random() % 2) {
                const char *h = hidden[next_random() % 7];
                memcpy(text + n, h, strlen(h));
                n += strlen(h);
            }
            text[n++] = *c;
        }
        text[n] = '\0';
        assert_int_equal(held(s->locale, text), round % 7 != 6);
    }
    assert_true(held("es", "cabro\xCC\x81n, imbe\xCC\x81"
                           "cil, con\xCC\x83o, hijo de puta"));
    assert_int_equal(held("es", "imbécil"), held("es", "imbe\xCC\x81"
                                                       "cil"));
}

/* Arabic's mild words are everyday ones and its words write no vowels: spread letters or stars
   prove less there. */
static void arabic_disguise_needs_a_strong_word(void **state) {
    (void)state;
    assert_true(held("ar", "يا ش-ر-م-و-ط-ة"));
    assert_true(held("ar", "يا ع*ص"));
    assert_true(held("ar", "يا كلب"));
    assert_false(held("ar", "موقف بالنسبالك ت·ا·ف·ه"));
    assert_false(held("ar", "ا*ت***ك بصدق"));
}

static void survives_any_bytes(void **state) {
    (void)state;
    static const char *const bits[] = {"fuck",     "f",    "u",
                                       " ",        ".",    "*",
                                       "1",        "$",    "p",
                                       "a",        "puta", "\xD0\xB0",
                                       "ك",        "لب",   "\xE2\x80\x8C",
                                       "\xCC\x83", "n",    "\xF0\x9F\x96\x95",
                                       "\xFF",     "-",    "merda",
                                       "笨",       "ﷺ"};
    static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
    long rounds = getenv("VOUCH_LONG") ? 1000000 : 20000;
    for (long i = 0; i < rounds; i++) {
        char text[400];
        size_t n = 0, most = next_random() % 300;
        while (n < most) {
            if (i % 3 == 0) {
                text[n++] = (char)(next_random() % 255 + 1);
                continue;
            }
            const char *bit = bits[next_random() % (sizeof bits / sizeof *bits)];
            memcpy(text + n, bit, strlen(bit));
            n += strlen(bit);
        }
        text[n] = '\0';
        held(locales[i % 6], text);
        for (size_t k = 0; k < verdict.mark_count; k++) {
            const struct mark *m = &verdict.marks[k];
            assert_true(m->start < m->end && m->end <= n);
            assert_true((text[m->start] & 0xC0) != 0x80 || i % 3 == 0);
            assert_true(k == 0 || verdict.marks[k - 1].end <= m->start);
        }
    }
}

static double seconds_for(const char *bit, size_t bytes) {
    char *text = memory_get(bytes + 1);
    double best = 1e9;
    for (size_t i = 0; i < bytes; i++) {
        text[i] = bit[i % strlen(bit)];
    }
    text[bytes] = '\0';
    for (int round = 0; round < 3; round++) {
        struct timespec a, b;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        held("en", text);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
        best = s < best ? s : best;
    }
    memory_free(text);
    return best;
}

/* 64 KiB of disguise: linear, and never a second. */
static void worst_cases_are_linear(void **state) {
    (void)state;
    static const char *const bits[] = {
        "f.u.c.k.", "f u c k ",  "f**k ",    "****", "m****a ",           "a5@$$ ",
        "fuck ",    "i|!1l1l1|", "p*** ",    "s-h-", "\xD0\xB0\xD1\x81 ", "uuuu",
        "\xFF",     "p*t*",      "b*t*h*s* "};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        double small = seconds_for(bits[i], 16 << 10),
               large = seconds_for(bits[i], 64 << 10);
        assert_true(large < 12 * small + 0.01);
        assert_true(large < 1.0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abuse_is_held),
        cmocka_unit_test(reviews_are_not),
        cmocka_unit_test(arabic_disguise_needs_a_strong_word),
        cmocka_unit_test(marks_are_exact),
        cmocka_unit_test(verdict_is_told),
        cmocka_unit_test(nothing_is_fine),
        cmocka_unit_test(invisible_is_no_matter),
        cmocka_unit_test(survives_any_bytes),
        cmocka_unit_test(worst_cases_are_linear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
