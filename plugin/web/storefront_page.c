/* SPDX-License-Identifier: MIT */
/* Badge, disclosure and date of experience stand in one template beside the words, so that
   none can be shown without the others. */
#include "web/storefront_page.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "request/link.h"
#include "web/escape.h"
#include "web/page.h"

enum { STARS = 5, SUMMARY_COUNT = 24, REST_MOST = 256 };

/* base_url, path, an escaped segment and what follows it: a link from wherever the
   fragment stands. */
static json_t *storefront_link(const struct exchange *x, const char *path,
                               const char *segment, const char *rest) {
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";
    char *url = link_page(base, path, segment, rest);
    json_t *made = json_string(url ? url : "");

    memory_free(url);
    return made;
}

static bool storefront_has(const json_t *review, const char *name) {
    return json_is_true(json_object_get(review, name));
}

static bool storefront_labelled(const json_t *review, const char *label) {
    const json_t *labels = json_object_get(review, "labels");

    for (size_t i = 0; i < json_array_size(labels); i++) {
        const char *text = json_string_value(json_array_get(labels, i));
        if (text && strcmp(text, label) == 0) {
            return true;
        }
    }
    return false;
}

/* "Date of experience: 2026-11-04", as the catalogue puts it. */
static int storefront_dated(const struct exchange *x, json_t *shown, const json_t *review,
                            const char *name, const char *time, const char *key) {
    json_t *date = page_date(json_object_get(review, time));
    json_t *data = date ? json_pack("{s:O}", "date", date) : NULL;
    int failed = data ? page_word(x, shown, name, key, data) : 0;

    json_decref(data);
    json_decref(date);
    return failed;
}

/* *****: filled ones and empty ones, for templates. */
static int storefront_stars(const struct exchange *x, json_t *shown,
                            const json_t *review) {
    int rating = (int)json_integer_value(json_object_get(review, "rating"));
    char filled[STARS * 3 + 1] = "", empty[STARS * 3 + 1] = "";
    json_t *data = json_pack("{s:i}", "rating", rating);

    for (int i = 1; i <= STARS; i++) {
        char *end = i <= rating ? filled : empty;
        memcpy(end + strlen(end), "\xe2\x98\x85", 4);
    }
    int failed = json_object_set_new(shown, "filled", json_string(filled)) |
                 json_object_set_new(shown, "empty", json_string(empty)) |
                 page_word(x, shown, "stars", "page.reviews.stars", data);
    json_decref(data);
    return failed;
}

static int storefront_links(const struct exchange *x, json_t *shown,
                            const json_t *review) {
    char id[24];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(review, "review_id")));
    return json_object_set_new(shown, "share_url",
                               storefront_link(x, "/reviews/", id, "")) |
           json_object_set_new(shown, "report_url",
                               storefront_link(x, "/reviews/", id, "/report"));
}

static int storefront_replied(const struct exchange *x, json_t *shown,
                              const json_t *review) {
    json_t *reply = json_object_get(review, "reply");
    json_t *made;
    int failed;

    if (!json_is_object(reply)) {
        return 0;
    }
    made = json_pack("{s:O?}", "body", json_object_get(reply, "body"));
    failed = !made || storefront_dated(x, made, reply, "replied", "replied_at",
                                       "page.reviews.replied");
    return failed ? (json_decref(made), -1) : json_object_set_new(shown, "reply", made);
}

json_t *storefront_shown(const struct exchange *x, const json_t *review) {
    bool verified = storefront_has(review, "verified");
    json_t *shown = json_pack(
        "{s:O, s:O, s:O, s:O, s:O, s:b, s:b, s:b, s:b}", "review_id",
        json_object_get(review, "review_id"), "title", json_object_get(review, "title"),
        "body", json_object_get(review, "body"), "author",
        json_object_get(review, "author"), "locale", json_object_get(review, "locale"),
        "verified", verified, "incentivised", storefront_has(review, "incentivised"),
        "refunded", storefront_has(review, "refunded"), "staff",
        storefront_labelled(review, "insider"));
    int failed = !shown || storefront_stars(x, shown, review) ||
                 storefront_dated(x, shown, review, "experienced", "experience_at",
                                  "page.reviews.experienced") ||
                 storefront_dated(x, shown, review, "reviewed", "published_at",
                                  "page.reviews.reviewed") ||
                 (storefront_has(review, "edited") &&
                  storefront_dated(x, shown, review, "edited", "written_at",
                                   "page.reviews.edited")) ||
                 storefront_replied(x, shown, review) ||
                 storefront_links(x, shown, review);
    if (failed) {
        json_decref(shown);
        return NULL;
    }
    return shown;
}

