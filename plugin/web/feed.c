/* SPDX-License-Identifier: MIT */
/* The elements stand in the order of the schema. Google wants words with every review: one
   of stars alone says its stars. */
#include "web/feed.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "request/link.h"
#include "web/answer.h"
#include "web/cursor.h"
#include "web/escape.h"
#include "web/header.h"

#define FEED_SCHEMA                                                                      \
    "http://www.google.com/shopping/reviews/schema/product/2.4/product_reviews.xsd"

enum { FEED_PIECE = 100, FEED_TARGET = 400, GTIN_LEAST = 8, GTIN_MOST = 14 };

struct feed {
    bool since, after;
    int64_t since_us, until_us;
    struct cursor cursor;
};

static bool feed_time(const struct exchange *x, const char *name, bool *has,
                      int64_t *us) {
    const char *text = query_get(&x->query, name);

    *has = text != NULL;
    return !text || clock_parse(text, strlen(text), us) == 0;
}

static const char *feed_asked(const struct exchange *x, struct feed *feed) {
    const char *after = query_get(&x->query, "after");
    bool until;

    if (!feed_time(x, "since", &feed->since, &feed->since_us)) {
        return "since is a time like 2026-11-01T10:00:00Z";
    }
    feed->after = after != NULL;
    if (!feed_time(x, "until", &until, &feed->until_us) ||
        (after && (!cursor_read(after, &feed->cursor) || !until)) || (!after && until)) {
        return "after and until are what next gave";
    }
    return NULL;
}

static void feed_add_time(struct db_params *p, bool has, int64_t us) {
    if (has) {
        db_add_time(p, us);
    } else {
        db_add_null(p);
    }
}

static int feed_ask(const struct exchange *x, const struct feed *feed, json_t **found) {
    struct db_params p;
    struct error error = {0};

    db_params_open(&p);
    db_add_text(&p, x->store->name);
    feed_add_time(&p, feed->since, feed->since_us);
    feed_add_time(&p, feed->after, feed->until_us);
    feed_add_time(&p, feed->after, feed->cursor.at_us);
    if (feed->after) {
        db_add_int(&p, feed->cursor.id);
    } else {
        db_add_null(&p);
    }
    db_add_int(&p, FEED_PIECE + 1);
    int code =
        store_ask(x->store, "SELECT vouch.feed_reviews($1, $2, $3, $4, $5, $6::integer)",
                  &p, x->deadline_us, found, &error);
    db_params_free(&p);
    return code ? exchange_fault(x, code, &error) : 0;
}

static const char *feed_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* Nothing for an empty text. tag may have attributes. */
static void feed_element(struct buffer *out, const char *tag, const char *text) {
    if (*text) {
        buffer_format(out, "<%s>", tag);
        escape_xml(out, text);
        buffer_format(out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
    }
}

static void feed_page(const struct exchange *x, struct buffer *out, const char *tag,
                      const char *path, const char *segment, const char *rest) {
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";
    char *url = link_page(base, path, segment, rest);

    if (url) {
        feed_element(out, tag, url);
    } else {
        out->failed = true;
    }
    memory_free(url);
}

static bool feed_is_gtin(const char *text) {
    size_t n = strlen(text);
    return n >= GTIN_LEAST && n <= GTIN_MOST && strspn(text, "0123456789") == n;
}

static void feed_product(const struct exchange *x, struct buffer *out,
                         const json_t *review) {
    const json_t *product = json_object_get(review, "product");
    const char *id = feed_text(review, "product_id");
    const char *gtin = feed_text(product, "gtin"), *brand = feed_text(product, "brand");
    const char *url = escape_url(feed_text(product, "url"));

    buffer_text(out, "<products>\n<product>\n<product_ids>\n");
    if (feed_is_gtin(gtin)) {
        buffer_format(out, "<gtins><gtin>%s</gtin></gtins>\n", gtin);
    }
    buffer_text(out, "<skus>");
    feed_element(out, "sku", id);
    buffer_text(out, "</skus>\n");
    if (*brand) {
        buffer_text(out, "<brands>");
        feed_element(out, "brand", brand);
        buffer_text(out, "</brands>\n");
    }
    buffer_text(out, "</product_ids>\n");
    feed_element(out, "product_name", feed_text(product, "name"));
    if (url) {
        feed_element(out, "product_url", url);
    } else {
        feed_page(x, out, "product_url", "/products/", id, "/reviews");
    }
    buffer_text(out, "</product>\n</products>\n");
}

static void feed_words(struct buffer *out, const json_t *review) {
    const char *title = feed_text(review, "title"), *body = feed_text(review, "body");
    int rating = (int)json_integer_value(json_object_get(review, "rating"));
    char stars[5 * 3 + 1] = "";

    for (int i = 1; i <= 5; i++) {
        memcpy(stars + strlen(stars), i <= rating ? "\xe2\x98\x85" : "\xe2\x98\x86", 4);
    }
    if (*body) {
        feed_element(out, "title", title);
    }
    feed_element(out, "content", *body ? body : *title ? title : stars);
    feed_element(out, "review_language", feed_text(review, "locale"));
}

static void feed_review(const struct exchange *x, struct buffer *out,
                        const json_t *review) {
    static const struct {
        const char *tag, *member;
    } flags[] = {{"is_verified_purchase", "verified"},
                 {"is_incentivized_review", "incentivised"}};
    const char *author = feed_text(review, "author");
    char id[24];

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(review, "review_id")));
    buffer_text(out, "<review>\n");
    feed_element(out, "review_id", id);
    buffer_text(out, "<reviewer>");
    feed_element(out, *author ? "name" : "name is_anonymous=\"true\"",
                 *author ? author : "Anonymous");
    buffer_text(out, "</reviewer>\n");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool set = json_is_true(json_object_get(review, flags[i].member));
        feed_element(out, flags[i].tag, set ? "true" : "false");
    }
    feed_element(out, "review_timestamp", feed_text(review, "written_at"));
    feed_words(out, review);
    feed_page(x, out, "review_url type=\"singleton\"", "/reviews/", id, "");
    buffer_format(out, "<ratings><overall min=\"1\" max=\"5\">%lld</overall></ratings>\n",
                  (long long)json_integer_value(json_object_get(review, "rating")));
    feed_product(x, out, review);
    feed_element(out, "is_spam", "false");
    feed_element(out, "collection_method",
                 json_is_true(json_object_get(review, "invited")) ? "post_fulfillment"
                                                                  : "unsolicited");
    buffer_text(out, "</review>\n");
}

