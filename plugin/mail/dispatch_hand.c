/* SPDX-License-Identifier: MIT */
/* The last step before a mail may arrive. The relay has accepted sender and recipient and
 * asks for the message: that is noted first, together for all that wait, so that a host
 * that dies before this point leaves no doubt behind. */
#include "base/clock.h"
#include "base/killpoint.h"
#include "mail/dispatch_inner.h"

enum { DISPATCH_LEAST_LEASE_US = 5000000 };

void dispatch_add_keys(const struct dispatch *d, struct slot *const slots[], size_t count,
                       struct db_params *p) {
    struct db_array mails, leases;
    db_array_open(&mails, DB_INT);
    db_array_open(&leases, DB_INT);
    for (size_t i = 0; i < count; i++) {
        db_array_int(&mails, slots[i]->mail.id);
        db_array_int(&leases, slots[i]->lease);
    }
    db_add_text(p, d->store->name);
    db_add_array(p, &mails);
    db_add_array(p, &leases);
}

static struct slot *find_row(struct slot *const slots[], size_t count, int64_t mail) {
    for (size_t i = 0; i < count; i++)
        if (slots[i]->mail.id == mail)
            return slots[i];
    return NULL;
}

static int note(struct dispatch *d, struct slot *const slots[], size_t count,
                int64_t deadline_us, enum db_fault *fault) {
    int64_t asked_us = clock_now_us();
    struct db_params p;
    struct db_result *rows = NULL;
    int rc;
    db_params_open(&p);
    dispatch_add_keys(d, slots, count, &p);
    db_add_int(&p, smtp_longest_us(d->smtp) / 1000000);
    rc = store_call(
        d->store,
        "SELECT mail_data FROM vouch.mail_data($1, $2, $3, make_interval(secs => $4))",
        &p, dispatch_database_deadline(deadline_us), &rows, fault, NULL);
    KILLPOINT("noted");
    for (int row = 0; row < db_rows(rows); row++) {
        struct slot *slot = find_row(slots, count, db_int(rows, row, 0));
        if (!slot)
            continue;
        slot->state = SLOT_HANDED;
        slot->since_us = asked_us;
        slot->lease_end_us = asked_us + smtp_longest_us(d->smtp);
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
    if (note(d, held, count, deadline_us, &fault))
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
