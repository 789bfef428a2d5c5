/* SPDX-License-Identifier: MIT */
/* One walk over the data of a page; what a member is, its name says. */
#include "web/console_dress.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/locale.h"
#include "web/console_chart.h"
#include "web/page.h"

enum { DEPTH_MOST = 12, NAME_MOST = 96, MARKS_MOST = 256 };

/* Members that hold codes, and under which texts of the catalogue these are. */
static const struct {
    const char *name, *prefix;
} codes[] = {
    {"state", "page.console.state"},
    {"from_state", "page.console.state"},
    {"to_state", "page.console.state"},
    {"action", "page.console.action"},
    {"ground", "ground"},
    {"reason", "page.console.reason"},
    {"reasons", "page.console.reason"},
    {"labels", "page.console.reason"},
    {"verified_reason", "page.console.verified"},
    {"claim", "page.console.claim"},
    {"kind", "page.console.kind"},
    {"class", "page.console.class"},
    {"outcome", "page.console.outcome"},
    {"category", "page.console.category"},
    {"appellant", "page.console.appellant"},
    {"locale", "page.console.locale"},
    {"role", "page.console.role"},
    {"grant_on", "page.console.grant"},
    {"act", "page.console.act"},
    {"review_state", "page.console.state"},
    {"step", "page.console.step"},
    {"channel", "page.console.channel"},
    {"gaps", "page.console.gap"},
    {"dimension", "page.console.dimension"},
    {"result", "page.console.result"},
    {"delivery", "page.console.state"},
    {"resolution_kind", "resolution"},
    {"topic", "topic"},
};

/* Members that stand in links. */
static const char *const linked[] = {"order_id", "product_id", "customer_id", "ref"};

static int dress_name(const char *name, const char *suffix, size_t cut,
                      char out[NAME_MOST]) {
    int n = snprintf(out, NAME_MOST, "%.*s%s", (int)(strlen(name) - cut), name, suffix);
    return n < 0 || n >= NAME_MOST ? -1 : 0;
}

static int dress_code(const struct exchange *x, json_t *object, const char *name,
                      const char *prefix, const json_t *value) {
    char as[NAME_MOST];
    json_t *text = NULL;

    if (dress_name(name, "_text", 0, as)) {
        return -1;
    }
    if (json_is_string(value)) {
        text = page_code(x, prefix, json_string_value(value));
    } else if (json_is_array(value)) {
        text = json_array();
        for (size_t i = 0; text && i < json_array_size(value); i++) {
            const char *code = json_string_value(json_array_get(value, i));
            if (code && json_array_append_new(text, page_code(x, prefix, code))) {
                return -1;
            }
        }
    } else {
        return 0;
    }
    return json_object_set_new(object, as, text);
}

/* "2026-11-21 23:30", in UTC as the page says. */
static int dress_time(json_t *object, const char *name, const json_t *value) {
    const char *text = json_string_value(value);
    char as[NAME_MOST], out[32];
    int64_t us = 0;

    if (!text || clock_parse(text, strlen(text), &us) || dress_name(name, "_on", 3, as)) {
        return 0;
    }
    clock_format(us, out);
    out[10] = ' ';
    out[16] = '\0';
    return json_object_set_new(object, as, json_string(out));
}

static json_t *dress_span(const struct exchange *x, int64_t seconds) {
    static const struct {
        int64_t seconds;
        const char *key;
    } units[] = {{86400, "page.console.days"}, {3600, "page.console.hours"}};
    const char *key = "page.console.minutes";
    int64_t unit = 60;

    seconds = seconds < 0 ? -seconds : seconds;
    for (size_t i = sizeof units / sizeof *units; i > 0; i--) {
        if (seconds >= 2 * units[i - 1].seconds) {
            unit = units[i - 1].seconds;
            key = units[i - 1].key;
        }
    }
    json_t *data = json_pack("{s:I}", "count", (json_int_t)(seconds / unit));
    json_t *text = page_text(x, key, data);
    json_decref(data);
    return text;
}