static void feed_open(const struct exchange *x, struct buffer *out) {
    const char *name = x->settings ? settings_text(x->settings, "name") : "";

    buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed "
                     "xmlns:vc=\"http://www.w3.org/2007/XMLSchema-versioning\" "
                     "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                     "xsi:noNamespaceSchemaLocation=\"" FEED_SCHEMA "\">\n"
                     "<version>2.4</version>\n<publisher>");
    feed_element(out, "name", *name ? name : x->store->name);
    buffer_text(out, "</publisher>\n");
}

/* The target of the following piece; kept with the exchange. */
static int feed_next(struct exchange *x, const struct feed *feed, const json_t *found,
                     const json_t *last) {
    json_t *cursor = cursor_write(last, "shown_at", "review_id");
    struct buffer out;

    buffer_init(&out, FEED_TARGET);
    buffer_format(&out, "/feeds/product-ratings.xml?after=%s&until=",
                  cursor ? json_string_value(cursor) : "");
    query_escape(&out,
                 feed->after ? query_get(&x->query, "until") : feed_text(found, "until"));
    if (feed->since) {
        buffer_text(&out, "&since=");
        query_escape(&out, query_get(&x->query, "since"));
    }
    x->next = cursor && buffer_ok(&out) ? json_string(out.data) : NULL;
    buffer_free(&out);
    json_decref(cursor);
    return x->next ? 0 : 500;
}

static int feed_answer(struct exchange *x, const struct feed *feed, const json_t *found) {
    const json_t *reviews = json_object_get(found, "reviews");
    size_t count = json_array_size(reviews);
    bool more = count > FEED_PIECE, listed = count > 0 || feed->after;
    struct buffer out;
    int status = 0;

    buffer_init(&out, EXCHANGE_ANSWER_MOST);
    if (!feed->after) {
        feed_open(x, &out);
        buffer_text(&out, listed ? "<reviews>\n" : "");
    }
    for (size_t i = 0; i < count && i < FEED_PIECE; i++) {
        feed_review(x, &out, json_array_get(reviews, i));
    }
    if (more) {
        status = feed_next(x, feed, found, json_array_get(reviews, FEED_PIECE - 1));
    } else {
        buffer_text(&out, listed ? "</reviews>\n</feed>\n" : "</feed>\n");
    }
    if (!status) {
        status = buffer_ok(&out) ? answer_bytes(x, 200, "application/xml; charset=utf-8",
                                                out.data, out.length)
                                 : 500;
    }
    buffer_free(&out);
    return status;
}

int feed_serve(struct exchange *x) {
    struct feed feed = {0};
    json_t *found = NULL;
    const char *wrong = feed_asked(x, &feed);

    if (wrong) {
        return answer_problem(x, 400, "", wrong);
    }
    int status = feed_ask(x, &feed, &found);
    if (!status) {
        status = feed_answer(x, &feed, found);
    }
    json_decref(found);
    return status;
}
