/* SPDX-License-Identifier: MIT */
/* Fields are named one by one: what the tables gain later does not leak out here. */
#include "web/storefront.h"

#include <string.h>

#include "base/error.h"
#include "web/answer.h"
#include "web/cursor.h"
#include "web/header.h"
#include "web/storefront_page.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MOST = 100, STARS = 5, LANGUAGE_MOST = 8 };

/* "4" or "1,2": a set of stars, each once. 0 when it is none. */
static unsigned storefront_stars(const char *text) {
    unsigned set = 0;

    for (const char *c = text;; c += 2) {
        unsigned bit = *c >= '1' && *c <= '0' + STARS ? 1U << (*c - '0') : 0;
        if (!bit || (set & bit) || (c[1] && c[1] != ',')) {
            return 0;
        }
        set |= bit;
        if (!c[1]) {
            return set;
        }
    }
}

/* "lv", also of "lv-LV"; small letters. */
static bool storefront_language(const char *text, char out[LANGUAGE_MOST + 1]) {
    size_t n = strcspn(text, "-_");

    if (n < 2 || n > LANGUAGE_MOST) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
        if (c < 'a' || c > 'z') {
            return false;
        }
        out[i] = c;
    }
    out[n] = '\0';
    return true;
}

static const char *storefront_filters(const struct exchange *x,
                                      struct storefront_asked *asked) {
    const char *stars = query_get(&x->query, "stars");
    const char *language = query_get(&x->query, "language");
    const char *verified = query_get(&x->query, "verified");

    if (stars && !(asked->stars = storefront_stars(stars))) {
        return "stars is one of 1 to 5, or several with commas between";
    }
    if (language && !storefront_language(language, asked->language)) {
        return "language is a code like lv";
    }
    if (verified) {
        asked->verified = strcmp(verified, "true") == 0    ? STOREFRONT_YES
                          : strcmp(verified, "false") == 0 ? STOREFRONT_NO
                                                           : STOREFRONT_EITHER;
    }
    return verified && !asked->verified ? "verified is true or false" : NULL;
}

/* What is wrong with the question, NULL when nothing. */
static const char *storefront_asked(const struct exchange *x,
                                    struct storefront_asked *asked) {
    const char *limit = query_get(&x->query, "limit");
    const char *cursor = query_get(&x->query, "cursor");

    *asked = (struct storefront_asked){.limit = LIMIT_DEFAULT};
    asked->limit = limit ? cursor_number(limit, 3) : LIMIT_DEFAULT;
    if (asked->limit < 1 || asked->limit > LIMIT_MOST) {
        return "limit is 1 to 100";
    }
    asked->after = cursor != NULL;
    if (cursor && !cursor_read(cursor, &asked->cursor)) {
        return "cursor is what next gave";
    }
    return storefront_filters(x, asked);
}

static void storefront_add_filters(struct db_params *p,
                                   const struct storefront_asked *asked) {
    struct db_array stars;

    if (asked->stars) {
        db_array_open(&stars, DB_INT);
        for (int i = 1; i <= STARS; i++) {
            if (asked->stars & (1U << i)) {
                db_array_int(&stars, i);
            }
        }
        db_add_array(p, &stars);
    } else {
        db_add_null(p);
    }
    db_add_text(p, *asked->language ? asked->language : NULL);
    if (asked->verified) {
        db_add_bool(p, asked->verified == STOREFRONT_YES);
    } else {
        db_add_null(p);
    }
}

int storefront_ask(const struct exchange *x, const struct storefront_asked *asked,
                   json_t **found) {
    struct db_params p;
    struct error error = {0};

    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_text(&p, x->argument);
    if (asked->after) {
        db_add_time(&p, asked->cursor.at_us);
        db_add_int(&p, asked->cursor.id);
    } else {
        db_add_null(&p);
        db_add_null(&p);
    }
    db_add_int(&p, asked->limit + 1);
    storefront_add_filters(&p, asked);
    int code = store_ask(
        x->store,
        "SELECT vouch.storefront_reviews($1, $2, $3, $4, $5::integer, $6, $7, $8)", &p,
        x->deadline_us, found, &error);
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

static json_t *storefront_answer(const struct exchange *x,
                                 const struct storefront_asked *asked,
                                 const json_t *found) {
    static const char *const summary[] = {"count", "average", "histogram"};
    static const char *const review[] = {
        "review_id",     "rating",       "title",        "body",
        "author",        "locale",       "verified",     "labels",
        "experience_at", "written_at",   "published_at", "edited",
        "invited",       "incentivised", "refunded",     "reply"};
    const json_t *rows = json_object_get(found, "reviews");
    size_t count = json_array_size(rows);
    bool more = count > (size_t)asked->limit;
    json_t *list = json_array(), *next;

    count = more ? (size_t)asked->limit : count;
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, storefront_fields(json_array_get(rows, i), review,
                                                      sizeof review / sizeof *review));
    }
    next =
        more ? cursor_write(json_array_get(rows, count - 1), "published_at", "review_id")
             : json_null();
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
    struct storefront_asked asked;
    const char *wrong;
    enum storefront_form form = storefront_form(x);
    json_t *found = NULL, *answer = NULL;
    int status;

    if (strlen(x->argument) > EXCHANGE_ID_MOST) {
        return 404;
    }
    if (form == FORM_UNKNOWN) {
        return storefront_refuse(x, "format is json, html or page");
    }
    wrong = storefront_asked(x, &asked);
    if (wrong) {
        return storefront_refuse(x, wrong);
    }
    status = storefront_ask(x, &asked, &found);
    if (!status) {
        answer = storefront_answer(x, &asked, found);
        status = answer ? 0 : 500;
    }
    if (!status && form == FORM_JSON) {
        status = answer_json(x, 200, json_incref(answer));
    } else if (!status) {
        status = storefront_page(x, answer, json_object_get(found, "product"), &asked,
                                 form == FORM_PAGE);
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
