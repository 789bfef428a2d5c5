/* SPDX-License-Identifier: MIT */
/* vouchctl queue: the reviews that are held, nearest deadline first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli.h"
#include "print.h"
#include "session.h"

enum {
    QUEUE_CALL_S = 30,
    QUEUE_PAGE = 200,
    QUEUE_MOST = 10000, /* rows listed at most */
    QUEUE_PRODUCT = 24, /* characters shown of a product's id */
    QUEUE_MARK = 60,    /* bytes shown of marked words */
    QUEUE_WHY = 400,    /* bytes after which no more of them are shown */
    QUEUE_WHY_BYTES = 2000
};

struct queue {
    struct session session;
    const char *store;
    int64_t now_us; /* by vouch.clock() */
    size_t count;
    json_t *all; /* with --json; else NULL */
};

static const char *queue_text(const json_t *row, const char *name) {
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

/* "3h", "2d"; without a time "?". */
static void queue_span(const struct queue *q, const char *when, bool later,
                       char out[32]) {
    int64_t us = 0, s;

    if (clock_parse(when, strlen(when), &us) != 0) {
        snprintf(out, 32, "?");
        return;
    }
    s = (later ? us - q->now_us : q->now_us - us) / 1000000;
    const char *over = later && s < 0 ? "overdue " : later ? "in " : "";
    s = s < 0 ? -s : s;
    if (s < 3600) {
        snprintf(out, 32, "%s%" PRId64 "m", over, s / 60);
    } else if (s < 48 * 3600) {
        snprintf(out, 32, "%s%" PRId64 "h", over, s / 3600);
    } else {
        snprintf(out, 32, "%s%" PRId64 "d", over, s / 86400);
    }
}

/* The words of one mark, in quotes. */
static void queue_mark(const json_t *row, const json_t *mark, struct buffer *out) {
    const char *words = queue_text(row, queue_text(mark, "field"));
    json_int_t start = json_integer_value(json_object_get(mark, "start"));
    json_int_t end = json_integer_value(json_object_get(mark, "end"));

    if (start >= 0 && end > start && (size_t)end <= strlen(words) &&
        out->length < QUEUE_WHY) {
        bool cut = end - start > QUEUE_MARK;
        end = cut ? start + QUEUE_MARK : end;
        while (cut && ((unsigned char)words[end] & 0xC0) == 0x80) {
            end--;
        }
        buffer_text(out, "“");
        buffer_append(out, words + start, (size_t)(end - start));
        buffer_text(out, cut ? "…” " : "” ");
    }
}

static void queue_why(const json_t *row, struct buffer *out) {
    const json_t *reasons = json_object_get(row, "reasons");
    const json_t *marks = json_object_get(row, "marks");
    size_t i, k;
    json_t *reason, *mark;

    json_array_foreach(reasons, i, reason) {
        const char *name = json_string_value(reason);
        name = name ? name : "?";
        buffer_format(out, "%s%s ", i > 0 ? "and " : "", name);
        if (strcmp(name, "unverified") == 0) {
            buffer_format(out, "(%s) ", queue_text(row, "verified_reason"));
        } else {
            json_array_foreach(marks, k, mark) {
                queue_mark(row, mark, out);
            }
        }
    }
    if (*queue_text(row, "escalated_at")) {
        buffer_text(out, "escalated");
    }
}

/* Cut to so many characters and filled up with spaces. */
static void queue_cell(const char *text, size_t width, struct buffer *out) {
    size_t left = strlen(text), shown = text_graphemes(text, left), n = left;

    while (text_graphemes(text, n) > width) {
        n--;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    buffer_append(out, text, n);
    for (size_t i = shown < width ? shown : width; i < width; i++) {
        buffer_char(out, ' ');
    }
}

static void queue_row(const struct queue *q, const json_t *row) {
    char age[32], deadline[32];
    struct buffer product, why;

    buffer_init(&product, QUEUE_WHY_BYTES);
    buffer_init(&why, QUEUE_WHY_BYTES);
    queue_span(q, queue_text(row, "held_at"), false, age);
    queue_span(q, queue_text(row, "deadline_at"), true, deadline);
    queue_cell(queue_text(row, "product_id"), QUEUE_PRODUCT, &product);
    queue_why(row, &why);
    print_line("%-8" JSON_INTEGER_FORMAT " %-5" JSON_INTEGER_FORMAT
               " %s %-8s %-5s %-12s %s",
               json_integer_value(json_object_get(row, "review_id")),
               json_integer_value(json_object_get(row, "rating")),
               buffer_ok(&product) ? product.data : "",
               json_is_true(json_object_get(row, "verified")) ? "yes" : "no", age,
               deadline, buffer_ok(&why) && why.data ? why.data : "");
    buffer_free(&product);
    buffer_free(&why);
}

static void queue_list(struct queue *q, json_t *page) {
    size_t i;
    json_t *row;

    if (q->all) {
        json_array_extend(q->all, page);
        q->count += json_array_size(page);
        return;
    }
    json_array_foreach(page, i, row) {
        if (q->count++ == 0) {
            print_line("%-8s %-5s %-24s %-8s %-5s %-12s %s", "REVIEW", "STARS", "PRODUCT",
                       "VERIFIED", "HELD", "DEADLINE", "WHY");
        }
        queue_row(q, row);
    }
}

/* One page behind the row last; *page a new reference. */
static int queue_page(struct queue *q, const json_t *last, json_t **page,
                      struct error *error) {
    struct db_result *result = NULL;
    struct db_params params;
    int code;

    db_params_open(&params);
    db_add_text(&params, q->store);
    db_add_text(&params, last ? queue_text(last, "deadline_at") : NULL);
    if (last) {
        db_add_int(&params, json_integer_value(json_object_get(last, "review_id")));
    } else {
        db_add_null(&params);
    }
    db_add_int(&params, QUEUE_PAGE);
    code = session_call(&q->session,
                        "SELECT vouch.queue_view($1, $2::timestamptz, $3, $4::integer),"
                        " (extract(epoch FROM vouch.clock()) * 1000000)::bigint",
                        &params, &result, error);
    if (!code) {
        *page = db_json(result, 0, 0);
        q->now_us = db_int(result, 0, 1);
    }
    db_result_free(result);
    db_params_free(&params);
    return code;
}

static int queue_all(struct queue *q, struct error *error) {
    json_t *page = NULL, *last = NULL;
    size_t rows = QUEUE_PAGE;
    int code = 0;

    while (!code && rows == QUEUE_PAGE && q->count < QUEUE_MOST) {
        code = queue_page(q, last, &page, error);
        rows = json_array_size(page);
        queue_list(q, page);
        json_decref(last);
        last = json_incref(json_array_get(page, rows > 0 ? rows - 1 : 0));
        json_decref(page);
        page = NULL;
    }
    json_decref(last);
    return code;
}

int queue_run(const struct cli *cli) {
    struct queue q = {.store = cli->options->stores[0]};
    struct error error = {0};
    char *text = NULL;
    int code;

    if (cli->options->store_count != 1 || strcmp(q.store, "*") == 0) {
        return cli_misused(cli, "of which store? say --store ID");
    }
    q.all = cli_value(cli, "json") ? json_array() : NULL;
    code = session_open(cli, QUEUE_CALL_S * INT64_C(1000000), &q.session, &error);
    if (!code) {
        code = queue_all(&q, &error);
    }
    session_close(&q.session);
    if (!code && q.all) {
        text = json_write(q.all);
        print_raw(text ? text : "[]");
    } else if (!code && q.count == 0) {
        print_line("nothing is held");
    }
    memory_free(text);
    json_decref(q.all);
    return code ? cli_failed(&error) : CLI_DONE;
}
