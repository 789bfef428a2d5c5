/* SPDX-License-Identifier: MIT */
/* What comes out of the queue: no more than the connections are about to need, so that a
 * mail's lease is young and the rest is there for other workers. */
#include <string.h>

#include "base/clock.h"
#include "base/killpoint.h"
#include "mail/dispatch_inner.h"

/* A function of (store, limit) that tells how many rows it moved; -1 when it failed. */
static int64_t move_rows(struct dispatch *d, const char *sql, int64_t deadline_us) {
    struct db_params p;
    struct db_result *result = NULL;
    int64_t moved = -1;
    db_params_open(&p);
    db_add_text(&p, d->store->name);
    db_add_int(&p, DISPATCH_BATCH);
    if (!store_call(d->store, sql, &p, dispatch_database_deadline(deadline_us), &result,
                    NULL, NULL))
        moved = db_int(result, 0, 0);
    db_result_free(result);
    db_params_free(&p);
    return moved;
}

static void move_when_due(struct dispatch *d, int64_t *at_us, int64_t pause_us,
                          const char *sql, int64_t deadline_us) {
    int64_t now_us = clock_now_us();
    if (now_us < *at_us)
        return;
    bool full = move_rows(d, sql, deadline_us) == DISPATCH_BATCH;
    *at_us = full ? now_us : now_us + pause_us;
}

static const struct dispatch_kind *find_kind(const struct dispatch *d, const char *kind) {
    for (size_t i = 0; kind && i < d->kind_count; i++)
        if (strcmp(d->kinds[i].kind, kind) == 0)
            return &d->kinds[i];
    return NULL;
}

static struct slot *free_slot(struct dispatch *d) {
    for (size_t i = 0; i < DISPATCH_SLOTS; i++)
        if (d->slots[i].state == SLOT_FREE)
            return &d->slots[i];
    return NULL;
}

/* Rows beyond the free slots, which the limit rules out, would come back by their lease. */
static void keep(struct dispatch *d, const struct db_result *rows, int row,
                 int64_t asked_us) {
    struct slot *slot = free_slot(d);
    if (!slot)
        return;
    slot->state = SLOT_CLAIMED;
    slot->mail.id = db_int(rows, row, 0);
    slot->lease = db_int(rows, row, 1);
    slot->kind = find_kind(d, db_value(rows, row, 2));
    slot->mail.context = db_json(rows, row, 3);
    slot->since_us = asked_us;
    slot->lease_end_us = asked_us + (int64_t)DISPATCH_CLAIM_LEASE_S * 1000000;
    if (slot->kind) {
        slot->mail.kind = slot->kind->kind;
        return;
    }
    log_write(d->store->log, LOG_ERROR, "nobody here can write mail %lld of kind %s",
              (long long)slot->mail.id, db_value(rows, row, 2));
    dispatch_return(slot, DISPATCH_POSTPONE_S);
}

/* Mails taken, -1 when the database could not be asked. */
static int claim(struct dispatch *d, int limit, int64_t deadline_us) {
    int64_t asked_us = clock_now_us();
    struct db_params p;
    struct db_result *rows = NULL;
    int taken = -1;
    db_params_open(&p);
    db_add_text(&p, d->store->name);
    db_add_int(&p, limit);
    db_add_int(&p, DISPATCH_CLAIM_LEASE_S);
    if (!store_call(d->store,
                    "SELECT mail_id, lease, kind, context"
                    " FROM vouch.mail_claim($1, $2::integer, make_interval(secs => $3))",
                    &p, dispatch_database_deadline(deadline_us), &rows, NULL, NULL))
        taken = db_rows(rows);
    KILLPOINT("claimed");
    for (int i = 0; i < taken; i++)
        keep(d, rows, i, asked_us);
    db_result_free(rows);
    db_params_free(&p);
    return taken;
}

/* Two for each connection that works; a single one to find out whether any does. */
static int wanted(struct dispatch *d) {
    int working = smtp_ready(d->smtp) + smtp_in_flight(d->smtp);
    int most = working > 0 ? 2 * (working + dispatch_ahead(d)) : 1;
    int space = dispatch_count(d, SLOT_FREE);
    int limit = (most < DISPATCH_CLAIM_MOST ? most : DISPATCH_CLAIM_MOST) -
                dispatch_waiting(d);
    if (2 * limit < (most < DISPATCH_CLAIM_MOST ? most : DISPATCH_CLAIM_MOST))
        return 0;
    return limit < space ? limit : space;
}

void dispatch_look(struct dispatch *d, int64_t deadline_us) {
    int64_t now_us = clock_now_us();
    int limit, taken;
    if (now_us >= deadline_us)
        return;
    move_when_due(d, &d->recover_at_us, DISPATCH_RECOVER_US,
                  "SELECT vouch.mail_recover($1, $2::integer)", deadline_us);
    move_when_due(d, &d->enqueue_at_us, DISPATCH_LOOK_US,
                  "SELECT vouch.request_enqueue($1, $2::integer)", deadline_us);
    limit = now_us < d->claim_at_us ? 0 : wanted(d);
    if (limit <= 0)
        return;
    taken = claim(d, limit, deadline_us);
    d->looked_us = now_us;
    /* More than was asked for is waiting: open every connection. */
    if (taken == limit)
        smtp_expect(d->smtp, d->limits.connections);
    else
        d->claim_at_us = now_us + DISPATCH_LOOK_US;
    if (taken > 0 && taken < limit)
        smtp_expect(d->smtp, dispatch_waiting(d) + smtp_in_flight(d->smtp));
}