/* deadline_s: 7200 → deadline_left: "2 h"; below 0 deadline_over: true as well. */
static int dress_left(const struct exchange *x, json_t *object, const char *name,
                      const json_t *value) {
    char left[NAME_MOST], over[NAME_MOST];
    json_int_t seconds = json_integer_value(value);

    if (!json_is_integer(value) || dress_name(name, "_left", 2, left) ||
        dress_name(name, "_over", 2, over)) {
        return 0;
    }
    return json_object_set_new(object, left, dress_span(x, seconds)) |
           json_object_set_new(object, over, json_boolean(seconds < 0));
}

static int dress_stars(const struct exchange *x, json_t *object, const json_t *value) {
    static const char filled[] = "★★★★★", empty[] = "☆☆☆☆☆";
    json_int_t n = json_integer_value(value);
    json_t *data = json_pack("{s:I}", "rating", n);
    char stars[2 * sizeof filled];
    size_t star = (sizeof filled - 1) / 5;
    int failed = 0;

    if (n >= 1 && n <= 5) {
        snprintf(stars, sizeof stars, "%.*s%.*s", (int)(star * (size_t)n), filled,
                 (int)(star * (size_t)(5 - n)), empty);
        failed = json_object_set_new(object, "stars", json_string(stars)) |
                 page_word(x, object, "stars_text", "page.reviews.stars", data);
    }
    json_decref(data);
    return failed;
}

static int dress_part(const struct exchange *x, json_t *list, const char *text, size_t n,
                      const char *category) {
    json_t *part;

    if (n == 0) {
        return 0;
    }
    part = json_pack("{s:s%, s:b}", "text", text, n, "mark", category != NULL);
    if (part && category &&
        json_object_set_new(part, "category_text",
                            page_code(x, "page.console.category", category))) {
        json_decref(part);
        return -1;
    }
    return json_array_append_new(list, part);
}

/* A text cut at its marks, which come in order. What would cut a character apart, or does
   not fit the text, is passed over. */
static int dress_parts(const struct exchange *x, json_t *object, const char *field,
                       const char *as, const json_t *marks) {
    const char *text = json_string_value(json_object_get(object, field));
    json_t *list = json_array();
    size_t n = text ? strlen(text) : 0, done = 0;
    int failed = json_object_set_new(object, as, list);

    for (size_t i = 0; !failed && i < json_array_size(marks) && i < MARKS_MOST; i++) {
        const json_t *mark = json_array_get(marks, i);
        const char *in = json_string_value(json_object_get(mark, "field"));
        const char *category = json_string_value(json_object_get(mark, "category"));
        size_t start = (size_t)json_integer_value(json_object_get(mark, "start"));
        size_t end = (size_t)json_integer_value(json_object_get(mark, "end"));
        bool fits = in && strcmp(in, field) == 0 && start >= done && end > start &&
                    end <= n && (text[start] & 0xc0) != 0x80 &&
                    (text[end] & 0xc0) != 0x80;
        if (fits) {
            failed =
                dress_part(x, list, text + done, start - done, NULL) |
                dress_part(x, list, text + start, end - start, category ? category : "");
            done = end;
        }
    }
    return failed ? failed : dress_part(x, list, text ? text + done : "", n - done, NULL);
}

static int dress_marks(const struct exchange *x, json_t *object, const json_t *marks) {
    return dress_parts(x, object, "title", "title_parts", marks) |
           dress_parts(x, object, "body", "body_parts", marks) |
           dress_parts(x, object, "author_name", "name_parts", marks);
}

/* The marked words, each once, for the facts of a refusal. */
static json_t *dress_words(const json_t *object, char *out, size_t size) {
    static const char *const fields[] = {"title_parts", "body_parts", "name_parts"};
    size_t used = 0;

    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        const json_t *parts = json_object_get(object, fields[f]);
        for (size_t i = 0; i < json_array_size(parts); i++) {
            const json_t *part = json_array_get(parts, i);
            const char *text = json_string_value(json_object_get(part, "text"));
            size_t n = text ? strlen(text) : 0;
            if (json_is_true(json_object_get(part, "mark")) && used + n + 3 < size &&
                !strstr(out, text)) {
                used += (size_t)snprintf(out + used, size - used, "%s%s",
                                         used ? ", " : "", text);
            }
        }
    }
    return used ? json_pack("{s:s}", "words", out) : NULL;
}