/* The page with these stars alone (0: all), other filters kept. */
static json_t *storefront_filtered(const struct exchange *x,
                                   const struct storefront_asked *asked, int stars,
                                   const char *cursor) {
    struct buffer rest;
    json_t *made;

    buffer_init(&rest, REST_MOST);
    buffer_format(&rest, "/reviews?format=page&lang=%s", x->locale);
    for (int i = 1, first = 1; i <= STARS; i++) {
        if (stars == i || (stars < 0 && (asked->stars & (1U << i)))) {
            buffer_format(&rest, "%s%d", first ? "&stars=" : ",", i);
            first = 0;
        }
    }
    if (*asked->language) {
        buffer_format(&rest, "&language=%s", asked->language);
    }
    if (asked->verified) {
        buffer_format(&rest, "&verified=%s",
                      asked->verified == STOREFRONT_YES ? "true" : "false");
    }
    if (cursor) {
        buffer_format(&rest, "&cursor=%s", cursor);
    }
    made = buffer_ok(&rest) ? storefront_link(x, "/products/", x->argument, rest.data)
                            : NULL;
    buffer_free(&rest);
    return made;
}

/* A bar for each number of stars, low ones like high ones, each a link to its reviews. */
static int storefront_bars(const struct exchange *x, json_t *root,
                           const struct storefront_asked *asked, const json_t *summary) {
    const json_t *histogram = json_object_get(summary, "histogram");
    json_t *bars = json_array();
    int failed = json_object_set_new(root, "bars", bars);

    for (int i = STARS; !failed && i > 0; i--) {
        json_t *data = json_pack("{s:i}", "rating", i);
        failed = json_array_append_new(
            bars, json_pack("{s:i, s:O, s:O, s:o, s:o, s:b}", "rating", i, "count",
                            json_array_get(histogram, (size_t)i - 1), "most",
                            json_object_get(summary, "count"), "label",
                            page_text(x, "page.reviews.stars", data), "url",
                            storefront_filtered(x, asked, i, NULL), "current",
                            asked->stars == 1U << i));
        json_decref(data);
    }
    return failed;
}

static int storefront_summary(const struct exchange *x, json_t *root,
                              const struct storefront_asked *asked,
                              const json_t *summary) {
    json_t *average = json_object_get(summary, "average");
    char text[SUMMARY_COUNT];

    if (!json_is_number(average)) {
        return json_object_set_new(root, "none", json_true());
    }
    snprintf(text, sizeof text, "%.1f", json_number_value(average));
    return json_object_set_new(root, "average", json_string(text)) |
           json_object_set(root, "count", json_object_get(summary, "count")) |
           storefront_bars(x, root, asked, summary);
}

/* Where to go on: older ones, all of them, how they are checked. */
static int storefront_ways(const struct exchange *x, json_t *root,
                           const struct storefront_asked *asked, const json_t *answer) {
    const char *cursor = json_string_value(json_object_get(answer, "next"));
    bool filtered = asked->stars || *asked->language || asked->verified;
    const struct storefront_asked all = {.limit = 0};
    int failed = json_object_set_new(root, "checked_url",
                                     storefront_link(x, "/transparency", NULL, ""));

    if (!failed && cursor) {
        failed =
            json_object_set_new(root, "older", storefront_filtered(x, asked, -1, cursor));
    }
    if (!failed && (filtered || asked->after)) {
        failed =
            json_object_set_new(root, "all_url", storefront_filtered(x, &all, 0, NULL));
    }
    return failed | json_object_set_new(root, "filtered", json_boolean(filtered)) |
           json_object_set_new(
               root, "empty",
               json_boolean(json_array_size(json_object_get(answer, "reviews")) == 0));
}

static int storefront_root(const struct exchange *x, json_t *root, const json_t *product,
                           bool whole) {
    const char *style = query_get(&x->query, "style");
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";
    const char *url = escape_url(json_string_value(json_object_get(product, "url")));

    return json_object_set_new(root, "product",
                               json_pack("{s:O, s:s*}", "name",
                                         json_object_get(product, "name"), "url", url)) |
           json_object_set_new(root, "base", json_string(base)) |
           json_object_set_new(root, "whole", json_boolean(whole)) |
           json_object_set_new(
               root, "styled",
               json_boolean(!whole && !(style && strcmp(style, "none") == 0)));
}

int storefront_page(struct exchange *x, const json_t *answer, const json_t *product,
                    const struct storefront_asked *asked, bool whole) {
    const json_t *reviews = json_object_get(answer, "reviews");
    json_t *shown = json_array(), *root;

    exchange_localize(x, NULL);
    root = page_root(x);
    int failed = !root || json_object_set(root, "reviews", shown) ||
                 storefront_root(x, root, product, whole);
    for (size_t i = 0; !failed && i < json_array_size(reviews); i++) {
        failed =
            json_array_append_new(shown, storefront_shown(x, json_array_get(reviews, i)));
    }
    failed = failed ||
             storefront_summary(x, root, asked, json_object_get(answer, "summary")) ||
             storefront_ways(x, root, asked, answer) || page_words(x, root, "reviews") ||
             page_word(x, root, "heading", "page.reviews.title", root);
    json_decref(shown);
    if (failed) {
        json_decref(root);
        return 500;
    }
    return whole ? page_answer(x, 200, "reviews", root)
                 : page_fragment(x, 200, "reviews", root);
}
