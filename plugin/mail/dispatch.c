/* SPDX-License-Identifier: MIT */
/* The loop around claim, attempt, dialogue and record. */
#include "mail/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "mail/dispatch_inner.h"

enum { DISPATCH_PAUSE_US = 10000, DISPATCH_SOON_US = 20000 };

int dispatch_open(const struct store *store, struct net *net,
                  const struct dispatch_kind *kinds, size_t count,
                  const struct dispatch_limits *limits, struct dispatch **dispatch,
                  struct error *error) {
    struct dispatch *d = memory_zero(1, sizeof *d);
    *dispatch = d;
    if (!d)
        return error_set(error, ERROR_FAILED, "", "no memory for the mail queue");
    d->store = store;
    d->net = net;
    d->kinds = kinds;
    d->kind_count = count;
    if (limits)
        d->limits = *limits;
    if (d->limits.connections <= 0)
        d->limits.connections = DISPATCH_CONNECTIONS;
    if (d->limits.connections > SMTP_CONNECTIONS_MAX)
        d->limits.connections = SMTP_CONNECTIONS_MAX;
    return 0;
}

void dispatch_close(struct dispatch *d) {
    if (!d)
        return;
    dispatch_relay_close(d);
    for (size_t i = 0; i < DISPATCH_SLOTS; i++)
        dispatch_free_slot(&d->slots[i]);
    memory_free(d);
}

/* The contexts of a slot are its own, although others only read them. */
void dispatch_release_json(const json_t *value) {
    union {
        const json_t *read;
        json_t *own;
    } both = {.read = value};
    json_decref(both.own);
}

void dispatch_free_slot(struct slot *slot) {
    dispatch_release_json(slot->mail.context);
    dispatch_release_json(slot->mail.discount);
    json_decref(slot->prepared.tokens);
    crypto_zero(&slot->prepared, sizeof slot->prepared);
    memory_free(slot->from);
    buffer_free(&slot->message);
    memset(slot, 0, sizeof *slot);
}

int dispatch_count(const struct dispatch *d, enum slot_state state) {
    int count = 0;
    for (size_t i = 0; i < DISPATCH_SLOTS; i++)
        count += d->slots[i].state == state;
    return count;
}

int dispatch_waiting(const struct dispatch *d) {
    return dispatch_count(d, SLOT_CLAIMED) + dispatch_count(d, SLOT_ATTEMPTED);
}

int dispatch_under_way(const struct dispatch *d) {
    return dispatch_count(d, SLOT_SENDING) + dispatch_count(d, SLOT_HELD) +
           dispatch_count(d, SLOT_HANDED);
}

struct slot *dispatch_find(struct dispatch *d, int64_t mail) {
    for (size_t i = 0; i < DISPATCH_SLOTS; i++) {
        struct slot *slot = &d->slots[i];
        if ((slot->state == SLOT_SENDING || slot->state == SLOT_HELD ||
             slot->state == SLOT_HANDED) &&
            slot->mail.id == mail)
            return slot;
    }
    return NULL;
}

bool dispatch_idle(const struct dispatch *d) {
    return dispatch_count(d, SLOT_FREE) == DISPATCH_SLOTS;
}

int64_t dispatch_database_deadline(int64_t deadline_us) {
    int64_t least_us = clock_now_us() + DISPATCH_DATABASE_US;
    return deadline_us > least_us ? deadline_us : least_us;
}

static bool nothing_left(const struct dispatch *d) {
    return dispatch_waiting(d) == 0 && dispatch_under_way(d) == 0;
}

