/* SPDX-License-Identifier: MIT */
/* What keeps all mail back: a relay that takes none, and a store that is paused. */
#include "base/clock.h"
#include "mail/dispatch_inner.h"

void dispatch_return_waiting(struct dispatch *d, bool all, int again_s) {
    int64_t now_us = clock_now_us();
    for (size_t i = 0; i < DISPATCH_SLOTS; i++) {
        struct slot *slot = &d->slots[i];
        if ((slot->state == SLOT_CLAIMED || slot->state == SLOT_ATTEMPTED) &&
            (all || now_us - slot->since_us > DISPATCH_WAIT_US))
            dispatch_return(slot, again_s);
    }
}

void dispatch_watch(struct dispatch *d) {
    struct smtp_result why;
    bool down = d->smtp && smtp_trouble(d->smtp, &why);
    if (down != d->relay_down)
        d->pulse_at_us = 0;
    d->relay_down = down;
    if (!down)
        return;
    dispatch_return_waiting(d, true, DISPATCH_RELAY_PAUSE_S);
    dispatch_mask(d->relay_problem, "%d %s %s", why.code, why.enhanced, why.reply);
    dispatch_trouble(d, "the relay takes no mail: %s", d->relay_problem);
    smtp_expect(d->smtp, 1);
    (void)smtp_ready(d->smtp);
}

/* Unanswered, what was known holds. */
void dispatch_pulse(struct dispatch *d, int64_t deadline_us) {
    int64_t now_us = clock_now_us();
    struct db_params p;
    struct db_result *result = NULL;
    if (now_us < d->pulse_at_us)
        return;
    d->pulse_at_us = now_us + DISPATCH_LOOK_US;
    db_params_open(&p);
    db_add_text(&p, d->store->name);
    db_add_text(&p, d->relay_down ? d->relay_problem : NULL);
    if (!store_call(d->store, "SELECT vouch.mail_pulse($1, $2)", &p,
                    dispatch_database_deadline(deadline_us), &result, NULL, NULL)) {
        const char *why = db_value(result, 0, 0);
        d->paused = why != NULL;
        if (why)
            dispatch_trouble(d, "sending is paused: %s; vouchctl resume goes on", why);
    }
    db_result_free(result);
    db_params_free(&p);
}
