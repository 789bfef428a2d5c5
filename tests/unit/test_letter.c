/* SPDX-License-Identifier: MIT */
/* Every kind of mail in every language, then overrides and hostile data. With a folder as
   argument the letters are also written there, to be looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "letter_sample.h"
#include "mail/letter.h"

enum {
    LOCALES = sizeof letter_words / sizeof *letter_words,
    VARIANTS = sizeof letter_variants / sizeof *letter_variants
};

static const char *folder;

static struct letter_book *shipped; /* without rows of a store */

static int render_with(const char *kind, const char *locale, const json_t *overrides,
                       const json_t *data, struct letter *letter, struct error *error) {
    struct letter_book *book = NULL;
    int rc = overrides ? letter_book_open(overrides, true, &book, error) : 0;
    if (!rc)
        rc = letter_render(kind, locale, book ? book : shipped, data, letter, error);
    letter_book_close(book);
    return rc;
}

static void render(const char *kind, const char *locale, const json_t *overrides,
                   const json_t *data, struct letter *letter) {
    struct error error = {0};
    if (render_with(kind, locale, overrides, data, letter, &error))
        fail_msg("%s %s: %s %s", kind, locale, error.pointer, error.detail);
}

/* What is refused: the letter, or the store's row, and the letter is as shipped then. */
static int refuse(const char *kind, const json_t *overrides, const json_t *data,
                  struct error *error) {
    struct letter letter;
    memset(error, 0, sizeof *error);
    int rc = render_with(kind, "en", overrides, data, &letter, error);
    assert_int_equal(rc, error->code);
    if (!rc && letter.fault.code)
        *error = letter.fault;
    letter_free(&letter);
    return error->code;
}

static void save(const char *kind, const char *variant, const char *locale,
                 const struct letter *letter) {
    const struct buffer *parts[] = {&letter->html, &letter->text, &letter->subject};
    static const char *const suffixes[] = {"html", "txt", "subject"};
    char path[512];
    for (size_t i = 0; folder && i < 3; i++) {
        FILE *file;
        snprintf(path, sizeof path, "%s/%s%s%s.%s.%s", folder, kind,
                 strcmp(variant, "-") ? "." : "", strcmp(variant, "-") ? variant : "",
                 locale, suffixes[i]);
        file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(parts[i]->data, 1, parts[i]->length, file);
        fclose(file);
    }
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static void check_subject(const struct buffer *subject) {
    assert_true(subject->length > 5 && subject->length <= LETTER_SUBJECT_MAX);
    assert_true(text_valid(subject->data, subject->length));
    for (size_t i = 0; i < subject->length; i++)
        assert_true((unsigned char)subject->data[i] >= ' ' && subject->data[i] != 0x7f);
}

static void check_part(const struct buffer *part) {
    assert_true(part->length > 200);
    assert_true(text_valid(part->data, part->length));
    assert_null(strstr(part->data, "{{"));
    assert_null(strstr(part->data, "(null)"));
}

/* Nothing is fetched when the mail is opened, and nothing runs. */
static void check_html(const char *html, const char *dir) {
    static const char *const banned[] = {
        "<img",    "<script",     "<link", "src=",      "url(",
        "@import", "background=", " on",   "href=\"\"", "javascript:"};
    char mark[32];
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
        if (strcmp(banned[i], " on") == 0)
            continue;
        if (strstr(html, banned[i]))
            fail_msg("holds %s", banned[i]);
    }
    snprintf(mark, sizeof mark, " dir=\"%s\">", dir);
    assert_non_null(strstr(html, mark));
    assert_int_equal(count(html, "<table"), count(html, "</table>"));
    assert_int_equal(count(html, "<p "), count(html, "</p>"));
}

