/* SPDX-License-Identifier: MIT */
/* The console shows what a row makes of a mail, or why no mail would use it. */
#include "web/console_preview.h"

#include <string.h>

#include "mail/letter.h"
#include "mail/letter_book.h"
#include "mail/preview.h"

static int preview_set(json_t *page, const char *name, const struct buffer *part) {
    return json_object_set_new(page, name, json_stringn(part->data, part->length));
}

/* A row that mails would not use is refused here, with what is wrong with it. */
static int preview_letter(const struct exchange *x, const json_t *rows, const char *kind,
                          const char *locale, struct letter *letter,
                          struct error *error) {
    struct letter_book *book = NULL;
    bool codes = x->settings && settings_rows(x->settings, "discount_policy");
    const char *name = x->settings ? settings_text(x->settings, "name") : "";
    int code = letter_book_open(rows, codes, &book, error);
    const json_t *fault = code ? NULL : json_array_get(letter_book_faults(book), 0);

    if (fault) {
        const char *part = json_string_value(json_object_get(fault, "part"));
        const char *text = json_string_value(json_object_get(fault, "text"));
        code = error_set(error, ERROR_INVALID, "/set", "%s: %s", part ? part : "",
                         text ? text : "");
    }
    if (!code) {
        code = preview_render(book, kind, locale, name, letter, error);
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
    json_t *rows = json_pack("[O]", row);
    int code = rows ? preview_letter(x, rows, kind, locale, &letter, error)
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
    return code;
}
