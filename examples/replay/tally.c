/* SPDX-License-Identifier: MIT */
/* A second review of a line becomes a revision of the first and answers with its number:
 * answers are sorted by number, and the last of each counts. */
#include "tally.h"
#include "vouch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASONS = 16, PRODUCTS_SHOWN = 5 };

struct count {
    const char *name;
    size_t count;
};

static void join_reasons(const json_t *reasons, char *out, size_t size) {
    size_t index;
    json_t *reason;
    out[0] = '\0';
    json_array_foreach(reasons, index, reason) {
        size_t end = strlen(out);
        const char *word = json_string_value(reason);
        snprintf(out + end, size - end, "%s%s", end ? ", " : "", word ? word : "?");
    }
}

static void add_answer(struct tally *t, const char *product, const json_t *review) {
    const char *state = json_string_value(json_object_get(review, "state"));
    if (t->answers == t->room) {
        size_t room = t->room ? t->room * 2 : 1024;
        struct answer *grown = realloc(t->answer, room * sizeof *grown);
        if (!grown)
            return;
        t->answer = grown;
        t->room = room;
    }
    struct answer *answer = &t->answer[t->answers];
    memset(answer, 0, sizeof *answer);
    answer->review_id = json_integer_value(json_object_get(review, "review_id"));
    answer->product = product;
    answer->turn = t->answers++;
    answer->published = state && strcmp(state, "published") == 0;
    answer->verified = json_is_true(json_object_get(review, "verified"));
    join_reasons(json_object_get(review, "reasons"), answer->reasons,
                 sizeof answer->reasons);
}

void tally_add(struct tally *t, const struct olist *olist, const struct moment *moment,
               int code, const json_t *result) {
    const json_t *review = json_object_get(result, "review");
    t->events[moment->kind]++;
    t->spooled += code == VOUCH_SPOOLED;
    if (moment->kind == MOMENT_PLACED)
        t->lines += olist_line_count(olist, moment);
    if (moment->kind == MOMENT_DELIVERED)
        t->delivered_lines += olist_line_count(olist, moment);
    if (moment->kind == MOMENT_REVIEW && review)
        add_answer(t, olist_product(olist, moment), review);
}

static int by_review(const void *left, const void *right) {
    const struct answer *a = left, *b = right;
    int order = (a->review_id > b->review_id) - (a->review_id < b->review_id);
    return order ? order : (a->turn > b->turn) - (a->turn < b->turn);
}

static int by_product(const void *left, const void *right) {
    const struct answer *a = left, *b = right;
    return strcmp(a->product, b->product);
}

static int by_count(const void *left, const void *right) {
    const struct count *a = left, *b = right;
    return a->count == b->count ? strcmp(a->name, b->name) : a->count < b->count ? 1 : -1;
}

/* Keeps the last answer about each review. */
static void settle(struct tally *t) {
    size_t kept = 0;
    if (t->answers)
        qsort(t->answer, t->answers, sizeof *t->answer, by_review);
    for (size_t i = 0; i < t->answers; i++)
        if (i + 1 == t->answers || t->answer[i].review_id != t->answer[i + 1].review_id)
            t->answer[kept++] = t->answer[i];
    t->answers = kept;
}

static void line(const char *name, size_t count, const char *note) {
    printf("%-28s %8zu%s%s\n", name, count, *note ? "  " : "", note);
}

static void print_events(const struct tally *t, const struct olist_left *left) {
    size_t all = 0;
    char note[64];
    for (int kind = 0; kind < MOMENT_KINDS; kind++)
        all += t->events[kind];
    snprintf(note, sizeof note, "in %.1f s", t->seconds);
    line("events", all, note);
    for (int kind = 0; kind < MOMENT_KINDS; kind++) {
        snprintf(note, sizeof note, "  %s", olist_type((enum moment_kind)kind));
        line(note, t->events[kind], "");
    }
    line("  spooled", t->spooled, "applied later");
    line("  refused", t->refused, "");
    line("orders", t->events[MOMENT_PLACED], "");
    line("  lines", t->lines, "");
    line("  delivered orders", t->events[MOMENT_DELIVERED], "one request each");
    line("  delivered lines", t->delivered_lines, "");
    line("left out", left->orders_without_lines, "orders without lines");
    line("", left->orders_without_buyer, "orders without a buyer");
    line("", left->orders_without_time, "orders without a time");
    line("", left->reviews_without_order, "reviews of orders left out");
    line("", left->reviews_without_time, "reviews without a time");
    line("", left->reviews_without_stars, "reviews without stars");
    line("", t->unreadable, "events that are not UTF-8");
}

static void print_reasons(const struct tally *t) {
    struct count reason[REASONS] = {{NULL, 0}};
    size_t reasons = 0;
    for (size_t i = 0; i < t->answers; i++) {
        size_t j = 0;
        if (t->answer[i].published)
            continue;
        while (j < reasons && strcmp(reason[j].name, t->answer[i].reasons) != 0)
            j++;
        if (j == reasons && reasons < REASONS)
            reason[reasons++].name = t->answer[i].reasons;
        if (j < REASONS)
            reason[j].count++;
    }
    if (reasons)
        qsort(reason, reasons, sizeof *reason, by_count);
    for (size_t i = 0; i < reasons; i++) {
        char name[96];
        snprintf(name, sizeof name, "    for %s", reason[i].name);
        line(name, reason[i].count, "");
    }
}

static void print_reviews(const struct tally *t, size_t submitted) {
    size_t published = 0, verified = 0;
    for (size_t i = 0; i < t->answers; i++) {
        published += t->answer[i].published;
        verified += t->answer[i].verified;
    }
    line("reviews", t->answers, "as answered at once");
    line("  second thoughts", submitted - t->answers, "on a line that has a review");
    line("  verified", verified, "");
    line("  unverified", t->answers - verified, "");
    line("  published", published, "");
    line("  held", t->answers - published, "");
    print_reasons(t);
}

static void print_products(const struct tally *t,
                           json_t *(*summary_of)(void *, const char *), void *context) {
    struct count *product = calloc(t->answers + 1, sizeof *product);
    size_t products = 0;
    for (size_t i = 0; product && i < t->answers; i++) {
        bool same =
            products && strcmp(product[products - 1].name, t->answer[i].product) == 0;
        products += !same;
        product[products - 1].name = t->answer[i].product;
        product[products - 1].count++;
    }
    if (products)
        qsort(product, products, sizeof *product, by_count);
    line("products with reviews", products,
         "the most reviewed, as the storefront shows them:");
    for (size_t i = 0; i < products && i < PRODUCTS_SHOWN; i++) {
        json_t *summary = summary_of(context, product[i].name);
        printf("  %-32.32s %4zu reviews, %lld published, %.2f stars\n", product[i].name,
               product[i].count,
               (long long)json_integer_value(json_object_get(summary, "count")),
               json_number_value(json_object_get(summary, "average")));
        json_decref(summary);
    }
    free(product);
}

void tally_print(struct tally *t, const struct olist *olist,
                 json_t *(*summary_of)(void *, const char *), void *context) {
    size_t submitted = t->answers;
    settle(t);
    print_events(t, olist_left(olist));
    print_reviews(t, submitted);
    if (t->answers)
        qsort(t->answer, t->answers, sizeof *t->answer, by_product);
    print_products(t, summary_of, context);
}

void tally_free(struct tally *t) {
    free(t->answer);
    t->answer = NULL;
}