/* Until the relay says something, the next answer is due for recording, or the deadline. */
static void wait_for_relay(struct dispatch *d, int64_t deadline_us) {
    int64_t now_us = clock_now_us();
    int64_t until_us = now_us + DISPATCH_LOOK_US;
    if (dispatch_count(d, SLOT_ANSWERED) > 0)
        until_us = now_us + DISPATCH_GATHER_US;
    if (until_us > deadline_us)
        until_us = deadline_us;
    if (d->smtp && smtp_run(d->smtp, until_us) > 0)
        return;
    dispatch_take(d);
    if (dispatch_count(d, SLOT_HELD) > 0 && now_us >= d->record_at_us)
        return;
    if (d->smtp && dispatch_waiting(d) > 0 && smtp_ready(d->smtp) > 0)
        return;
    if (clock_now_us() - now_us < DISPATCH_PAUSE_US / 10)
        (void)net_wait(d->net, now_us + DISPATCH_PAUSE_US < until_us
                                   ? now_us + DISPATCH_PAUSE_US
                                   : until_us);
}

static void work(struct dispatch *d, struct settings *settings, int64_t deadline_us) {
    bool may = d->ready && settings;
    do {
        dispatch_take(d);
        dispatch_hand_over(d, deadline_us);
        dispatch_record(d, false, deadline_us);
        dispatch_watch(d);
        if (may)
            dispatch_pulse(d, deadline_us);
        dispatch_return_waiting(d, !may || d->paused, 0);
        if (may && !d->relay_down && !d->paused)
            dispatch_look(d, deadline_us);
        if (may && dispatch_begin(d, settings, deadline_us))
            continue;
        if (nothing_left(d))
            break;
        wait_for_relay(d, deadline_us);
    } while (clock_now_us() < deadline_us);
    dispatch_take(d);
    dispatch_record(d, true, deadline_us);
}

static void report_on(const struct dispatch *d, struct dispatch_report *report) {
    int64_t look_us = d->claim_at_us - clock_now_us();
    report->done = d->done;
    report->in_flight = DISPATCH_SLOTS - dispatch_count(d, SLOT_FREE);
    report->next_us = look_us > 0 ? look_us : 0;
    if (!d->ready || d->relay_down || d->paused)
        report->next_us = DISPATCH_LOOK_US;
    if (report->in_flight > 0 && report->next_us > DISPATCH_SOON_US)
        report->next_us = DISPATCH_SOON_US;
    memcpy(report->trouble, d->trouble, sizeof report->trouble);
}

/* Whoever calls wants to know now, but not in every millisecond. */
static void look_soon(struct dispatch *d) {
    int64_t soon_us = d->looked_us + DISPATCH_LOOK_LEAST_US;
    if (d->enqueue_at_us > soon_us)
        d->enqueue_at_us = soon_us;
    if (d->claim_at_us > soon_us)
        d->claim_at_us = soon_us;
}

int dispatch_run(struct dispatch *d, int64_t deadline_us, struct dispatch_report *report,
                 struct error *error) {
    struct settings *settings = NULL;
    struct error why = {0};
    settings_refresh(d->store, dispatch_database_deadline(deadline_us));
    int rc =
        settings_get(d->store, dispatch_database_deadline(deadline_us), &settings, &why);
    d->done = 0;
    d->ready = settings && dispatch_configure(d, settings);
    if (rc)
        dispatch_trouble(d, "%s", why.detail);
    look_soon(d);
    work(d, settings, deadline_us);
    if (d->ready && !d->relay_down && !d->paused)
        d->trouble[0] = '\0';
    report_on(d, report);
    settings_release(settings);
    return rc ? error_set(error, rc, why.pointer, "%s", why.detail) : 0;
}

int dispatch_release(struct dispatch *d, int64_t deadline_us, struct error *error) {
    int left;
    dispatch_return_waiting(d, true, 0);
    for (;;) {
        dispatch_take(d);
        dispatch_hand_over(d, deadline_us);
        dispatch_record(d, true, deadline_us);
        left = dispatch_under_way(d) + dispatch_count(d, SLOT_ANSWERED);
        if (left == 0 || clock_now_us() >= deadline_us)
            break;
        wait_for_relay(d, deadline_us);
    }
    return left == 0 ? 0
                     : error_set(error, ERROR_UNAVAILABLE, "",
                                 "%d mails have not come to an end", left);
}
