/* SPDX-License-Identifier: MIT */
/* What the files of dispatch share. A mail lives in a slot from its claim until its end is
 * in the database; whatever a slot loses, its lease running out brings back. */
#ifndef MAIL_DISPATCH_INNER_H
#define MAIL_DISPATCH_INNER_H

#include "base/buffer.h"
#include "base/log_mask.h"
#include "mail/dispatch.h"
#include "mail/sender.h"
#include "mail/smtp.h"

enum {
    DISPATCH_SLOTS = 96,
    DISPATCH_CLAIM_MOST = 50,
    DISPATCH_BATCH = 100,        /* requests moved, leases recovered per call */
    DISPATCH_CLAIM_LEASE_S = 45, /* before the attempt */
    DISPATCH_WAIT_US = 30000000, /* a claimed mail waits for a connection */
    DISPATCH_START_US = 5000000, /* from the attempt to the first byte */
    DISPATCH_FRESH_US = 250000,  /* an attempt waits for a connection, then it asks again */
    DISPATCH_PACE_US = 100000,   /* attempts are made ahead for so long */
    DISPATCH_AHEAD_MOST = 48,
    DISPATCH_GATHER_US = 30000,  /* answers wait for company */
    DISPATCH_RETRY_US = 250000,  /* after the database failed */
    DISPATCH_LOOK_US = 1000000,  /* at an empty queue */
    DISPATCH_LOOK_LEAST_US = 100000,
    DISPATCH_RECOVER_US = 1000000,
    DISPATCH_POSTPONE_S = 3600, /* a mail that cannot be written */
    DISPATCH_RELAY_PAUSE_S = 1
};

enum slot_state {
    SLOT_FREE = 0,
    SLOT_CLAIMED = 1,  /* leased, nothing begun */
    SLOT_SENDING = 2,  /* its attempt is in the database, the relay hears of it */
    SLOT_ANSWERED = 3, /* the relay decided, the database does not know yet */
    SLOT_RETURNED = 4, /* nothing of it left: the lease is to be given back */
    SLOT_HELD = 5,     /* the relay asks for the message */
    SLOT_HANDED = 6,   /* it may arrive from here on */
    SLOT_ATTEMPTED = 7 /* its attempt is in the database, a connection is due any moment */
};

struct slot {
    enum slot_state state;
    const struct dispatch_kind *kind; /* NULL: unknown to us */
    struct dispatch_mail mail;        /* context and discount are the slot's own */
    int64_t lease, lease_end_us;      /* by our clock, on the safe side */
    int64_t since_us;                 /* in this state */
    int again_s;                      /* SLOT_RETURNED: due again in so long */
    struct dispatch_prepared prepared;
    char *from;
    struct buffer message;
    struct smtp_result result;
};

struct dispatch {
    const struct store *store;
    struct net *net;
    const struct dispatch_kind *kinds;
    size_t kind_count;
    struct dispatch_limits limits;

    struct smtp *smtp; /* NULL until the settings name a relay */
    char *relay;       /* what it was opened with */
    struct sender from, asking; /* asking: of what one can unsubscribe from */
    char *base_url, *return_path;
    bool ready;         /* the settings allow sending */

    int64_t enqueue_at_us, claim_at_us, recover_at_us, record_at_us;
    int64_t looked_us;
    int64_t pace_at_us; /* mails begun since then, and in the stretch before */
    int pace_now, pace_before;
    int done;
    bool relay_down, paused;
    char relay_problem[LOG_MESSAGE_BYTES]; /* without addresses; while it is down */
    int64_t pulse_at_us;
    char trouble[256];
    struct slot slots[DISPATCH_SLOTS];
};

/* dispatch_relay.c: sender and relay as the settings say. False with trouble told when
 * nothing can go out, or while the old relay's mails end. */
bool dispatch_configure(struct dispatch *d, const struct settings *settings);
void dispatch_relay_close(struct dispatch *d);
/* Sets trouble, and logs it when it is new. */
void dispatch_trouble(struct dispatch *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* dispatch_pulse.c: tells the store that this worker is here and how it finds the relay, about
 * once a second, and learns whether sending is paused. */
void dispatch_pulse(struct dispatch *d, int64_t deadline_us);
/* The breaker: while the relay takes nothing, nothing is claimed, and a single connection is
 * tried at the pace smtp sets. */
void dispatch_watch(struct dispatch *d);
/* Claims are worth nothing without a connection: others may have them. All, or those that
 * waited too long. */
void dispatch_return_waiting(struct dispatch *d, bool all, int again_s);

/* dispatch_claim.c: recover, enqueue, claim as far as connections have use for it. */
void dispatch_look(struct dispatch *d, int64_t deadline_us);

/* dispatch_attempt.c: as many claimed mails as connections are ready. True when one was. */
bool dispatch_begin(struct dispatch *d, struct settings *settings, int64_t deadline_us);
/* How many mails the next moment is likely to begin, beyond the connections ready now. */
int dispatch_ahead(struct dispatch *d);
/* Notes that the held mails may arrive, and hands them over. */
void dispatch_hand_over(struct dispatch *d, int64_t deadline_us);
/* $1 to $3: the store, mails, leases. */
void dispatch_add_keys(const struct dispatch *d, struct slot *const slots[], size_t count,
                       struct db_params *p);
/* Mails and leases alone. */
void dispatch_add_leases(struct slot *const slots[], size_t count, struct db_params *p);

/* dispatch_settle.c */
void dispatch_take(struct dispatch *d); /* the relay's answers into their slots */
void dispatch_record(struct dispatch *d, bool all, int64_t deadline_us);
void dispatch_return(struct slot *slot, int again_s);
/* Relays like to repeat the recipient, and replies outlive erasures. */
void dispatch_mask(char out[LOG_MESSAGE_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* $5 to $10 of vouch.mail_turn, behind the keys of the ended mails. */
void dispatch_add_results(struct slot *const slots[], size_t count, struct db_params *p);
void dispatch_tell_late(struct dispatch *d, size_t count, int64_t settled);
/* Their ends are in the database. */
void dispatch_finish(struct dispatch *d, struct slot *const slots[], size_t count);
/* The slots of one state, and when returned of one pause. */
size_t dispatch_gather(struct dispatch *d, enum slot_state state, int again_s,
                       struct slot *out[DISPATCH_SLOTS]);

/* dispatch.c */
int dispatch_count(const struct dispatch *d, enum slot_state state);
/* Mails claimed that wait for a connection. */
int dispatch_waiting(const struct dispatch *d);
/* Mails the relay has heard of and not decided. */
int dispatch_under_way(const struct dispatch *d);
/* The slot whose mail is under way; NULL. */
struct slot *dispatch_find(struct dispatch *d, int64_t mail);
void dispatch_free_slot(struct slot *slot);
void dispatch_release_json(const json_t *value);
int64_t dispatch_database_deadline(int64_t deadline_us);

#endif
