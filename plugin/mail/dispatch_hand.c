/* SPDX-License-Identifier: MIT */
/* The last step before a mail may arrive. The relay has accepted sender and recipient and
 * asks for the message: that is noted first, together for all that wait, so that a host
 * that dies before this point leaves no doubt behind. */
#include <string.h>

#include "base/clock.h"
#include "base/killpoint.h"
#include "mail/dispatch_inner.h"

enum { DISPATCH_LEAST_LEASE_US = 5000000 };

void dispatch_add_leases(struct slot *const slots[], size_t count, struct db_params *p) {
    struct db_array mails, leases;
    db_array_open(&mails, DB_INT);
    db_array_open(&leases, DB_INT);
    for (size_t i = 0; i < count; i++) {
        db_array_int(&mails, slots[i]->mail.id);
        db_array_int(&leases, slots[i]->lease);
    }
    db_add_array(p, &mails);
    db_add_array(p, &leases);
}

void dispatch_add_keys(const struct dispatch *d, struct slot *const slots[], size_t count,
                       struct db_params *p) {
    db_add_text(p, d->store->name);
    dispatch_add_leases(slots, count, p);
}

static struct slot *find_row(struct slot *const slots[], size_t count, int64_t mail) {
    for (size_t i = 0; i < count; i++)
        if (slots[i]->mail.id == mail)
            return slots[i];
    return NULL;
}

/* What vouch.mail_turn told: how many ends it took, and whose message may be handed over. */
static void read_rows(struct dispatch *d, struct slot *const slots[], size_t count,
                      size_t ended, const struct db_result *rows, int64_t asked_us) {
    for (int row = 0; row < db_rows(rows); row++) {
        struct slot *slot = find_row(slots, count, db_int(rows, row, 1));
        if (strcmp(db_value(rows, row, 0), "settled") == 0) {
            dispatch_tell_late(d, ended, db_int(rows, row, 1));
            continue;
        }
        if (!slot)
            continue;
        slot->state = SLOT_HANDED;
        slot->since_us = asked_us;
        slot->lease_end_us = asked_us + smtp_longest_us(d->smtp);
    }
}

/* With the ends of the mails before them, unless alone. */
static int note(struct dispatch *d, struct slot *const slots[], size_t count, bool alone,
                int64_t deadline_us, enum db_fault *fault) {
    struct slot *ended[DISPATCH_SLOTS];
    size_t ends = alone ? 0 : dispatch_gather(d, SLOT_ANSWERED, 0, ended);
    int64_t asked_us = clock_now_us();
    struct db_params p;
    struct db_result *rows = NULL;
    int rc;
    db_params_open(&p);
    dispatch_add_keys(d, slots, count, &p);
    db_add_int(&p, smtp_longest_us(d->smtp) / 1000000);
    dispatch_add_leases(ended, ends, &p);
    dispatch_add_results(ended, ends, &p);
    if (ends > 0)
        KILLPOINT("settling");
    rc = store_call(d->store,
                    "SELECT what, number FROM vouch.mail_turn($1, $2, $3, "
                    "make_interval(secs => $4), $5, $6, $7, $8, $9, $10)",
                    &p, dispatch_database_deadline(deadline_us), &rows, fault, NULL);
    if (ends > 0)
        KILLPOINT("settled");
    KILLPOINT("noted");
    if (!rc) {
        read_rows(d, slots, count, ends, rows, asked_us);
        dispatch_finish(d, ended, ends);
    }
    db_result_free(rows);
    db_params_free(&p);
    return rc;
}

/* What was not noted is not handed over: its lease is another's, or about to be. */
static void hand_over(struct dispatch *d, struct slot *slot, int64_t now_us) {
    if (slot->state == SLOT_HANDED && now_us - slot->since_us <= DISPATCH_LEAST_LEASE_US)
        (void)smtp_go(d->smtp, slot->mail.id);
    else
        smtp_drop(d->smtp, slot->mail.id);
    slot->state = SLOT_HANDED;
}

void dispatch_hand_over(struct dispatch *d, int64_t deadline_us) {
    struct slot *held[DISPATCH_SLOTS];
    enum db_fault fault = DB_FINE;
    int64_t now_us = clock_now_us();
    size_t count = 0;
    bool again = false;
    for (size_t i = 0; i < DISPATCH_SLOTS; i++) {
        struct slot *slot = &d->slots[i];
        if (slot->state != SLOT_HELD)
            continue;
        if (now_us > slot->lease_end_us - DISPATCH_LEAST_LEASE_US)
            hand_over(d, slot, now_us);
        else
            held[count++] = slot;
    }
    if (count == 0 || now_us < d->record_at_us)
        return;
    /* Unreached, the relay may wait a little; unanswered, nothing goes out. */
    int rc = note(d, held, count, false, deadline_us, &fault);
    if (rc && fault != DB_UNREACHED && fault != DB_RETRY && fault != DB_LOST)
        rc = note(d, held, count, true, deadline_us, &fault);
    if (rc)
        again = fault == DB_UNREACHED || fault == DB_RETRY;
    if (again) {
        d->record_at_us = clock_now_us() + DISPATCH_RETRY_US;
        return;
    }
    now_us = clock_now_us();
    for (size_t i = 0; i < count; i++)
        hand_over(d, held[i], now_us);
    KILLPOINT("handed");
}
