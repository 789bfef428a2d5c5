/* SPDX-License-Identifier: MIT */
/* Fields are named one by one: what the tables gain later does not leak out here. */
#include "web/storefront.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "web/answer.h"
#include "web/header.h"
#include "web/storefront_page.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MOST = 100, CURSOR_MOST = 60 };

struct storefront {
    bool after;
    int64_t at_us, id; /* the last one of the page before */
    int64_t limit;
};

/* Digits alone, at most that many. -1 for anything else. */
static int64_t storefront_number(const char *text, size_t most) {
    int64_t value = 0;
    size_t n = strlen(text);

    if (n == 0 || n > most || strspn(text, "0123456789") != n) {
        return -1;
    }
    for (; *text; text++) {
        value = value * 10 + (*text - '0');
    }
    return value;
}

static bool storefront_cursor_read(const char *text, struct storefront *asked) {
    size_t size = 0;
    char *plain =
        strlen(text) <= CURSOR_MOST ? crypto_unbase64(text, strlen(text), &size) : NULL;
    char *dot = plain && strlen(plain) == size ? strchr(plain, '.') : NULL;

    if (dot) {
        *dot = '\0';
        asked->at_us = storefront_number(plain, 18);
        asked->id = storefront_number(dot + 1, 18);
        asked->after =
            asked->at_us >= 0 && asked->at_us <= CLOCK_MOST_US && asked->id >= 0;
    }
    memory_free(plain);
    return asked->after;
}

static json_t *storefront_cursor(const json_t *last) {
    const char *at = json_string_value(json_object_get(last, "published_at"));
    int64_t us = 0;
    char plain[48], text[CRYPTO_BASE64URL_SIZE(sizeof plain)];

    if (!at || clock_parse(at, strlen(at), &us)) {
        return NULL;
    }
    int n = snprintf(plain, sizeof plain, "%" PRId64 ".%lld", us,
                     (long long)json_integer_value(json_object_get(last, "review_id")));
    crypto_base64url(plain, (size_t)n, text);
    return json_string(text);
}

static int storefront_asked(const struct exchange *x, struct storefront *asked) {
    const char *limit = query_get(&x->query, "limit");
    const char *cursor = query_get(&x->query, "cursor");

    *asked = (struct storefront){.limit = LIMIT_DEFAULT};
    if (limit) {
        asked->limit = storefront_number(limit, 3);
        if (asked->limit < 1 || asked->limit > LIMIT_MOST) {
            return -1;
        }
    }
    return cursor && !storefront_cursor_read(cursor, asked) ? -1 : 0;
}

static int storefront_ask(const struct exchange *x, const struct storefront *asked,
                          json_t **found) {
    struct db_params p;
    struct error error = {0};

    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_text(&p, x->argument);
    if (asked->after) {
        db_add_time(&p, asked->at_us);
        db_add_int(&p, asked->id);
    } else {
        db_add_null(&p);
        db_add_null(&p);
    }
    db_add_int(&p, asked->limit + 1);
    int code = store_ask(x->store,
                         "SELECT vouch.storefront_reviews($1, $2, $3, $4, $5::integer)",
                         &p, x->deadline_us, found, &error);
    db_params_free(&p);
    return code ? exchange_fault(x, code, &error) : 0;
}

static json_t *storefront_fields(const json_t *from, const char *const names[],
                                 size_t count) {
    json_t *made = json_object();

    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(from, names[i]);
        if (json_object_set_new(made, names[i],
                                value ? json_incref(value) : json_null())) {
            json_decref(made);
            return NULL;
        }
    }
    return made;
}

static json_t *storefront_answer(const struct exchange *x, const struct storefront *asked,
                                 const json_t *found) {
    static const char *const summary[] = {"count", "average", "histogram"};
    static const char *const review[] = {
        "review_id",    "rating",   "title",   "body",          "author",
        "locale",       "verified", "labels",  "experience_at", "written_at",
        "published_at", "edited",   "invited", "incentivised",  "refunded"};
    const json_t *rows = json_object_get(found, "reviews");
    size_t count = json_array_size(rows);
    bool more = count > (size_t)asked->limit;
    json_t *list = json_array(), *next;

    count = more ? (size_t)asked->limit : count;
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, storefront_fields(json_array_get(rows, i), review,
                                                      sizeof review / sizeof *review));
    }
    next = more ? storefront_cursor(json_array_get(rows, count - 1)) : json_null();
    if (json_array_size(list) != count) {
        json_decref(list);
        list = NULL;
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "product_id", x->argument, "summary",
                     storefront_fields(json_object_get(found, "summary"), summary,
                                       sizeof summary / sizeof *summary),
                     "reviews", list, "next", next);
}