static void every_kind_in_every_language(void **state) {
    (void)state;
    for (size_t l = 0; l < LOCALES; l++) {
        for (size_t v = 0; v < VARIANTS; v++) {
            const struct letter_words *w = &letter_words[l];
            const char *kind = letter_variants[v].kind;
            json_t *data = letter_sample(w, letter_variants[v].variant);
            bool asks = strcmp(kind, "request") == 0 || strcmp(kind, "reminder") == 0;
            struct letter letter;

            assert_non_null(data);
            if (!asks && strcmp(kind, "discount") != 0)
                json_object_del(data, "unsubscribe_url");
            json_object_del(data, strcmp(kind, "held") == 0 ? "ground" : "reasons");
            json_object_del(data, strcmp(kind, "held") == 0 ? "-" : "marks");
            render(kind, w->locale, NULL, data, &letter);
            save(kind, letter_variants[v].variant, w->locale, &letter);
            check_subject(&letter.subject);
            check_part(&letter.text);
            check_part(&letter.html);
            check_html(letter.html.data, text_is_rtl_locale(w->locale) ? "rtl" : "ltr");
            assert_non_null(strstr(letter.text.data, w->store));
            if (asks) {
                const char *url =
                    json_string_value(json_object_get(data, "unsubscribe_url"));
                assert_int_equal(count(letter.text.data, url), 1);
                assert_int_equal(count(letter.html.data, url), 1);
                assert_int_equal(count(letter.html.data, "?stars="), 10);
                assert_non_null(
                    strstr(letter.text.data, "?stars=4&product=tray%2Foak%20%26%20ash"));
                assert_non_null(strstr(letter.text.data, "TEA-7K3D-92QF-M4XW"));
            }
            save(kind, letter_variants[v].variant, w->locale, &letter);
            letter_free(&letter);
            json_decref(data);
        }
    }
}

/* Text and HTML carry the same links. */
static void both_parts_say_the_same(void **state) {
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        json_t *data = letter_sample(&letter_words[0], letter_variants[v].variant);
        struct letter letter;
        render(letter_variants[v].kind, "en", NULL, data, &letter);
        for (const char *at = strstr(letter.text.data, "https://"); at;
             at = strstr(at + 1, "https://")) {
            size_t n = strcspn(at, " \n&");
            char *url = strndup(at, n);
            if (!strstr(letter.html.data, url))
                fail_msg("%s: %s is missing", letter_variants[v].kind, url);
            free(url);
        }
        letter_free(&letter);
        json_decref(data);
    }
}

static void without_optional_members(void **state) {
    static const char data_text[] =
        "{\"store\":{\"name\":\"S\"},\"lines\":[{\"name\":\"K\",\"product_id\":\"k\"}],"
        "\"form_url\":\"https://s.test/r/x\",\"unsubscribe_url\":\"https://s.test/u/x\","
        "\"discount\":null}";
    json_t *data = json_loads(data_text, 0, NULL);
    struct letter letter;
    (void)state;
    render("request", "en-GB", NULL, data, &letter);
    assert_non_null(strstr(letter.text.data, "Hello,\n"));
    assert_non_null(strstr(letter.html.data, "href=\"https://s.test/r/x?stars=4\""));
    assert_null(strstr(letter.text.data, "code"));
    letter_free(&letter);
    json_decref(data);
}

static void discount_is_neutral(void **state) {
    static const char *const kinds[] = {"percent", "fixed", "free_shipping"};
    static const char *const texts[] = {"10% off", "10 EUR off", "free shipping"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        json_t *data = letter_sample(&letter_words[0], "-");
        json_t *discount = json_object_get(data, "discount");
        struct letter letter;
        json_object_set_new(discount, "kind", json_string(kinds[i]));
        json_object_set_new(discount, "currency", json_string("EUR"));
        render("request", "en", NULL, data, &letter);
        assert_non_null(strstr(letter.text.data, texts[i]));
        assert_non_null(strstr(letter.text.data, "whatever you write"));
        assert_non_null(strstr(letter.text.data, "shown beside your review"));
        letter_free(&letter);
        json_decref(data);
    }
}

static void statement_of_reasons_is_complete(void **state) {
    static const char *const says[] = {"What was decided",
                                       "Ground",
                                       "personal data",
                                       "Facts",
                                       "automatically",
                                       "stars played no part",
                                       "within six months",
                                       "2027-05-21",
                                       "court"};
    json_t *data = letter_sample(&letter_words[0], "-");
    struct letter letter;
    (void)state;
    render("rejected", "en", NULL, data, &letter);
    for (size_t i = 0; i < sizeof says / sizeof *says; i++)
        if (!strstr(letter.text.data, says[i]) || !strstr(letter.html.data, says[i]))
            fail_msg("does not say \"%s\"", says[i]);
    letter_free(&letter);
    json_decref(data);
}

