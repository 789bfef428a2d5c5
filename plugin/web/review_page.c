/* SPDX-License-Identifier: MIT */
/* The same template as in the list, so that badge, disclosure and date come along. */
#include "web/review_page.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "request/link.h"
#include "web/answer.h"
#include "web/cursor.h"
#include "web/escape.h"
#include "web/header.h"
#include "web/page.h"
#include "web/storefront_page.h"

enum { ID_DIGITS = 18, META_MOST = 2048, META_SHOWN = 200 };

static int review_meta(json_t *metas, const char *property, const char *content) {
    if (!content || !*content) {
        return 0;
    }
    return json_array_append_new(
        metas, json_pack("{s:s, s:s}", "property", property, "content", content));
}

/* The words, cut at a character; the stars where there are none. */
static int review_described(json_t *metas, const json_t *shown) {
    const char *body = json_string_value(json_object_get(shown, "body"));
    const char *title = json_string_value(json_object_get(shown, "title"));
    const char *stars = json_string_value(json_object_get(shown, "stars"));
    const char *text = body ? body : title ? title : "";
    size_t n = strlen(text), at = 0, shownn = 0;
    int32_t c;

    while (at < n && shownn < META_SHOWN) {
        int step = text_decode(text + at, n - at, &c);
        if (step < 0) {
            break;
        }
        at += (size_t)step;
        shownn++;
    }
    return json_array_append_new(
        metas, json_pack("{s:s, s:o}", "property", "og:description", "content",
                         json_sprintf("%s%s%.*s%s", stars ? stars : "", at ? " – " : "",
                                      (int)at, text, at < n ? "…" : "")));
}

static int review_metas(const struct exchange *x, json_t *root, const json_t *product,
                        const json_t *shown) {
    json_t *metas = json_array();
    const char *name = json_string_value(json_object_get(product, "name"));
    const char *image =
        escape_url(json_string_value(json_object_get(product, "image_url")));
    const char *url = json_string_value(json_object_get(shown, "share_url"));
    const char *title = json_string_value(json_object_get(root, "heading"));

    return json_object_set_new(root, "metas", metas) |
           review_meta(metas, "og:type", "article") |
           review_meta(metas, "og:title", title ? title : name) |
           review_described(metas, shown) |
           review_meta(metas, "og:url", escape_url(url)) |
           review_meta(metas, "og:image", image) |
           review_meta(metas, "og:locale", x->locale) |
           review_meta(metas, "og:site_name",
                       x->settings ? settings_text(x->settings, "name") : "");
}

static int review_data(const struct exchange *x, json_t *root, const json_t *found) {
    const json_t *product = json_object_get(found, "product");
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";
    const char *url = escape_url(json_string_value(json_object_get(product, "url")));
    const char *id = json_string_value(json_object_get(found, "product_id"));
    json_t *shown = storefront_shown(x, json_object_get(found, "review"));
    char *all = link_page(base, "/products/", id ? id : "", "/reviews?format=page");
    int failed =
        !shown || !all || json_object_set(root, "review", shown) ||
        json_object_set_new(root, "alone", json_true()) ||
        json_object_set_new(root, "all_url", json_string(all)) ||
        json_object_set_new(root, "product",
                            json_pack("{s:O, s:s*}", "name",
                                      json_object_get(product, "name"), "url", url)) ||
        json_object_set(root, "canonical", json_object_get(shown, "share_url")) ||
        page_words(x, root, "reviews") ||
        page_word(x, root, "heading", "page.reviews.one", root) ||
        review_metas(x, root, product, shown);

    memory_free(all);
    json_decref(shown);
    return failed;
}

static int review_ask(const struct exchange *x, int64_t id, json_t **found) {
    struct db_params p;
    struct error error = {0};

    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_int(&p, id);
    int code = store_ask(x->store, "SELECT vouch.storefront_review($1, $2)", &p,
                         x->deadline_us, found, &error);
    db_params_free(&p);
    return code ? exchange_fault(x, code, &error) : *found ? 0 : 404;
}

int review_page_serve(struct exchange *x) {
    int64_t id = cursor_number(x->argument, ID_DIGITS);
    json_t *found = NULL, *root = NULL;
    int status = id > 0 ? review_ask(x, id, &found) : 404;

    exchange_localize(x, NULL);
    if (!status) {
        root = page_root(x);
        status = root && !review_data(x, root, found) ? 0 : 500;
    }
    json_decref(found);
    if (status) {
        json_decref(root);
        return status;
    }
    status = page_answer(x, 200, "review", root);
    if (!status && header_set(x->answer_headers, "vary", "accept-language")) {
        status = 500;
    }
    if (!status) {
        answer_tag(x);
    }
    return status;
}
