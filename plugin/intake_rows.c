/* SPDX-License-Identifier: MIT */
/* One array per column, in the order of vouch.ingest's arguments: events, orders, lines,
 * facts. Positions in the event arrays count from 1. Of vouch.ingest_order's, only the
 * lines are arrays. */
#include "intake_rows.h"

enum event_column { E_SOURCE, E_ID, E_TYPE, E_TIME, E_BODY, E_KEPT, E_COLUMNS };

enum order_column {
    O_EVENT, O_RANK, O_TIME, O_ORDER, O_PLACED, O_ADDRESS_KEY, O_CUSTOMER_KEY,
    O_CUSTOMER, O_EMAIL, O_NAME, O_LOCALE, O_COUNTRY, O_TIMEZONE, O_CONSENT, O_CURRENCY,
    O_TOTAL, O_GROUPS, O_COLUMNS
};

enum line_column {
    L_EVENT, L_ORDER, L_LINE, L_PRODUCT, L_NAME, L_URL, L_GROUPS, L_QUANTITY, L_PRICE,
    L_PROMISED, L_COLUMNS
};

enum fact_column { F_EVENT, F_ORDER, F_LINE, F_KIND, F_AT, F_AMOUNT, F_COLUMNS };

static const enum db_kind event_kinds[E_COLUMNS] = {
    [E_TIME] = DB_TIME, [E_BODY] = DB_JSON}; /* the others are DB_TEXT, 0 */
static const enum db_kind order_kinds[O_COLUMNS] = {
    [O_EVENT] = DB_INT,         [O_TIME] = DB_TIME,          [O_PLACED] = DB_TIME,
    [O_ADDRESS_KEY] = DB_BYTES, [O_CUSTOMER_KEY] = DB_BYTES, [O_CONSENT] = DB_BOOL};
static const enum db_kind line_kinds[L_COLUMNS] = {[L_EVENT] = DB_INT,
                                                   [L_PROMISED] = DB_TIME};
static const enum db_kind fact_kinds[F_COLUMNS] = {[F_EVENT] = DB_INT, [F_AT] = DB_TIME};

struct columns {
    struct db_array event[E_COLUMNS], order[O_COLUMNS], line[L_COLUMNS], fact[F_COLUMNS];
};

static void columns_open(struct db_array *columns, const enum db_kind *kinds, size_t n) {
    for (size_t i = 0; i < n; i++) {
        db_array_open(&columns[i], kinds[i]);
    }
}

static void columns_add(struct db_params *p, struct db_array *columns, size_t n) {
    for (size_t i = 0; i < n; i++) {
        db_add_array(p, &columns[i]);
    }
}

static void optional_time(struct db_array *a, bool has, int64_t us) {
    if (has) {
        db_array_time(a, us);
    } else {
        db_array_null(a);
    }
}

static void add_time(struct db_params *p, bool has, int64_t us) {
    if (has) {
        db_add_time(p, us);
    } else {
        db_add_null(p);
    }
}

static void row_event(struct db_array *c, const struct intake_event *e) {
    db_array_text(&c[E_SOURCE], e->source);
    db_array_text(&c[E_ID], e->id);
    db_array_text(&c[E_TYPE], e->type);
    optional_time(&c[E_TIME], e->timed, e->time_us);
    if (e->body) {
        db_array_json(&c[E_BODY], e->body);
    } else {
        db_array_null(&c[E_BODY]);
    }
    db_array_text(&c[E_KEPT], e->kept);
}

static void row_order(struct db_array *c, const struct intake_event *e, int64_t n) {
    const struct intake_order *o = e->order;

    db_array_int(&c[O_EVENT], n);
    db_array_text(&c[O_RANK], e->rank);
    db_array_time(&c[O_TIME], e->timed ? e->time_us : o->placed_us);
    db_array_text(&c[O_ORDER], o->order_id);
    db_array_time(&c[O_PLACED], o->placed_us);
    db_array_bytes(&c[O_ADDRESS_KEY], o->address_key, sizeof o->address_key);
    db_array_bytes(&c[O_CUSTOMER_KEY], o->customer_id ? o->customer_key : NULL,
                   o->customer_id ? sizeof o->customer_key : 0);
    db_array_text(&c[O_CUSTOMER], o->customer_id);
    db_array_text(&c[O_EMAIL], o->email);
    db_array_text(&c[O_NAME], o->name);
    db_array_text(&c[O_LOCALE], o->locale);
    db_array_text(&c[O_COUNTRY], o->country);
    db_array_text(&c[O_TIMEZONE], o->timezone);
    if (o->consented) {
        db_array_bool(&c[O_CONSENT], o->consent);
    } else {
        db_array_null(&c[O_CONSENT]);
    }
    db_array_text(&c[O_CURRENCY], o->currency);
    db_array_text(&c[O_TOTAL], o->total);
    db_array_text(&c[O_GROUPS], o->groups);
}

