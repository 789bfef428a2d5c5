/* SPDX-License-Identifier: MIT */
/* Joins the six tables and lists what happened. Rows refer to each other by sorted
 * indexes; text stays where the CSV reader left it. */
#include "olist.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_LENGTH = 19 };

struct olist {
    struct table orders, customers, items, payments, reviews, products;
    struct moment *moment;
    size_t count, room;
    struct olist_left left;
};

static const char *const TYPES[MOMENT_KINDS] = {
    [MOMENT_PLACED] = "order.placed",       [MOMENT_PAID] = "order.paid",
    [MOMENT_SHIPPED] = "order.shipped",     [MOMENT_DELIVERED] = "order.delivered",
    [MOMENT_CANCELLED] = "order.cancelled", [MOMENT_REVIEW] = "review.submitted",
};

static const char *const TIMES[MOMENT_CANCELLED] = {
    [MOMENT_PLACED] = "order_purchase_timestamp",
    [MOMENT_PAID] = "order_approved_at",
    [MOMENT_SHIPPED] = "order_delivered_carrier_date",
    [MOMENT_DELIVERED] = "order_delivered_customer_date",
};

/* "2017-08-30 21:12:28": digits where digits belong; that it is a real day Vouch checks. */
static bool is_time(const char *text) {
    static const char shape[] = "0000-00-00 00:00:00";
    if (strlen(text) != TIME_LENGTH)
        return false;
    for (size_t i = 0; i < TIME_LENGTH; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !digit : text[i] != shape[i])
            return false;
    }
    return true;
}

/* The tables tell Brazilian wall time and no zone. One fixed offset keeps their order, also
 * across the nights when the clocks were changed. */
static const char *as_rfc3339(const char *time, char out[32]) {
    snprintf(out, 32, "%.10sT%.8s-03:00", time, time + 11);
    return out;
}

/* Price as ten-thousandths, so that sums are exact. Stops at what is no digit. */
static int64_t money_read(const char *text) {
    int64_t value = 0;
    int places = -1;
    for (size_t i = 0; i < 16 && text[i] && places < 4; i++) {
        if (text[i] == '.' && places < 0)
            places = 0;
        else if (text[i] < '0' || text[i] > '9')
            break;
        else {
            value = value * 10 + (text[i] - '0');
            places += places >= 0;
        }
    }
    for (places = places < 0 ? 0 : places; places < 4; places++)
        value *= 10;
    return value;
}

static const char *money_write(int64_t value, char out[32]) {
    snprintf(out, 32, "%lld.%02lld", (long long)(value / 10000),
             (long long)(value % 10000 / 100));
    return out;
}

/* A line of text without control characters; with several lines allowed, \t \n \r stay. */
static char *clean(const char *text, bool lines) {
    char *copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c < 0x20 && !(lines && strchr("\t\n\r", *c)))
            *c = ' ';
    return copy;
}

static int add(struct olist *o, const char *time, enum moment_kind kind, size_t row,
               size_t line) {
    if (o->count == o->room) {
        size_t room = o->room ? o->room * 2 : 4096;
        struct moment *grown = realloc(o->moment, room * sizeof *grown);
        if (!grown)
            return -1;
        o->moment = grown;
        o->room = room;
    }
    o->moment[o->count++] = (struct moment){time, kind, row, line};
    return 0;
}

/* Counts why an order cannot be told, or answers true. */
static bool usable(struct olist *o, size_t row, struct olist_left *left) {
    struct olist_left unused;
    left = left ? left : &unused;
    if (!is_time(table_get(&o->orders, row, TIMES[MOMENT_PLACED])))
        left->orders_without_time++;
    else if (table_find(&o->customers, table_get(&o->orders, row, "customer_id")).count ==
             0)
        left->orders_without_buyer++;
    else if (table_find(&o->items, table_get(&o->orders, row, "order_id")).count == 0)
        left->orders_without_lines++;
    else
        return true;
    return false;
}

