/* SPDX-License-Identifier: MIT */
/* One set of made-up facts serves every kind of mail. */
#include "web/console_preview.h"

#include <string.h>

#include "mail/letter.h"
#include "mail/letter_book.h"

#define PREVIEW_PLACE "https://shop.example/reviews/"

/* Links that every kind may ask for. */
static int preview_links(json_t *data) {
    static const char *const names[] = {
        "form_url", "unsubscribe_url", "confirm_url",    "author_url",      "review_url",
        "case_url", "appeal_url",      "resolution_url", "transparency_url"};
    int failed = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        failed |=
            json_object_set_new(data, names[i], json_string(PREVIEW_PLACE "x/EXAMPLE"));
    }
    return failed;
}

static const char *preview_variant(const char *kind) {
    return strcmp(kind, "confirm") == 0           ? "review"
           : strcmp(kind, "report_decision") == 0 ? "kept"
                                                  : "";
}

/* Members that only some kinds read. */
static int preview_more(json_t *data) {
    json_t *more = json_pack(
        "{s:{s:{s:s}, s:i, s:s, s:s}, s:{s:s, s:s, s:s, s:s}, s:[s], s:s, s:s, s:s, "
        "s:{s:s}, s:{s:s}, s:{s:s}, s:s, s:s, s:s}",
        "review", "product", "name", "Kettle", "rating", 3, "title", "Boils fast", "body",
        "The lid gets hot.", "discount", "kind", "percent", "value", "10", "code",
        "ABCDE-12345-FG", "valid_until", "2030-01-31", "reasons", "unverified", "ground",
        "spam", "explanation", "…", "message", "…", "report", "explanation", "…", "reply",
        "body", "…", "product", "name", "Kettle", "appeal_until", "2030-07-31",
        "valid_until", "2030-01-31", "deadline", "2030-01-31");
    int failed = !more || json_object_update(data, more);

    json_decref(more);
    return failed;
}

static json_t *preview_data(const struct exchange *x, const char *kind,
                            const char *locale) {
    const char *name = x->settings ? settings_text(x->settings, "name") : "";
    json_t *data = json_pack(
        "{s:{s:s, s:s, s:s}, s:{s:s}, s:[{s:s, s:s}], s:{s:s}, s:s, s:b, s:b}", "store",
        "name", name, "url", PREVIEW_PLACE, "locale", locale, "customer", "name", "Anna",
        "lines", "name", "Kettle", "product_id", "kettle", "order", "id", "1001",
        "variant", preview_variant(kind), "automated", 0, "from_report", 0);

    if (!data || preview_links(data) || preview_more(data)) {
        json_decref(data);
        return NULL;
    }
    return data;
}

static int preview_set(json_t *page, const char *name, const struct buffer *part) {
    return json_object_set_new(page, name, json_stringn(part->data, part->length));
}

/* A row that mails would not use is refused here, with what is wrong with it. */
static int preview_letter(const json_t *rows, const char *kind, const char *locale,
                          const json_t *data, struct letter *letter,
                          struct error *error) {
    struct letter_book *book = NULL;
    int code = letter_book_open(rows, &book, error);
    const json_t *fault = code ? NULL : json_array_get(letter_book_faults(book), 0);

    if (fault) {
        const char *part = json_string_value(json_object_get(fault, "part"));
        const char *text = json_string_value(json_object_get(fault, "text"));
        code = error_set(error, ERROR_INVALID, "/set", "%s: %s", part ? part : "",
                         text ? text : "");
    }
    if (!code) {
        code = letter_render(kind, locale, book, data, letter, error);
    }
    if (!code && letter->fault.code) {
        code = error_set(error, ERROR_INVALID, "/set", "%s", letter->fault.detail);
        letter_free(letter);
    }
    letter_book_close(book);
    return code;
}

int console_preview(const struct exchange *x, json_t *page, struct error *error) {
    json_t *row = json_object_get(page, "template");
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *locale = json_string_value(json_object_get(row, "locale"));
    struct letter letter = {0};

    kind = kind ? kind : "";
    locale = locale && strcmp(locale, "*") != 0 ? locale : x->locale;
    json_t *data = preview_data(x, kind, locale);
    json_t *rows = json_pack("[O]", row);
    int code = data && rows
                   ? preview_letter(rows, kind, locale, data, &letter, error)
                   : error_set(error, ERROR_FAILED, "", "no memory for the preview");
    if (!code) {
        code = preview_set(page, "subject", &letter.subject) ||
                       preview_set(page, "text", &letter.text) ||
                       preview_set(page, "html", &letter.html) ||
                       json_object_set_new(page, "kind", json_string(kind))
                   ? error_set(error, ERROR_FAILED, "", "no memory for the preview")
                   : 0;
        letter_free(&letter);
    }
    json_decref(rows);
    json_decref(data);
    return code;
}