static void row_line(struct db_array *c, const struct intake_order *o,
                     const struct intake_line *l, int64_t n) {
    db_array_int(&c[L_EVENT], n);
    db_array_text(&c[L_ORDER], o->order_id);
    db_array_text(&c[L_LINE], l->line_id);
    db_array_text(&c[L_PRODUCT], l->product_id);
    db_array_text(&c[L_NAME], l->name);
    db_array_text(&c[L_URL], l->url);
    db_array_text(&c[L_GROUPS], l->groups);
    db_array_text(&c[L_QUANTITY], l->quantity);
    db_array_text(&c[L_PRICE], l->unit_price);
    optional_time(&c[L_PROMISED], l->promised, l->promised_us);
}

static void row_fact(struct db_array *c, const struct intake_fact *f, int64_t n) {
    db_array_int(&c[F_EVENT], n);
    db_array_text(&c[F_ORDER], f->order_id);
    db_array_text(&c[F_LINE], f->line_id);
    db_array_text(&c[F_KIND], f->kind);
    db_array_time(&c[F_AT], f->at_us);
    db_array_text(&c[F_AMOUNT], f->amount);
}

static void add_lines(struct db_params *p, const struct intake_order *o) {
    struct db_array columns[L_COLUMNS];

    columns_open(columns, line_kinds, L_COLUMNS);
    for (size_t i = 0; i < o->line_count; i++) {
        row_line(columns, o, &o->lines[i], 1);
    }
    db_array_free(&columns[L_EVENT]);
    db_array_free(&columns[L_ORDER]);
    columns_add(p, columns + L_LINE, L_COLUMNS - L_LINE);
}

void intake_order(struct db_params *p, const char *store, const struct intake_event *e) {
    const struct intake_order *o = e->order;

    db_add_text(p, store);
    db_add_text(p, e->source);
    db_add_text(p, e->id);
    add_time(p, e->timed, e->time_us);
    db_add_text(p, o->order_id);
    db_add_time(p, o->placed_us);
    db_add_bytes(p, o->address_key, sizeof o->address_key);
    db_add_bytes(p, o->customer_id ? o->customer_key : NULL,
                 o->customer_id ? sizeof o->customer_key : 0);
    db_add_text(p, o->customer_id);
    db_add_text(p, o->email);
    db_add_text(p, o->name);
    db_add_text(p, o->locale);
    db_add_text(p, o->country);
    db_add_text(p, o->timezone);
    if (o->consented) {
        db_add_bool(p, o->consent);
    } else {
        db_add_null(p);
    }
    db_add_text(p, o->currency);
    db_add_text(p, o->total);
    db_add_text(p, o->groups);
    add_lines(p, o);
}

static void rows_of(struct columns *c, const struct intake_event *e, int64_t n) {
    row_event(c->event, e);
    if (e->order) {
        row_order(c->order, e, n);
        for (size_t i = 0; i < e->order->line_count; i++) {
            row_line(c->line, e->order, &e->order->lines[i], n);
        }
    }
    for (size_t i = 0; i < e->fact_count; i++) {
        row_fact(c->fact, &e->facts[i], n);
    }
}

void intake_rows(struct db_params *p, const char *store,
                 struct intake_batch *const batches[], size_t count) {
    struct columns c;
    int64_t n = 0;

    columns_open(c.event, event_kinds, E_COLUMNS);
    columns_open(c.order, order_kinds, O_COLUMNS);
    columns_open(c.line, line_kinds, L_COLUMNS);
    columns_open(c.fact, fact_kinds, F_COLUMNS);
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; i < intake_count(batches[b]); i++) {
            rows_of(&c, intake_at(batches[b], i), ++n);
        }
    }
    db_add_text(p, store);
    columns_add(p, c.event, E_COLUMNS);
    columns_add(p, c.order, O_COLUMNS);
    columns_add(p, c.line, L_COLUMNS);
    columns_add(p, c.fact, F_COLUMNS);
}