static int list_order(struct olist *o, size_t row) {
    const char *last = "";
    if (!usable(o, row, &o->left))
        return 0;
    for (enum moment_kind kind = MOMENT_PLACED; kind < MOMENT_CANCELLED; kind++) {
        const char *time = table_get(&o->orders, row, TIMES[kind]);
        if (!is_time(time))
            continue;
        if (strcmp(time, last) > 0)
            last = time;
        if (add(o, time, kind, row, 0) != 0)
            return -1;
    }
    /* The tables do not say when: at the latest fact known of the order. */
    if (strcmp(table_get(&o->orders, row, "order_status"), "canceled") == 0)
        return add(o, last, MOMENT_CANCELLED, row, 0);
    return 0;
}

static int list_review(struct olist *o, size_t row) {
    const char *id = table_get(&o->reviews, row, "order_id");
    const char *time = table_get(&o->reviews, row, "review_answer_timestamp");
    const char *stars = table_get(&o->reviews, row, "review_score");
    struct span order = table_find(&o->orders, id), lines = table_find(&o->items, id);
    if (order.count == 0 || !usable(o, order.row[0], NULL))
        return (void)o->left.reviews_without_order++, 0;
    if (!is_time(time))
        return (void)o->left.reviews_without_time++, 0;
    if (stars[0] < '1' || stars[0] > '5')
        return (void)o->left.reviews_without_stars++, 0;
    for (size_t i = 0; i < lines.count; i++) {
        const char *product = table_get(&o->items, lines.row[i], "product_id");
        bool again = false;
        for (size_t j = 0; j < i && !again; j++)
            again =
                strcmp(product, table_get(&o->items, lines.row[j], "product_id")) == 0;
        if (!again && add(o, time, MOMENT_REVIEW, row, lines.row[i]) != 0)
            return -1;
    }
    return 0;
}

