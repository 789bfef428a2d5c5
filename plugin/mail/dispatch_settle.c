/* SPDX-License-Identifier: MIT */
/* What became of the mails, into the database: together, soon, and again and again while
 * their leases last. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/killpoint.h"
#include "mail/dispatch_inner.h"

static const char *const class_names[] = {[SMTP_ACCEPTED] = "accepted",
                                          [SMTP_DEFERRED] = "deferred",
                                          [SMTP_REFUSED] = "refused",
                                          [SMTP_AMBIGUOUS] = "ambiguous"};

void dispatch_return(struct slot *slot, int again_s) {
    slot->state = SLOT_RETURNED;
    slot->again_s = again_s;
    slot->since_us = clock_now_us();
}

void dispatch_take(struct dispatch *d) {
    struct smtp_result result;
    int64_t held;
    while (d->smtp && smtp_take(d->smtp, &result)) {
        struct slot *slot = dispatch_find(d, result.id);
        if (!slot)
            continue;
        KILLPOINT("answered");
        slot->result = result;
        slot->state = SLOT_ANSWERED;
        slot->since_us = clock_now_us();
        if (result.class == SMTP_RELAY_DOWN)
            dispatch_return(slot, DISPATCH_RELAY_PAUSE_S);
    }
    while (d->smtp && smtp_held(d->smtp, &held)) {
        struct slot *slot = dispatch_find(d, held);
        if (slot)
            slot->state = SLOT_HELD;
        else
            smtp_drop(d->smtp, held);
    }
}

void dispatch_mask(char out[LOG_MESSAGE_BYTES], const char *format, ...) {
    va_list list;
    va_start(list, format);
    log_message(out, format, list);
    va_end(list);
}

void dispatch_add_results(struct slot *const slots[], size_t count,
                          struct db_params *p) {
    struct db_array classes, codes, enhanced, replies;
    char reply[LOG_MESSAGE_BYTES];
    db_array_open(&classes, DB_TEXT);
    db_array_open(&codes, DB_INT);
    db_array_open(&enhanced, DB_TEXT);
    db_array_open(&replies, DB_TEXT);
    for (size_t i = 0; i < count; i++) {
        const struct smtp_result *result = &slots[i]->result;
        dispatch_mask(reply, "%s", result->reply);
        db_array_text(&classes, class_names[result->class]);
        if (result->code > 0)
            db_array_int(&codes, result->code);
        else
            db_array_null(&codes);
        db_array_text(&enhanced, *result->enhanced ? result->enhanced : NULL);
        db_array_text(&replies, reply);
    }
    db_add_array(p, &classes);
    db_add_array(p, &codes);
    db_add_array(p, &enhanced);
    db_add_array(p, &replies);
}

void dispatch_tell_late(struct dispatch *d, size_t count, int64_t settled) {
    if (settled < (int64_t)count)
        log_write(d->store->log, LOG_WARNING,
                  "%lld of %zu outcomes came after their leases had ended",
                  (long long)count - (long long)settled, count);
}

static int call_settle(struct dispatch *d, struct slot *const slots[], size_t count,
                       int64_t deadline_us, enum db_fault *fault, struct error *why) {
    struct db_params p;
    struct db_result *result = NULL;
    int rc;
    db_params_open(&p);
    dispatch_add_keys(d, slots, count, &p);
    dispatch_add_results(slots, count, &p);
    KILLPOINT("settling");
    rc = store_call(d->store, "SELECT vouch.mail_settle($1, $2, $3, $4, $5, $6, $7)", &p,
                    dispatch_database_deadline(deadline_us), &result, fault, why);
    KILLPOINT("settled");
    if (!rc)
        dispatch_tell_late(d, count, db_int(result, 0, 0));
    db_result_free(result);
    db_params_free(&p);
    return rc;
}

static int call_release(struct dispatch *d, struct slot *const slots[], size_t count,
                        int64_t deadline_us, enum db_fault *fault, struct error *why) {
    struct db_params p;
    int rc;
    db_params_open(&p);
    dispatch_add_keys(d, slots, count, &p);
    db_add_int(&p, slots[0]->again_s);
    rc = store_call(d->store,
                    "SELECT vouch.mail_release($1, $2, $3, make_interval(secs => $4))",
                    &p, dispatch_database_deadline(deadline_us), NULL, fault, why);
    db_params_free(&p);
    return rc;
}

typedef int record_call(struct dispatch *d, struct slot *const slots[], size_t count,
                        int64_t deadline_us, enum db_fault *fault, struct error *why);

void dispatch_finish(struct dispatch *d, struct slot *const slots[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        d->done += slots[i]->state == SLOT_ANSWERED;
        dispatch_free_slot(slots[i]);
    }
}

/* What the database refuses for its own sake is left to its lease; the others are not. */
static void record(struct dispatch *d, record_call *call, struct slot *const slots[],
                   size_t count, int64_t deadline_us) {
    enum db_fault fault = DB_FINE;
    struct error why = {0};
    if (count == 0)
        return;
    if (!call(d, slots, count, deadline_us, &fault, &why)) {
        dispatch_finish(d, slots, count);
        return;
    }
    if (fault == DB_UNREACHED || fault == DB_LOST || fault == DB_RETRY) {
        d->record_at_us = clock_now_us() + DISPATCH_RETRY_US;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct error single = {0};
        if (count > 1 && !call(d, &slots[i], 1, deadline_us, &fault, &single)) {
            dispatch_finish(d, &slots[i], 1);
            continue;
        }
        log_write(d->store->log, LOG_ERROR, "the end of mail %lld cannot be recorded: %s",
                  (long long)slots[i]->mail.id, count > 1 ? single.detail : why.detail);
        dispatch_free_slot(slots[i]);
    }
}

