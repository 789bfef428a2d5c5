/* SPDX-License-Identifier: MIT */
/* One set of made-up facts serves every kind of mail. */
#include "mail/preview.h"

#include <string.h>

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

static json_t *preview_data(const char *name, const char *kind, const char *locale) {
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

const char *preview_unsubscribe_url(void) {
    return PREVIEW_PLACE "x/EXAMPLE";
}

int preview_render(const struct letter_book *book, const char *kind, const char *locale,
                   const char *store_name, struct letter *out, struct error *error) {
    json_t *data = preview_data(*store_name ? store_name : "Shop", kind, locale);
    int rc = data ? letter_render(kind, locale, book, data, out, error)
                  : error_set(error, ERROR_FAILED, "", "no memory for the preview");
    json_decref(data);
    return rc;
}