static int by_time(const void *left, const void *right) {
    const struct moment *a = left, *b = right;
    int order = strcmp(a->time, b->time);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    if (order == 0)
        order = (a->row > b->row) - (a->row < b->row);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

struct olist *olist_read(const char *folder, char *why, size_t size) {
    struct olist *o = calloc(1, sizeof *o);
    snprintf(why, size, "out of memory");
    if (!o || table_read(&o->orders, folder, "orders", "order_id", why, size) != 0 ||
        table_read(&o->customers, folder, "customers", "customer_id", why, size) != 0 ||
        table_read(&o->items, folder, "order_items", "order_id", why, size) != 0 ||
        table_read(&o->payments, folder, "order_payments", "order_id", why, size) != 0 ||
        table_read(&o->reviews, folder, "order_reviews", "review_id", why, size) != 0 ||
        table_read(&o->products, folder, "products", "product_id", why, size) != 0)
        goto fail;
    for (size_t row = 0; row < o->orders.csv.rows; row++)
        if (list_order(o, row) != 0)
            goto fail;
    for (size_t row = 0; row < o->reviews.csv.rows; row++)
        if (list_review(o, row) != 0)
            goto fail;
    if (o->count)
        qsort(o->moment, o->count, sizeof *o->moment, by_time);
    return o;
fail:
    olist_free(o);
    return NULL;
}

void olist_free(struct olist *o) {
    if (!o)
        return;
    table_free(&o->orders);
    table_free(&o->customers);
    table_free(&o->items);
    table_free(&o->payments);
    table_free(&o->reviews);
    table_free(&o->products);
    free(o->moment);
    free(o);
}

struct moment *olist_moments(struct olist *o, size_t *count) {
    *count = o->count;
    return o->moment;
}

const struct olist_left *olist_left(const struct olist *o) {
    return &o->left;
}

const char *olist_type(enum moment_kind kind) {
    return TYPES[kind];
}

const char *olist_product(const struct olist *o, const struct moment *m) {
    return table_get(&o->items, m->line, "product_id");
}

size_t olist_line_count(const struct olist *o, const struct moment *m) {
    return table_find(&o->items, table_get(&o->orders, m->row, "order_id")).count;
}

static json_t *item(const struct olist *o, size_t row, const char *promised) {
    char price[32], *name = NULL;
    const char *product = table_get(&o->items, row, "product_id"), *category = "";
    struct span known = table_find(&o->products, product);
    if (known.count)
        category = table_get(&o->products, known.row[0], "product_category_name");
    name = strdup(category);
    for (char *c = name; c && *c; c++)
        if (*c == '_')
            *c = ' ';
    json_t *made = json_pack(
        "{s:s, s:s, s:s*, s:o*, s:i, s:s, s:s*}", "id",
        table_get(&o->items, row, "order_item_id"), "product_id", product, "name",
        name && *name ? name : NULL, "groups",
        *category ? json_pack("[s]", category) : NULL, "quantity", 1, "unit_price",
        money_write(money_read(table_get(&o->items, row, "price")), price), "promised_at",
        promised);
    free(name);
    return made;
}

static int64_t total(const struct olist *o, const char *id) {
    struct span paid = table_find(&o->payments, id);
    int64_t sum = 0;
    for (size_t i = 0; i < paid.count; i++)
        sum += money_read(table_get(&o->payments, paid.row[i], "payment_value"));
    return sum;
}

/* The store's account is the person, not the account of that one order. */
static const char *buyer(const struct olist *o, size_t order) {
    struct span known =
        table_find(&o->customers, table_get(&o->orders, order, "customer_id"));
    return known.count ? table_get(&o->customers, known.row[0], "customer_unique_id")
                       : "";
}

static json_t *placed(const struct olist *o, const struct moment *m, const char *time) {
    char sum[32], promised[32], email[96];
    const char *id = table_get(&o->orders, m->row, "order_id");
    const char *until = table_get(&o->orders, m->row, "order_estimated_delivery_date");
    struct span lines = table_find(&o->items, id);
    json_t *items = json_array();
    until = is_time(until) ? as_rfc3339(until, promised) : NULL;
    for (size_t i = 0; i < lines.count; i++)
        json_array_append_new(items, item(o, lines.row[i], until));
    /* Nobody has an address in the tables, and nobody may be mailed: RFC 2606's .invalid. */
    snprintf(email, sizeof email, "%.60s@buyers.invalid", buyer(o, m->row));
    return json_pack("{s:{s:s, s:s, s:s, s:s*, s:s, s:s, s:s, s:{s:s, s:s}, s:o}}",
                     "order", "id", id, "placed_at", time, "currency", "BRL", "total",
                     table_find(&o->payments, id).count ? money_write(total(o, id), sum)
                                                        : NULL,
                     "locale", "pt-BR", "country", "BR", "timezone", "America/Sao_Paulo",
                     "customer", "id", buyer(o, m->row), "email", email, "items", items);
}

static json_t *review(const struct olist *o, const struct moment *m, const char *id) {
    const char *order_id = table_get(&o->reviews, m->row, "order_id");
    char *title = clean(table_get(&o->reviews, m->row, "review_comment_title"), false);
    char *body = clean(table_get(&o->reviews, m->row, "review_comment_message"), true);
    json_t *made = json_pack(
        "{s:{s:s, s:s, s:i, s:s*, s:s*, s:s, s:{s:s}, s:s}}", "review", "id", id,
        "product_id", olist_product(o, m), "rating",
        table_get(&o->reviews, m->row, "review_score")[0] - '0', "title",
        title && *title ? title : NULL, "body", body && *body ? body : NULL, "locale",
        "pt-BR", "author", "customer_id",
        buyer(o, table_find(&o->orders, order_id).row[0]), "order_id", order_id);
    free(title);
    free(body);
    return made;
}

json_t *olist_event(const struct olist *o, const struct moment *m) {
    char id[256], time[32];
    json_t *data = NULL;
    as_rfc3339(m->time, time);
    if (m->kind == MOMENT_REVIEW) {
        snprintf(id, sizeof id, "%s:%s:%s", table_get(&o->reviews, m->row, "review_id"),
                 table_get(&o->reviews, m->row, "order_id"), olist_product(o, m));
        data = review(o, m, id);
    } else {
        const char *order_id = table_get(&o->orders, m->row, "order_id");
        snprintf(id, sizeof id, "%s", order_id);
        data = m->kind == MOMENT_PLACED
                   ? placed(o, m, time)
                   : json_pack("{s:{s:s, s:s}}", "order", "id", order_id,
                               m->kind == MOMENT_DELIVERED ? "delivered_at" : "at", time);
    }
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o}", "specversion", "1.0", "id",
                     json_sprintf("%s:%s", TYPES[m->kind], id), "source", "/olist",
                     "type", TYPES[m->kind], "time", time, "data", data);
}
