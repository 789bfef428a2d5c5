/* SPDX-License-Identifier: MIT */
/* Codes of the tables become sentences here, numbers stay numbers. */
#include "web/transparency.h"

#include <stdio.h>
#include <string.h>

#include "base/locale.h"
#include "web/answer.h"
#include "web/header.h"
#include "web/page.h"

#define DAY_S 86400.0

static const char *transparency_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static json_t *transparency_word(const struct exchange *x, const char *prefix,
                                 const json_t *object, const char *name) {
    char key[64];

    snprintf(key, sizeof key, "%s_%s", prefix, transparency_text(object, name));
    return page_code(x, "page.transparency", key);
}

/* "7", "0.5": days without a unit, which stands in the heading. */
static json_t *transparency_days(const json_t *hold) {
    double days = json_number_value(json_object_get(hold, "deadline_s")) / DAY_S;
    char text[24];

    snprintf(text, sizeof text, "%.1f", days);
    size_t n = strlen(text);
    if (n > 2 && strcmp(text + n - 2, ".0") == 0) {
        text[n - 2] = '\0';
    }
    return json_string(text);
}

static int transparency_holds(const struct exchange *x, json_t *root,
                              const json_t *found) {
    const json_t *holds = json_object_get(found, "holds");
    json_t *shown = json_array();
    int failed = json_object_set_new(root, "holds", shown);

    for (size_t i = 0; !failed && i < json_array_size(holds); i++) {
        const json_t *hold = json_array_get(holds, i);
        bool held = strcmp(transparency_text(hold, "action"), "hold") == 0;
        failed = json_array_append_new(
            shown,
            json_pack("{s:o, s:o, s:o?, s:o?}", "reason",
                      page_code(x, "reason", transparency_text(hold, "reason")), "action",
                      transparency_word(x, "action", hold, "action"), "days",
                      held ? transparency_days(hold) : NULL, "then",
                      held ? transparency_word(x, "then", hold, "on_deadline") : NULL));
    }
    return failed;
}

static int transparency_grounds(const struct exchange *x, json_t *root,
                                const json_t *found) {
    const json_t *grounds = json_object_get(found, "grounds");
    const json_t *counts =
        json_object_get(json_object_get(found, "reviews"), "rejected_by_ground");
    json_t *shown = json_array(), *refused = json_array();
    int failed = json_object_set_new(root, "grounds", shown) |
                 json_object_set_new(root, "refused", refused);

    for (size_t i = 0; !failed && i < json_array_size(grounds); i++) {
        const json_t *ground = json_array_get(grounds, i);
        const char *code = transparency_text(ground, "ground");
        json_t *words = page_code(x, "ground", code);
        json_t *count = json_object_get(counts, code);
        failed = json_array_append_new(shown,
                                       json_pack("{s:O, s:O?}", "ground", words, "clause",
                                                 json_object_get(ground, "clause")));
        if (!failed && count) {
            failed = json_array_append_new(
                refused, json_pack("{s:O, s:O}", "ground", words, "count", count));
        }
        json_decref(words);
    }
    return failed | json_object_set_new(root, "has_refused",
                                        json_boolean(json_array_size(refused) > 0));
}

static int transparency_complaint(const struct exchange *x, json_t *list,
                                  const json_t *counts, const char *key,
                                  const char *accepted, const char *declined) {
    return json_array_append_new(
        list, json_pack("{s:o, s:O, s:O, s:O, s:O}", "kind", page_text(x, key, NULL),
                        "received", json_object_get(counts, "received"), "accepted",
                        json_object_get(counts, accepted), "declined",
                        json_object_get(counts, declined), "open",
                        json_object_get(counts, "open")));
}

static int transparency_complaints(const struct exchange *x, json_t *root,
                                   const json_t *found) {
    json_t *list = json_array();

    return json_object_set_new(root, "complaints", list) |
           transparency_complaint(x, list, json_object_get(found, "appeals"),
                                  "page.transparency.appeals", "granted", "refused") |
           transparency_complaint(x, list, json_object_get(found, "reports"),
                                  "page.transparency.reports", "removed", "kept");
}

static const char *transparency_language(const char *code) {
    const char *locale;

    for (size_t i = 0; (locale = exchange_locale_at(i)); i++) {
        if (strcmp(locale, code) == 0) {
            return locale_text(locale, "language");
        }
    }
    return code;
}

/* "العربية, English": the languages whose words are checked, in their own names. */
static json_t *transparency_languages(const json_t *codes) {
    struct buffer out;
    json_t *made;

    buffer_init(&out, 1 << 10);
    for (size_t i = 0; i < json_array_size(codes); i++) {
        const char *code = json_string_value(json_array_get(codes, i));
        buffer_text(&out, i ? ", " : "");
        buffer_text(&out, code ? transparency_language(code) : "");
    }
    made = buffer_ok(&out) ? json_string(out.data) : NULL;
    buffer_free(&out);
    return made;
}

static int transparency_record(json_t *root, const json_t *found) {
    json_t *record = json_object_get(found, "record");
    json_t *date = page_date(json_object_get(record, "signed_at"));
    int failed = 0;

    if (json_is_object(record) && date) {
        failed = json_object_set(record, "signed_on", date) |
                 json_object_set(root, "record", record);
    }
    json_decref(date);
    return failed;
}

static int transparency_data(const struct exchange *x, json_t *root,
                             const json_t *found) {
    json_t *as_of = page_date(json_object_get(found, "as_of"));
    int failed =
        json_object_set(root, "as_of", as_of) |
        json_object_set_new(root, "languages_checked",
                            transparency_languages(json_object_get(found, "languages"))) |
        json_object_set(root, "appeal_days", json_object_get(found, "appeal_days")) |
        json_object_set_new(
            root, "incentive",
            json_boolean(json_is_object(json_object_get(found, "incentive")))) |
        json_object_set(root, "stars", json_object_get(found, "by_stars")) |
        json_object_set(root, "total", json_object_get(found, "reviews")) |
        transparency_holds(x, root, found) | transparency_grounds(x, root, found) |
        transparency_complaints(x, root, found) | transparency_record(root, found);

    json_decref(as_of);
    return failed || page_words(x, root, "transparency") ||
           page_word(x, root, "heading", "page.transparency.title", root);
}

static int transparency_page(struct exchange *x, const json_t *found) {
    json_t *root = page_root(x);

    if (!root || transparency_data(x, root, found)) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, 200, "transparency", root);
}

static int transparency_ask(const struct exchange *x, json_t **found) {
    struct db_params p;
    struct error error = {0};

    db_params_open(&p);
    db_add_text(&p, x->store->name);
    int code = store_ask(x->store, "SELECT vouch.transparency($1)", &p, x->deadline_us,
                         found, &error);
    db_params_free(&p);
    return code ? exchange_fault(x, code, &error) : *found ? 0 : 404;
}

static bool transparency_as_json(const struct exchange *x) {
    const char *format = query_get(&x->query, "format");
    const char *accept = exchange_header(x, "accept");

    return format ? strcmp(format, "json") == 0
                  : *accept && header_accept(accept, "application/json") >
                                   header_accept(accept, "text/html");
}

int transparency_serve(struct exchange *x) {
    json_t *found = NULL;
    int status = transparency_ask(x, &found);

    exchange_localize(x, NULL);
    if (!status) {
        status = transparency_as_json(x) ? answer_json(x, 200, json_incref(found))
                                         : transparency_page(x, found);
    }
    json_decref(found);
    if (!status && header_set(x->answer_headers, "vary", "accept, accept-language")) {
        status = 500;
    }
    if (!status) {
        answer_tag(x);
    }
    return status;
}
