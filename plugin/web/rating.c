/* SPDX-License-Identifier: MIT */
/* Google's rich results want a name for every author: reviews without one count, but are
   not listed. */
#include "web/rating.h"

#include <stdio.h>
#include <string.h>

#include "web/answer.h"
#include "web/escape.h"
#include "web/page.h"
#include "web/storefront.h"

enum { RATING_LOOKED_AT = 20, RATING_LISTED = 5 };

static json_t *rating_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text && *text ? json_string(text) : NULL;
}

static json_t *rating_review(const json_t *review) {
    return json_pack(
        "{s:s, s:{s:s, s:o}, s:o, s:o*, s:o*, s:o*, s:{s:s, s:O, s:i, s:i}}", "@type",
        "Review", "author", "@type", "Person", "name", rating_text(review, "author"),
        "datePublished", page_date(json_object_get(review, "published_at")), "name",
        rating_text(review, "title"), "reviewBody", rating_text(review, "body"),
        "inLanguage", rating_text(review, "locale"), "reviewRating", "@type", "Rating",
        "ratingValue", json_object_get(review, "rating"), "bestRating", 5, "worstRating",
        1);
}

/* NULL when none has an author's name. */
static json_t *rating_reviews(const json_t *reviews) {
    json_t *list = json_array();

    for (size_t i = 0;
         i < json_array_size(reviews) && json_array_size(list) < RATING_LISTED; i++) {
        const json_t *review = json_array_get(reviews, i);
        if (json_is_string(json_object_get(review, "author"))) {
            json_array_append_new(list, rating_review(review));
        }
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *rating_url(const json_t *product, const char *name) {
    const char *url = escape_url(json_string_value(json_object_get(product, name)));
    return url ? json_string(url) : NULL;
}

static json_t *rating_product(const struct exchange *x, const json_t *found) {
    const json_t *product = json_object_get(found, "product");
    const json_t *summary = json_object_get(found, "summary");
    json_t *count = json_object_get(summary, "count");
    json_t *brand = rating_text(product, "brand");
    char average[16];

    snprintf(average, sizeof average, "%.2f",
             json_number_value(json_object_get(summary, "average")));
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o*, s:o*, s:o*, s:o*, s:{s:s, s:s, s:O, s:O, s:i, s:i}, "
        "s:o*}",
        "@context", "https://schema.org", "@type", "Product", "sku", x->argument, "name",
        rating_text(product, "name"), "url", rating_url(product, "url"), "image",
        rating_url(product, "image_url"), "gtin", rating_text(product, "gtin"), "brand",
        brand ? json_pack("{s:s, s:o}", "@type", "Brand", "name", brand) : NULL,
        "aggregateRating", "@type", "AggregateRating", "ratingValue", average,
        "ratingCount", count, "reviewCount", count, "bestRating", 5, "worstRating", 1,
        "review", rating_reviews(json_object_get(found, "reviews")));
}

static int rating_answer(struct exchange *x, const json_t *found) {
    json_t *product = rating_product(x, found);
    struct buffer out;
    int status = 500;

    buffer_init(&out, EXCHANGE_ANSWER_MOST);
    escape_script(&out, product);
    if (product && buffer_ok(&out)) {
        status = answer_bytes(x, 200, "application/ld+json; charset=utf-8", out.data,
                              out.length);
    }
    buffer_free(&out);
    json_decref(product);
    if (!status) {
        answer_tag(x);
    }
    return status;
}

int rating_serve(struct exchange *x) {
    const struct storefront_asked asked = {.limit = RATING_LOOKED_AT};
    json_t *found = NULL;

    if (strlen(x->argument) > EXCHANGE_ID_MOST) {
        return 404;
    }
    int status = storefront_ask(x, &asked, &found);
    const json_t *summary = json_object_get(found, "summary");
    if (!status && json_integer_value(json_object_get(summary, "count")) == 0) {
        status = answer_bytes(x, 404, "application/ld+json; charset=utf-8", "", 0);
    } else if (!status) {
        status = rating_answer(x, found);
    }
    json_decref(found);
    return status;
}
