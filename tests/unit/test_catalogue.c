/* SPDX-License-Identifier: MIT */
/* The six catalogues say the same: equal keys, no text empty, each valid Mustache with the same
   variables, and nothing in the mails that asks for praise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/asset.h"
#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "mail/letter.h"
#include "mail/template.h"

static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};

enum { LOCALES = sizeof locales / sizeof *locales };

static json_t *copy_of(const char *locale) {
    const json_t *catalogue = locale_catalogue(locale);
    assert_true(json_is_object(catalogue));
    return json_deep_copy(catalogue);
}

static json_t *names_of(const char *locale, const char *key, const char *text) {
    struct error error = {0};
    struct template *t = NULL;
    json_t *names = json_object();
    if (template_compile(text, strlen(text), &t, &error))
        fail_msg("%s %s: %s", locale, key, error.detail);
    assert_int_equal(template_names(t, names), 0);
    template_free(t);
    return names;
}

static void reads_strictly(void **state) {
    (void)state;
    for (size_t i = 0; i < LOCALES; i++) {
        static const char *const names[] = {
            "plugin/locale/en.json", "plugin/locale/es.json", "plugin/locale/pt.json",
            "plugin/locale/ar.json", "plugin/locale/fa.json", "plugin/locale/lv.json"};
        const struct asset *asset = asset_find(names[i]);
        struct error error = {0};
        json_t *value;
        assert_non_null(asset);
        value = json_read(asset->data, asset->size, &error);
        if (!value)
            fail_msg("%s: %s", names[i], error.detail);
        json_decref(value);
    }
}

static void has_the_same_keys(void **state) {
    json_t *english = copy_of("en");
    (void)state;
    for (size_t i = 0; i < LOCALES; i++) {
        json_t *other = copy_of(locales[i]);
        const char *key;
        json_t *text;
        json_object_foreach(english, key, text) {
            if (!json_object_get(other, key))
                fail_msg("%s lacks %s", locales[i], key);
        }
        assert_int_equal(json_object_size(other), json_object_size(english));
        json_decref(other);
    }
    json_decref(english);
}

static void has_no_empty_text(void **state) {
    (void)state;
    for (size_t i = 0; i < LOCALES; i++) {
        json_t *catalogue = copy_of(locales[i]);
        const char *key;
        json_t *text;
        json_object_foreach(catalogue, key, text) {
            const char *s = json_string_value(text);
            size_t n = json_string_length(text);
            if (!s || n == 0 || s[0] == ' ' || s[n - 1] == ' ' || strpbrk(s, "\n\r\t") ||
                strstr(s, "  ") || strstr(s, "{{{") || strstr(s, "{{&") || strchr(s, '<'))
                fail_msg("%s %s is empty, holds markup or stray white space", locales[i],
                         key);
        }
        json_decref(catalogue);
    }
}

static void uses_the_same_variables(void **state) {
    json_t *english = copy_of("en");
    const char *key;
    json_t *text;
    (void)state;
    json_object_foreach(english, key, text) {
        json_t *expected = names_of("en", key, json_string_value(text));
        for (size_t i = 1; i < LOCALES; i++) {
            json_t *names = names_of(locales[i], key, locale_text(locales[i], key));
            if (!json_equal(names, expected))
                fail_msg("%s %s names other variables", locales[i], key);
            json_decref(names);
        }
        json_decref(expected);
    }
    json_decref(english);
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

/* Isolates (U+2068 … U+2069) are opened and closed, around names and dates in Arabic script. */
static void isolates_are_closed(void **state) {
    (void)state;
    for (size_t i = 0; i < LOCALES; i++) {
        json_t *catalogue = copy_of(locales[i]);
        bool rtl = text_is_rtl_locale(locales[i]);
        const char *key;
        json_t *text;
        assert_string_equal(locale_text(locales[i], "direction"), rtl ? "rtl" : "ltr");
        json_object_foreach(catalogue, key, text) {
            const char *s = json_string_value(text);
            size_t opened = count(s, "\xe2\x81\xa8");
            if (opened != count(s, "\xe2\x81\xa9") || (!rtl && opened))
                fail_msg("%s %s: isolates", locales[i], key);
            if (strstr(key, ".subject") && opened)
                fail_msg("%s %s: none in a subject", locales[i], key);
        }
        json_decref(catalogue);
    }
}