/* Facts that stand in the data already, in the author's language: only to be sent. */
static int dress_ready(const json_t *object, json_t *ground, const char *locale) {
    const char *code = json_string_value(json_object_get(ground, "ground"));
    const char *key = NULL;
    char words[400] = "";
    json_t *data = NULL, *text;

    if (code && strcmp(code, "abusive") == 0 &&
        (data = dress_words(object, words, sizeof words))) {
        key = "page.console.ready_abusive";
    } else if (code && strcmp(code, "not_genuine") == 0 &&
               !json_is_true(json_object_get(object, "verified"))) {
        key = "page.console.ready_not_genuine";
    }
    text = key ? page_text_in(locale_pick(locale), key, data) : NULL;
    json_decref(data);
    return text ? json_object_set_new(ground, "ready", text) : 0;
}

static int dress_grounds(const struct exchange *x, json_t *object, json_t *grounds) {
    const char *locale = json_string_value(json_object_get(object, "locale"));
    int failed = 0;

    if (json_object_get(object, "marks")) {
        failed = dress_marks(x, object, json_object_get(object, "marks"));
    }
    for (size_t i = 0; !failed && i < json_array_size(grounds); i++) {
        json_t *ground = json_array_get(grounds, i);
        failed = json_object_set_new(ground, "digit", json_integer((json_int_t)i + 1)) |
                 json_object_set_new(ground, "ready", json_null()) |
                 dress_ready(object, ground, locale);
    }
    return failed;
}

static bool dress_ends(const char *name, const char *suffix) {
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

/* As it stands in a query: "order_id" → "order_id_url". */
static int dress_url(json_t *object, const char *name, const json_t *value) {
    const char *text = json_string_value(value);
    char as[NAME_MOST];
    struct buffer out;

    if (!text || dress_name(name, "_url", 0, as)) {
        return 0;
    }
    buffer_init(&out, 8192);
    query_escape(&out, text);
    int failed =
        json_object_set_new(object, as, buffer_ok(&out) ? json_string(out.data) : NULL);
    buffer_free(&out);
    return failed;
}

static int dress_member(const struct exchange *x, json_t *object, const char *name,
                        json_t *value) {
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(name, codes[i].name) == 0) {
            return dress_code(x, object, name, codes[i].prefix, value);
        }
    }
    for (size_t i = 0; i < sizeof linked / sizeof *linked; i++) {
        if (strcmp(name, linked[i]) == 0) {
            return dress_url(object, name, value);
        }
    }
    if (dress_ends(name, "_at")) {
        return dress_time(object, name, value);
    }
    if (dress_ends(name, "_s")) {
        return dress_left(x, object, name, value);
    }
    if (strcmp(name, "rating") == 0) {
        return dress_stars(x, object, value);
    }
    if (strcmp(name, "marks") == 0) {
        return dress_marks(x, object, value);
    }
    if (strcmp(name, "grounds") == 0) {
        return dress_grounds(x, object, value);
    }
    return strcmp(name, "bars") == 0 ? console_chart(object, value) : 0;
}

static int dress_walk(const struct exchange *x, json_t *value, int depth) {
    /* Walked over a copy of the names: members are added meanwhile. */
    json_t *names = json_is_object(value) ? json_copy(value) : NULL;
    const char *name;
    json_t *member;
    int failed = depth > DEPTH_MOST;

    for (size_t i = 0; !failed && i < json_array_size(value); i++) {
        failed = dress_walk(x, json_array_get(value, i), depth + 1);
    }
    json_object_foreach(names, name, member) {
        failed = failed || dress_member(x, value, name, member) ||
                 dress_walk(x, member, depth + 1);
    }
    json_decref(names);
    return failed ? -1 : 0;
}

int console_dress(const struct exchange *x, json_t *value) {
    return dress_walk(x, value, 0);
}