static json_t *rows(const char *text) {
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static void nearest_override_wins(void **state) {
    static const struct {
        const char *locale, *subject;
    } cases[] = {{"lv-LV", "A lv-LV"},
                 {"lv", "B lv"},
                 {"lv-XX", "B lv"},
                 {"de", "C any"},
                 {"en", "C any"}};
    json_t *o =
        rows("[{\"locale\":\"*\",\"kind\":\"request\",\"subject\":\"C any\"},"
             "{\"locale\":\"lv\",\"kind\":\"request\",\"subject\":\"B lv\"},"
             "{\"locale\":\"lv-LV\",\"kind\":\"request\",\"subject\":\"A lv-LV\"},"
             "{\"locale\":\"lv-LV\",\"kind\":\"reminder\",\"subject\":\"no\"}]");
    json_t *data = letter_sample(&letter_words[0], "-");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct letter letter;
        render("request", cases[i].locale, o, data, &letter);
        assert_string_equal(letter.subject.data, cases[i].subject);
        assert_true(letter.text.length > 200);
        letter_free(&letter);
    }
    json_decref(data);
    json_decref(o);
}

static void override_stands_in_the_frame(void **state) {
    json_t *o =
        rows("[{\"locale\":\"*\",\"kind\":\"request\",\"subject\":null,"
             "\"text\":\"Own {{customer.name}}\",\"html\":\"<h1>{{customer.name}}</h1>"
             "{{#form_url}}{{>button}}{{/form_url}}{{>../../locale/en}}\"}]");
    json_t *data = letter_sample(&letter_words[0], "-");
    struct letter letter;
    (void)state;
    render("request", "en", o, data, &letter);
    assert_non_null(strstr(letter.html.data, "<h1>Anna</h1>"));
    assert_non_null(strstr(letter.html.data, "<html lang=\"en\""));
    assert_non_null(strstr(letter.html.data, "Write a review</a>"));
    assert_int_equal(strncmp(letter.text.data, "Own Anna\n", 9), 0);
    assert_non_null(strstr(letter.text.data, "/reviews/u/"));
    letter_free(&letter);
    json_decref(data);
    json_decref(o);
}

static void nobody_is_mailed_without_a_way_out(void **state) {
    json_t *page =
        rows("[{\"locale\":\"*\",\"kind\":\"request\",\"html\":\"<html>x</html>\"}]");
    json_t *data = letter_sample(&letter_words[0], "-");
    struct error error;
    (void)state;
    assert_int_equal(refuse("request", page, data, &error), ERROR_INVALID);
    assert_non_null(strstr(error.detail, "unsubscribe_url"));
    json_object_set_new(data, "unsubscribe_url", json_string("javascript:x"));
    assert_int_equal(refuse("reminder", NULL, data, &error), ERROR_INVALID);
    assert_string_equal(error.pointer, "/unsubscribe_url");
    json_decref(page);
    json_decref(data);
}

static void faults_are_named(void **state) {
    json_t *broken =
        rows("[{\"locale\":\"*\",\"kind\":\"reply\",\"html\":\"<p>\\n{{#a}}\"}]");
    json_t *data = letter_sample(&letter_words[0], "-");
    struct error error;
    (void)state;
    assert_int_equal(refuse("reply", broken, data, &error), ERROR_INVALID);
    assert_non_null(strstr(error.detail, "line 2"));
    assert_int_equal(refuse("advert", NULL, data, &error), ERROR_INVALID);
    assert_int_equal(refuse("confirm", NULL, data, &error), ERROR_INVALID);
    assert_string_equal(error.pointer, "/variant");
    assert_int_equal(refuse("reply", NULL, NULL, &error), ERROR_INVALID);
    json_object_set_new(json_object_get(data, "discount"), "kind", json_string("bribe"));
    assert_int_equal(refuse("request", NULL, data, &error), ERROR_INVALID);
    assert_string_equal(error.pointer, "/discount/kind");
    json_decref(broken);
    json_decref(data);
}