/* Nothing that leans on the writer stands near the request or its discount. */
static void asks_neutrally(void **state) {
    static const char *const leaning[] = {
        "positive", "5 star",       "five star",   "great review", "recommend",
        "happy",    "positiva",     "5 estrellas", "recomiend",    "5 estrelas",
        "recomend", "5 نجوم",       "خمس نجوم",    "أوصِ",          "پنج ستاره",
        "5 ستاره",  "پیشنهاد کنید", "5 zvaigz",    "pozitīv",      "iesak"};
    static const char *const spaces[] = {"mail.request.", "mail.reminder.",
                                         "mail.discount."};
    (void)state;
    for (size_t i = 0; i < LOCALES; i++) {
        json_t *catalogue = copy_of(locales[i]);
        const char *key;
        json_t *text;
        json_object_foreach(catalogue, key, text) {
            for (size_t s = 0; s < sizeof spaces / sizeof *spaces; s++)
                for (size_t l = 0; l < sizeof leaning / sizeof *leaning; l++)
                    if (strncmp(key, spaces[s], strlen(spaces[s])) == 0 &&
                        strstr(json_string_value(text), leaning[l]))
                        fail_msg("%s %s says \"%s\"", locales[i], key, leaning[l]);
        }
        json_decref(catalogue);
    }
}

/* Every code a table or a policy may hold has its words. */
static void knows_every_code(void **state) {
    static const char *const keys[] = {"ground.abusive",
                                       "ground.wrong_product",
                                       "ground.not_genuine",
                                       "ground.personal_data",
                                       "ground.spam",
                                       "ground.illegal",
                                       "ground.conflict_of_interest",
                                       "reason.unverified",
                                       "reason.abusive",
                                       "reason.personal_data",
                                       "reason.link",
                                       "reason.spam",
                                       "reason.duplicate_text",
                                       "reason.insider",
                                       "reason.flood",
                                       "reason.language",
                                       "reason.reported",
                                       "reason.classifier",
                                       "kind.percent",
                                       "kind.fixed",
                                       "kind.free_shipping",
                                       "language",
                                       "direction"};
    json_t *english = copy_of("en");
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_object_get(english, keys[i]))
            fail_msg("%s is missing", keys[i]);
    json_decref(english);
}

/* Every {{t.…}} of a shipped template is a string of some kind of mail. */
static void templates_name_known_strings(void **state) {
    json_t *english = copy_of("en");
    (void)state;
    for (const struct asset *a = asset_next("plugin/mail/template/", NULL); a;
         a = asset_next("plugin/mail/template/", a)) {
        json_t *names = names_of("template", a->name, a->data);
        const char *name, *key;
        json_t *line, *text;
        json_object_foreach(names, name, line) {
            bool known = strncmp(name, "t.", 2) != 0;
            json_object_foreach(english, key, text) {
                const char *tail = strncmp(key, "mail.", 5) ? NULL : strchr(key + 5, '.');
                size_t n = strlen(name + 1);
                if (tail && !known)
                    known =
                        strncmp(tail, name + 1, n) == 0 && (!tail[n] || tail[n] == '.');
            }
            if (!known)
                fail_msg("%s: {{%s}}", a->name, name);
        }
        json_decref(names);
    }
    json_decref(english);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_strictly),
        cmocka_unit_test(has_the_same_keys),
        cmocka_unit_test(has_no_empty_text),
        cmocka_unit_test(uses_the_same_variables),
        cmocka_unit_test(isolates_are_closed),
        cmocka_unit_test(asks_neutrally),
        cmocka_unit_test(knows_every_code),
        cmocka_unit_test(templates_name_known_strings),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
