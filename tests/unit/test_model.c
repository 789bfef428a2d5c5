/* SPDX-License-Identifier: MIT */
/* Models: what they learn from a few made-up lines, what they say of texts, as bytes and back. */
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
#include "moderation/decide.h"
#include "moderation/train.h"

enum { EACH = 60, LINES = 2 * EACH + EACH };

static const char *const things[] = {"kettle", "lamp",   "jacket", "phone",
                                     "pillow", "teapot", "carpet", "drill"};
static const char *const tempers[] = {"nice", "fine", "cheap", "heavy", "loud",
                                      "late", "dull", "warm",  "small", "old"};

static struct model *taught;

/* Two thirds are harmless, a half of those reviews; "blorf" and "zunk" are what hurts. */
static size_t lines_make(struct sample *samples, char (*texts)[96]) {
    for (size_t i = 0; i < LINES; i++) {
        const char *thing = things[i % 8], *temper = tempers[i / 3 % 10];
        bool abusive = i % 3 == 0;
        snprintf(texts[i], 96,
                 abusive ? "the seller of number %zu is a %s blorf and a zunk, %s"
                         : "number %zu: this %s came %s, would buy again",
                 i, abusive ? temper : thing, abusive ? thing : temper);
        samples[i] = (struct sample){.text = texts[i],
                                     .length = strlen(texts[i]),
                                     .abusive = abusive,
                                     .review = i % 3 == 1};
    }
    return LINES;
}

static int teach(const struct lexicon *lexicon, struct model **model) {
    static struct sample samples[LINES];
    static char texts[LINES][96];
    struct train_plan plan = {.locale = "en-GB", .lexicon = lexicon};
    struct error error = {0};
    int code = train_model(&plan, samples, lines_make(samples, texts), model, &error);
    for (size_t i = 0; i < LINES && !code; i++) {
        assert_true(samples[i].probability >= 0 && samples[i].probability <= 1);
        assert_int_equal(samples[i].probability >= (*model)->threshold,
                         samples[i].abusive);
    }
    return code;
}

static int setup(void **state) {
    (void)state;
    return teach(NULL, &taught);
}

static int teardown(void **state) {
    (void)state;
    model_free(taught);
    return 0;
}

static double score(const struct model *model, const char *text, size_t n) {
    struct reading reading;
    assert_int_equal(normalise(text, n, &reading), 0);
    double p = model_score(model, &reading, NULL);
    normalise_free(&reading);
    return p;
}

static double says(const struct model *model, const char *text) {
    return score(model, text, strlen(text));
}

static void test_scores(void **state) {
    (void)state;
    assert_string_equal(taught->locale, "en");
    assert_true(says(taught, "What a zunk, this BLORF of a seller") > taught->threshold);
    assert_true(says(taught, "the courier is a bl\xC3\xB3rf") > taught->threshold);
    assert_true(says(taught, "this drill came late, would buy again") <
                taught->threshold);
    assert_true(says(taught, "") < taught->threshold);
    assert_true(says(taught, "\xFF\xFE ... !!!") < taught->threshold);
}

static void test_locales(void **state) {
    (void)state;
    assert_true(model_speaks(taught, "en"));
    assert_true(model_speaks(taught, "en-US"));
    assert_true(model_speaks(taught, "en_US.UTF-8"));
    assert_false(model_speaks(taught, "es"));
    assert_false(model_speaks(taught, "eng"));
    assert_false(model_speaks(taught, "e"));
    assert_false(model_speaks(taught, ""));
    assert_false(model_speaks(taught, NULL));
    assert_null(model_new("", 8));
    assert_null(model_new("abcdefghijklmnop", 8));
}

static void bytes_of(const struct model *model, struct buffer *out) {
    buffer_init(out, MODEL_BYTES_MAX);
    model_write(model, out);
    assert_true(buffer_ok(out));
}

