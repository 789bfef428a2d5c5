/* SPDX-License-Identifier: MIT */
/* The way in: callers' checked events share statements and commits. A caller who finds a
 * connection free leads and takes along whatever waits; nobody waits for a timer. */
#ifndef VOUCH_INTAKE_H
#define VOUCH_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "store.h"

enum {
    INTAKE_LEADERS = 2,            /* connections in use at once, per store */
    INTAKE_GROUP_EVENTS = 1000,    /* one statement takes along at most, or one batch */
    INTAKE_BATCH_EVENTS = 10000    /* one caller's array */
};

/* Texts are borrowed from the batch (its JSON or intake_keep). Groups are PostgreSQL array
 * literals, numbers decimal texts. NULL is absent. */
struct intake_line {
    const char *line_id, *product_id, *name, *url, *groups, *quantity, *unit_price;
    bool promised;
    int64_t promised_us;
};

struct intake_order {
    const char *order_id;
    int64_t placed_us;
    uint8_t address_key[32], customer_key[32];
    const char *customer_id, *email, *name, *locale, *country, *timezone, *currency,
        *total, *groups;
    bool consented, consent; /* whether marketing_consent was said, and what */
    const struct intake_line *lines;
    size_t line_count;
};

struct intake_fact {
    const char *order_id, *line_id; /* line NULL: the whole order */
    const char *kind;               /* paid shipped delivered cancelled refunded */
    int64_t at_us;
    const char *amount;
};

struct intake_event {
    const char *source, *id, *type, *rank; /* rank: source and id, ties of equal times */
    bool timed;
    int64_t time_us;
    const struct intake_order *order; /* order.placed */
    const struct intake_fact *facts;  /* the other order events */
    size_t fact_count;
    json_t *body;     /* of the rarer kinds; the batch's */
    const char *kept; /* of ignored types: the event's text */
};

struct intake_batch;
struct intake;

int intake_open(const struct store *store, struct intake **intake, struct error *error);
void intake_close(struct intake *intake);

/* A batch is one transaction. root is taken over, on failure too; the batch is the
 * caller's until intake_drop. NULL without memory. */
struct intake_batch *intake_new(json_t *root, size_t events);
void intake_drop(struct intake_batch *batch);
struct intake_event *intake_at(struct intake_batch *batch, size_t i);
size_t intake_count(const struct intake_batch *batch);
/* Zeroed memory that lives as long as the batch; NULL without memory. */
void *intake_keep(struct intake_batch *batch, size_t bytes);

/* Applies the batch or nothing of it. 0; ERROR_UNAVAILABLE: PostgreSQL did not answer in
 * time, the events may or may not be in (their keys make repeating safe); other codes: it
 * refused them. */
int intake_submit(struct intake *intake, struct intake_batch *batch, int64_t deadline_us,
                  struct error *error);
/* After 0, once: the reply of event i, the caller's; NULL for the plain one. */
json_t *intake_reply(struct intake_batch *batch, size_t i);

#endif