enum storefront_form { FORM_JSON, FORM_HTML, FORM_PAGE, FORM_UNKNOWN };

static enum storefront_form storefront_form(const struct exchange *x) {
    static const char *const names[] = {
        [FORM_JSON] = "json", [FORM_HTML] = "html", [FORM_PAGE] = "page"};
    const char *format = query_get(&x->query, "format");
    const char *accept = exchange_header(x, "accept");

    if (!format) {
        bool html = *accept && header_accept(accept, "text/html") >
                                   header_accept(accept, "application/json");
        bool whole = strcmp(exchange_header(x, "sec-fetch-dest"), "document") == 0;
        return html ? whole ? FORM_PAGE : FORM_HTML : FORM_JSON;
    }
    int i = FORM_JSON;
    while (i < FORM_UNKNOWN && strcmp(format, names[i]) != 0) {
        i++;
    }
    return (enum storefront_form)i;
}

static int storefront_refuse(struct exchange *x, const char *what) {
    return answer_problem(x, 400, "", what);
}

int storefront_reviews(struct exchange *x) {
    struct storefront asked;
    enum storefront_form form = storefront_form(x);
    json_t *found = NULL, *answer = NULL;
    int status;

    if (strlen(x->argument) > EXCHANGE_ID_MOST) {
        return 404;
    }
    if (form == FORM_UNKNOWN) {
        return storefront_refuse(x, "format is json, html or page");
    }
    if (storefront_asked(x, &asked)) {
        return storefront_refuse(x, "limit is 1 to 100, cursor is what next gave");
    }
    status = storefront_ask(x, &asked, &found);
    if (!status) {
        answer = storefront_answer(x, &asked, found);
        status = answer ? 0 : 500;
    }
    if (!status && form == FORM_JSON) {
        status = answer_json(x, 200, json_incref(answer));
    } else if (!status) {
        const char *name = json_string_value(json_object_get(found, "product"));
        status = storefront_page(x, answer, name ? name : x->argument, form == FORM_PAGE);
    }
    json_decref(answer);
    json_decref(found);
    if (!status) {
        status = header_set(x->answer_headers, "vary",
                            "accept, accept-language, sec-fetch-dest")
                     ? 500
                     : 0;
        answer_tag(x);
    }
    return status;
}

/* For a place inside <script>: no markup, and no line ends that old parsers trip over. */
static int storefront_inert(struct exchange *x, json_t *value) {
    static const struct {
        const char *text, *escape;
    } escapes[] = {{"<", "\\u003c"},
                   {">", "\\u003e"},
                   {"&", "\\u0026"},
                   {"\xe2\x80\xa8", "\\u2028"},
                   {"\xe2\x80\xa9", "\\u2029"}};
    char *text = json_write(value);
    struct buffer out;

    buffer_init(&out, EXCHANGE_ANSWER_MOST);
    for (const char *at = text; at && *at;) {
        size_t i = 0, most = sizeof escapes / sizeof *escapes;
        while (i < most && strncmp(at, escapes[i].text, strlen(escapes[i].text)) != 0) {
            i++;
        }
        if (i < most) {
            buffer_text(&out, escapes[i].escape);
            at += strlen(escapes[i].text);
        } else {
            buffer_char(&out, *at++);
        }
    }
    int status = text && buffer_ok(&out)
                     ? answer_bytes(x, 200, "application/ld+json; charset=utf-8",
                                    out.data, out.length)
                     : 500;
    buffer_free(&out);
    memory_free(text);
    json_decref(value);
    return status;
}

int storefront_rating(struct exchange *x) {
    const struct storefront asked = {.limit = 0};
    json_t *found = NULL;
    char average[16];

    if (strlen(x->argument) > EXCHANGE_ID_MOST) {
        return 404;
    }
    int status = storefront_ask(x, &asked, &found);
    const json_t *summary = json_object_get(found, "summary");
    json_t *count = json_object_get(summary, "count");
    if (!status && json_integer_value(count) == 0) {
        status = answer_bytes(x, 404, "application/ld+json; charset=utf-8", "", 0);
    } else if (!status) {
        snprintf(average, sizeof average, "%.2f",
                 json_number_value(json_object_get(summary, "average")));
        status = storefront_inert(
            x, json_pack("{s:s, s:s, s:s, s:O, s:{s:s, s:s, s:O, s:O, s:i, s:i}}",
                         "@context", "https://schema.org", "@type", "Product", "sku",
                         x->argument, "name", json_object_get(found, "product"),
                         "aggregateRating", "@type", "AggregateRating", "ratingValue",
                         average, "ratingCount", count, "reviewCount", count,
                         "bestRating", 5, "worstRating", 1));
    }
    json_decref(found);
    if (!status && x->status == 200) {
        answer_tag(x);
    }
    return status;
}