static void test_round_trip(void **state) {
    (void)state;
    struct buffer bytes, again;
    struct model *read;
    bytes_of(taught, &bytes);
    assert_true(bytes.length <= MODEL_BYTES_MAX);
    assert_int_equal(model_read(bytes.data, bytes.length, &read, NULL), 0);
    bytes_of(read, &again);
    assert_int_equal(bytes.length, again.length);
    assert_memory_equal(bytes.data, again.data, bytes.length);
    assert_true(says(read, "a zunk, and late") == says(taught, "a zunk, and late"));
    buffer_free(&bytes);
    buffer_free(&again);
    model_free(read);
}

static void refused(const struct buffer *bytes, size_t n) {
    struct model *read = taught;
    struct error error = {0};
    assert_int_equal(model_read(bytes->data, n, &read, &error), ERROR_INVALID);
    assert_null(read);
    assert_true(error.detail[0] != '\0');
}

static void test_corrupt(void **state) {
    (void)state;
    struct buffer bytes;
    bytes_of(taught, &bytes);
    for (size_t i = 0; i < bytes.length; i += i < 200 ? 1 : 60013) {
        bytes.data[i] ^= 4;
        refused(&bytes, bytes.length);
        bytes.data[i] ^= 4;
    }
    refused(&bytes, 0);
    refused(&bytes, 8);
    refused(&bytes, 123);
    refused(&bytes, bytes.length - 1);
    buffer_char(&bytes, 'x');
    refused(&bytes, bytes.length);
    buffer_free(&bytes);
}

/* What is not damaged, but was never a model of train_model: scoring must stay sane. */
static void test_absurd(void **state) {
    (void)state;
    struct model *model = model_new("en", MODEL_BITS_LEAST), *read;
    struct buffer bytes;
    model->scale = 1e30F;
    model->slope = -1e300;
    model->weights[3] = INT16_MIN;
    bytes_of(model, &bytes);
    assert_int_equal(model_read(bytes.data, bytes.length, &read, NULL), 0);
    double p = says(read, "any words at all, and some more of them to meet the weight");
    assert_false(p < 0 || p > 1);
    model_free(read);
    buffer_free(&bytes);
    model->slope = 0.0 / 0.0;
    bytes_of(model, &bytes);
    refused(&bytes, bytes.length);
    buffer_free(&bytes);
    model_free(model);
}

static void test_same_again(void **state) {
    (void)state;
    struct model *other;
    struct buffer a, b;
    assert_int_equal(teach(NULL, &other), 0);
    bytes_of(taught, &a);
    bytes_of(other, &b);
    assert_memory_equal(a.data, b.data, a.length);
    buffer_free(&a);
    buffer_free(&b);
    model_free(other);
}

static void test_too_little(void **state) {
    (void)state;
    struct sample samples[LINES];
    static char texts[LINES][96];
    struct train_plan plan = {.locale = "en"};
    struct model *model;
    struct error error = {0};
    lines_make(samples, texts);
    assert_int_equal(train_model(&plan, samples, 30, &model, &error), ERROR_INVALID);
    assert_non_null(strstr(error.detail, "at least 20"));
    assert_int_equal(train_model(&plan, samples, 0, &model, NULL), ERROR_INVALID);
    plan.locale = "";
    assert_int_equal(train_model(&plan, samples, LINES, &model, NULL), ERROR_INVALID);
    assert_null(model);
}

/* One text over and over, all in one fifth: nothing to be learned from the others. */
static void test_copies(void **state) {
    (void)state;
    struct sample samples[LINES];
    struct train_plan plan = {.locale = "en"};
    struct model *model;
    for (size_t i = 0; i < LINES; i++) {
        samples[i] = (struct sample){.text = "", .length = 0, .abusive = i % 2 == 0};
        if (samples[i].abusive) {
            samples[i].text = "you blorf of a zunk";
            samples[i].length = strlen(samples[i].text);
        }
    }
    assert_int_equal(train_model(&plan, samples, LINES, &model, NULL), 0);
    double p = says(model, "you blorf of a zunk");
    assert_true(p >= 0 && p <= 1);
    model_free(model);
}

static struct verdict verdict;

static unsigned judge(const struct rules *rules, const char *body, const char *locale) {
    struct text_in text = {.body = body, .locale = locale};
    assert_int_equal(decide(&text, rules, &verdict), 0);
    return verdict.reasons;
}

