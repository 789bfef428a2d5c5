/* SPDX-License-Identifier: MIT */
/* order.placed, and the facts that follow it: paid, shipped, delivered, cancelled,
 * refunded. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "event.h"
#include "review/person.h"

enum { GROUPS_LITERAL = EVENT_GROUPS * (EVENT_GROUP * 2 + 3) + 3 };

static void groups_quote(struct buffer *out, const char *group) {
    buffer_char(out, '"');
    for (; *group; group++) {
        if (*group == '"' || *group == '\\') {
            buffer_char(out, '\\');
        }
        buffer_char(out, *group);
    }
    buffer_char(out, '"');
}

static int groups_literal(const json_t *list, const char *base, struct buffer *out,
                          struct error *error) {
    char pointer[160];

    buffer_char(out, '{');
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *group = json_array_get(list, i);
        size_t n = json_string_length(group);
        if (!json_is_string(group) || n == 0 || n > EVENT_GROUP) {
            json_point_at(pointer, base, i);
            return error_set(error, ERROR_INVALID, pointer,
                             "a group is a text of 1 to %d bytes", EVENT_GROUP);
        }
        if (i) {
            buffer_char(out, ',');
        }
        groups_quote(out, json_string_value(group));
    }
    buffer_char(out, '}');
    return buffer_ok(out) ? 0
                          : error_set(error, ERROR_FAILED, "", "no memory for groups");
}

int event_take_groups(const struct event *event, const struct field *f,
                      const char **groups) {
    const json_t *list = NULL;
    struct buffer text;
    char base[160];
    int code = json_take_array(f, "groups", EVENT_GROUPS, &list);

    *groups = NULL;
    if (code || !list) {
        return code;
    }
    buffer_init(&text, GROUPS_LITERAL);
    json_point(base, f->base, "groups");
    code = groups_literal(list, base, &text, event->error);
    if (!code) {
        char *kept = intake_keep(event->batch, text.length + 1);
        if (kept) {
            memcpy(kept, text.data, text.length);
        }
        code =
            kept ? 0 : error_set(event->error, ERROR_FAILED, "", "no memory for groups");
        *groups = kept;
    }
    buffer_free(&text);
    return code;
}

/* ISO 4217 and ISO 3166-1: capital letters, of a fixed number. */
static int take_capitals(const struct field *f, const char *name, size_t letters,
                         const char **out) {
    char pointer[160];
    int code = json_take_string(f, name, letters, out);

    if (!code && *out &&
        (strlen(*out) != letters ||
         strspn(*out, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != letters)) {
        json_point(pointer, f->base, name);
        code = error_set(f->error, ERROR_INVALID, pointer, "%s is %zu capital letters",
                         name, letters);
    }
    return code;
}

static int take_quantity(const struct event *event, const struct field *f,
                         const char **out) {
    enum { DIGITS = 16 };
    bool has = false;
    int64_t quantity = 0;
    char *text = NULL;
    int code = json_take_integer(f, "quantity", 1, 1000000, &has, &quantity);

    if (!code && has) {
        text = intake_keep(event->batch, DIGITS);
        code = text ? 0 : error_set(event->error, ERROR_FAILED, "", "no memory");
    }
    if (text) {
        snprintf(text, DIGITS, "%d", (int)quantity);
    }
    *out = text;
    return code;
}

static int line_read(const struct event *event, const json_t *item, const char *base,
                     struct intake_line *line) {
    const struct field f = {item, base, event->error};
    int code = json_is_object(item)
                   ? json_need_string(&f, "id", EVENT_ID, &line->line_id)
                   : error_set(event->error, ERROR_INVALID, base, "an item is an object");

    if (!code) {
        code = json_need_string(&f, "product_id", EVENT_ID, &line->product_id);
    }
    if (!code) {
        code = json_take_string(&f, "name", EVENT_NAME, &line->name);
    }
    if (!code) {
        code = event_take_url(&f, "url", &line->url);
    }
    if (!code) {
        code = event_take_groups(event, &f, &line->groups);
    }
    if (!code) {
        code = take_quantity(event, &f, &line->quantity);
    }
    if (!code) {
        code = json_take_money(&f, "unit_price", &line->unit_price);
    }
    return code ? code
                : json_take_time(&f, "promised_at", &line->promised, &line->promised_us);
}

static int line_unique(const struct intake_line *lines, size_t i, const char *base,
                       struct error *error) {
    char pointer[160];

    for (size_t before = 0; before < i; before++) {
        if (strcmp(lines[before].line_id, lines[i].line_id) == 0) {
            json_point(pointer, base, "id");
            return error_set(error, ERROR_INVALID, pointer,
                             "two items of an order have different ids");
        }
    }
    return 0;
}

static int order_lines(const struct event *event, const struct field *f,
                       struct intake_order *order) {
    const json_t *items = NULL;
    struct intake_line *lines = NULL;
    char base[160];
    int code = json_need_array(f, "items", EVENT_ITEMS, &items);
    size_t count = json_array_size(items);

    if (!code && count == 0) {
        code = error_set(event->error, ERROR_INVALID, "/data/order/items",
                         "an order has at least one item");
    }
    if (!code) {
        lines = intake_keep(event->batch, count * sizeof *lines);
        code =
            lines ? 0 : error_set(event->error, ERROR_FAILED, "", "no memory for items");
    }
    for (size_t i = 0; i < count && !code; i++) {
        json_point_at(base, "/data/order/items", i);
        code = line_read(event, json_array_get(items, i), base, &lines[i]);
        code = code ? code : line_unique(lines, i, base, event->error);
    }
    order->lines = lines;
    order->line_count = count;
    return code;
}

static int order_customer(const struct event *event, const struct field *outer,
                          struct intake_order *order) {
    struct field f = {NULL, "/data/order/customer", event->error};
    int code = json_need_object(outer, "customer", &f.object);

    if (!code) {
        code = json_need_string(&f, "email", EVENT_EMAIL, &order->email);
    }
    if (!code) {
        code = json_take_string(&f, "id", EVENT_ID, &order->customer_id);
    }
    if (!code) {
        code = json_take_string(&f, "name", EVENT_NAME, &order->name);
    }
    if (!code) {
        code = event_take_groups(event, &f, &order->groups);
    }
    if (!code) {
        code =
            person_address_key(event->store, order->email, "/data/order/customer/email",
                               order->address_key, event->error);
    }
    if (!code && order->customer_id) {
        code = person_customer_key(event->store, order->customer_id, order->customer_key,
                                   event->error);
    }
    return code;
}

static int order_details(const struct field *f, struct intake_order *order) {
    int code = take_capitals(f, "currency", 3, &order->currency);

    if (!code) {
        code = json_take_money(f, "total", &order->total);
    }
    if (!code) {
        code = event_take_locale(f, &order->locale);
    }
    if (!code) {
        code = take_capitals(f, "country", 2, &order->country);
    }
    if (!code) {
        code = event_take_timezone(f, &order->timezone);
    }
    return code ? code
                : json_take_boolean(f, "marketing_consent", &order->consented,
                                    &order->consent);
}

int event_order_placed(struct event *event) {
    struct field f;
    struct intake_order *order = intake_keep(event->batch, sizeof *order);
    int code = order
                   ? event_object(event, "order", "/data/order", &f)
                   : error_set(event->error, ERROR_FAILED, "", "no memory for an order");

    if (!code) {
        code = json_need_string(&f, "id", EVENT_ID, &order->order_id);
    }
    if (!code) {
        code = json_need_time(&f, "placed_at", &order->placed_us);
    }
    if (!code) {
        code = order_details(&f, order);
    }
    if (!code) {
        code = order_customer(event, &f, order);
    }
    if (!code) {
        code = order_lines(event, &f, order);
    }
    event->row->order = order;
    return code;
}

static int fact_lines(const struct event *event, const struct field *f,
                      const struct intake_fact *fact) {
    const json_t *items = NULL;
    char pointer[160];
    int code = json_take_array(f, "items", EVENT_ITEMS, &items);
    size_t count = items ? json_array_size(items) : 1;
    struct intake_fact *facts = NULL;

    if (!code && count == 0) {
        code = error_set(event->error, ERROR_INVALID, "/data/order/items",
                         "items is left out for the whole order, never empty");
    }
    if (!code) {
        facts = intake_keep(event->batch, count * sizeof *facts);
        code =
            facts ? 0 : error_set(event->error, ERROR_FAILED, "", "no memory for items");
    }
    for (size_t i = 0; i < count && !code; i++) {
        const json_t *id = json_array_get(items, i);
        size_t n = json_string_length(id);
        facts[i] = *fact;
        facts[i].line_id = json_string_value(id);
        facts[i].amount = items ? NULL : fact->amount;
        if (items && (!json_is_string(id) || n == 0 || n > EVENT_ID)) {
            json_point_at(pointer, "/data/order/items", i);
            code =
                error_set(event->error, ERROR_INVALID, pointer,
                          "items holds the ids of order lines, 1 to %d bytes", EVENT_ID);
        }
    }
    event->row->facts = facts;
    event->row->fact_count = code ? 0 : count;
    return code;
}

int event_order_fact(struct event *event) {
    struct intake_fact fact = {.kind = event->row->type + strlen("order.")};
    bool delivered = strcmp(fact.kind, "delivered") == 0;
    struct field f;
    int code = event_object(event, "order", "/data/order", &f);

    if (!code) {
        code = json_need_string(&f, "id", EVENT_ID, &fact.order_id);
    }
    if (!code) {
        code = json_need_time(&f, delivered ? "delivered_at" : "at", &fact.at_us);
    }
    if (!code && strcmp(fact.kind, "refunded") == 0) {
        code = json_take_money(&f, "amount", &fact.amount);
    }
    return code ? code : fact_lines(event, &f, &fact);
}