static void subject_is_one_plain_line(void **state) {
    json_t *data = letter_sample(&letter_words[0], "-");
    struct letter letter;
    char *name = malloc(2001);
    (void)state;
    json_object_set_new(json_object_get(data, "store"), "name",
                        json_string("A\r\nBcc: x@y.test\xe2\x80\xa8\xc2\x85 \xe2\x80\xae"
                                    "B\xe2\x81\xa9\x01\x7f"));
    render("reply", "en", NULL, data, &letter);
    assert_string_equal(letter.subject.data,
                        "A Bcc: x@y.test B has replied to your review");
    letter_free(&letter);
    assert_non_null(name);
    memset(name, 'k', 2000);
    name[2000] = '\0';
    json_object_set_new(json_object_get(data, "store"), "name", json_string(name));
    render("reply", "en", NULL, data, &letter);
    assert_true(letter.subject.length <= LETTER_SUBJECT_MAX);
    assert_true(text_valid(letter.subject.data, letter.subject.length));
    letter_free(&letter);
    free(name);
    json_decref(data);
}

/* Whoever names a product, a customer or a review writes no markup and no template. */
static void data_stays_data(void **state) {
    static const char hostile[] =
        "\"'><script>alert(1)</script>{{store.name}}{{>layout}}%s%n";
    struct letter_words w = {"en",    hostile, hostile, hostile,
                             hostile, hostile, hostile, hostile};
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        json_t *data = letter_sample(&w, letter_variants[v].variant);
        struct letter letter;
        render(letter_variants[v].kind, "en", NULL, data, &letter);
        assert_null(strstr(letter.html.data, "<script"));
        assert_null(strstr(letter.html.data, "\"'>"));
        assert_non_null(strstr(letter.html.data, "{{store.name}}{{&gt;layout}}%s%n"));
        assert_non_null(strstr(letter.text.data, hostile));
        letter_free(&letter);
        json_decref(data);
    }
}

static void links_lead_to_the_web_only(void **state) {
    static const char *const bad[] = {"javascript:alert(1)",
                                      "JAVASCRIPT:x",
                                      "data:text/html,x",
                                      " https://x.test",
                                      "java\nscript:x",
                                      "https://x.test/ y",
                                      "//x.test",
                                      "vbscript:x",
                                      ""};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *data = letter_sample(&letter_words[0], "-");
        struct letter letter;
        json_object_set_new(json_object_get(data, "store"), "url", json_string(bad[i]));
        json_object_set_new(data, "review_url", json_string(bad[i]));
        json_object_set_new(data, "author_url", json_integer(7));
        render("published", "en", NULL, data, &letter);
        assert_null(strstr(letter.html.data, "script:"));
        assert_null(strstr(letter.html.data, "x.test"));
        assert_null(strstr(letter.html.data, "href=\"7"));
        assert_null(strstr(letter.html.data, "href=\"\""));
        letter_free(&letter);
        json_decref(data);
    }
}

static void leaves_the_data_alone(void **state) {
    json_t *data = letter_sample(&letter_words[0], "-");
    json_t *before = json_deep_copy(data);
    struct letter letter;
    (void)state;
    render("held", "en", NULL, data, &letter);
    assert_true(json_equal(data, before));
    letter_free(&letter);
    json_decref(before);
    json_decref(data);
}

static void is_fast_once_compiled(void **state) {
    json_t *data = letter_sample(&letter_words[0], "-");
    struct timespec from, to;
    int64_t us;
    (void)state;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < 200; i++) {
        struct letter letter;
        render("request", "en", NULL, data, &letter);
        letter_free(&letter);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    us = ((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000) / 200;
    print_message("# a letter takes %d us\n", (int)us);
    assert_true(us < 10000);
    json_decref(data);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_in_every_language),
        cmocka_unit_test(both_parts_say_the_same),
        cmocka_unit_test(without_optional_members),
        cmocka_unit_test(discount_is_neutral),
        cmocka_unit_test(statement_of_reasons_is_complete),
        cmocka_unit_test(nearest_override_wins),
        cmocka_unit_test(override_stands_in_the_frame),
        cmocka_unit_test(nobody_is_mailed_without_a_way_out),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(subject_is_one_plain_line),
        cmocka_unit_test(data_stays_data),
        cmocka_unit_test(links_lead_to_the_web_only),
        cmocka_unit_test(leaves_the_data_alone),
        cmocka_unit_test(is_fast_once_compiled),
    };
    folder = argc > 1 ? argv[1] : NULL;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    assert_int_equal(letter_book_open(NULL, true, &shipped, NULL), 0);
    int failed = cmocka_run_group_tests_name("letter", tests, NULL, NULL);
    letter_book_close(shipped);
    return failed;
}