static void test_decide(void **state) {
    (void)state;
    const struct model *models[] = {taught};
    struct rules rules = {.models = models, .model_count = 1};
    static const char blorf[] = "the courier is a blorf and a zunk";
    assert_int_equal(judge(&rules, blorf, "en"), REASON_ABUSIVE);
    assert_true(verdict.score >= taught->threshold);
    assert_int_equal(verdict.mark_count, 0);
    assert_int_equal(judge(&rules, blorf, "en-US"), REASON_ABUSIVE);
    /* The words tell that it is English, whatever was declared. */
    assert_int_equal(judge(&rules, blorf, "es"), REASON_ABUSIVE);
    assert_int_equal(judge(&rules, blorf, NULL), REASON_ABUSIVE);
    assert_int_equal(judge(&rules, "blorf zunk", "es"), 0);
    assert_int_equal(judge(&rules, "this lamp came late, would buy again", "en"), 0);
    struct text_in named = {.author_name = "Zunk Blorf", .locale = "en"};
    assert_int_equal(decide(&named, &rules, &verdict), 0);
    assert_int_equal(verdict.reasons, 0);
    struct text_in titled = {.title = "a blorf, a zunk", .locale = "en"};
    assert_int_equal(decide(&titled, &rules, &verdict), 0);
    assert_int_equal(verdict.reasons, REASON_ABUSIVE);
}

static json_t *term(const char *word, const char *category, int severity) {
    return json_pack("{s:s, s:s, s:s, s:i}", "locale", "en", "term", word, "category",
                     category, "severity", severity);
}

/* What the lexicon is sure of is held all the same: any word by a model that hardly met the
   lexicon's words, the severe ones by any model. */
static void test_with_lexicon(void **state) {
    (void)state;
    static const char zunk[] = "the courier is a zunk and a blorf";
    static const char strong[] = "this lamp came grack, would buy again";
    struct model sure = *taught;
    const struct model *models[] = {&sure};
    struct lexicon *lexicon;
    json_t *rows = json_pack("[o, o, o]", term("quibbet", "hate", 3),
                             term("grack", "insult", 2), term("snoot", "profanity", 1));
    assert_int_equal(lexicon_compile(rows, &lexicon, NULL), 0);
    struct rules rules = {lexicon, models, 1};
    for (int overrules = 0; overrules < 2; overrules++) {
        sure.overrules = overrules;
        assert_int_equal(judge(&rules, "this lamp is for a quibbet", "en"), 1);
        assert_int_equal(verdict.mark_count, 1);
        assert_string_equal(verdict.marks[0].term, "quibbet");
        assert_int_equal(judge(&rules, strong, "en"), !overrules);
        assert_int_equal(judge(&rules, "this snoot came late, would buy again", "en"), 0);
        assert_int_equal(judge(&rules, zunk, "en"), 1);
        assert_int_equal(judge(&rules, zunk, "pt"), 0);
    }
    struct model *with;
    assert_int_equal(teach(lexicon, &with), 0);
    assert_false(with->overrules);
    model_free(with);
    lexicon_free(lexicon);
    json_decref(rows);
}

static double seconds(size_t n) {
    char *text = memory_get(n);
    struct timespec a, b;
    double least = 1e9;
    for (size_t i = 0; i < n; i++) {
        text[i] = "a zunk of blorfs, "[i % 18];
    }
    for (int round = 0; round < 5; round++) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        score(taught, text, n);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        double took =
            (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
        least = took < least ? took : least;
    }
    memory_free(text);
    return least;
}

static void test_long(void **state) {
    (void)state;
    char *word = memory_get(65536);
    memset(word, 'z', 65536);
    for (size_t i = 0; i < 65536; i += 2) {
        word[i] = (char)('a' + i % 25);
    }
    double p = score(taught, word, 65536);
    assert_true(p >= 0 && p <= 1);
    memory_free(word);
    assert_true(seconds(65536) < 40 * (seconds(4096) + 1e-5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),     cmocka_unit_test(test_locales),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_absurd),     cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_too_little), cmocka_unit_test(test_copies),
        cmocka_unit_test(test_decide),     cmocka_unit_test(test_with_lexicon),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