static void forget_overdue(struct dispatch *d, int64_t now_us) {
    for (size_t i = 0; i < DISPATCH_SLOTS; i++) {
        struct slot *slot = &d->slots[i];
        if ((slot->state != SLOT_ANSWERED && slot->state != SLOT_RETURNED) ||
            now_us < slot->lease_end_us)
            continue;
        log_write(d->store->log, LOG_ERROR,
                  "mail %lld: its lease ended before its end "
                  "could be recorded",
                  (long long)slot->mail.id);
        dispatch_free_slot(slot);
    }
}

/* While mails are on their way to their 354, answers may go with the note of those. */
static bool record_is_due(const struct dispatch *d, int64_t now_us) {
    if (dispatch_count(d, SLOT_SENDING) + dispatch_count(d, SLOT_HELD) +
            dispatch_count(d, SLOT_HANDED) ==
        0)
        return true;
    for (size_t i = 0; i < DISPATCH_SLOTS; i++)
        if (d->slots[i].state == SLOT_ANSWERED &&
            now_us - d->slots[i].since_us >= DISPATCH_GATHER_US)
            return true;
    return false;
}

size_t dispatch_gather(struct dispatch *d, enum slot_state state, int again_s,
                       struct slot *out[DISPATCH_SLOTS]) {
    size_t count = 0;
    for (size_t i = 0; i < DISPATCH_SLOTS; i++)
        if (d->slots[i].state == state && d->slots[i].again_s == again_s)
            out[count++] = &d->slots[i];
    return count;
}

void dispatch_record(struct dispatch *d, bool all, int64_t deadline_us) {
    static const int pauses[] = {0, DISPATCH_RELAY_PAUSE_S, DISPATCH_POSTPONE_S};
    struct slot *slots[DISPATCH_SLOTS];
    int64_t now_us = clock_now_us();
    forget_overdue(d, now_us);
    if (now_us < d->record_at_us)
        return;
    if (dispatch_count(d, SLOT_ANSWERED) > 0 && (all || record_is_due(d, now_us)))
        record(d, call_settle, slots, dispatch_gather(d, SLOT_ANSWERED, 0, slots), deadline_us);
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
        if (clock_now_us() >= d->record_at_us)
            record(d, call_release, slots, dispatch_gather(d, SLOT_RETURNED, pauses[i], slots),
                   deadline_us);
}
