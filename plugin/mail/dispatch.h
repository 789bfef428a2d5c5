/* SPDX-License-Identifier: MIT */
/* The one queue of outgoing mail, seen from a worker: due mails are claimed under leases,
 * written, handed to the relay, and what became of each is recorded. A struct dispatch
 * belongs to one thread at a time; any number of them, also in other processes, share a
 * queue. Nothing here waits longer than its deadline and DISPATCH_DATABASE_US. */
#ifndef MAIL_DISPATCH_H
#define MAIL_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "io/net.h"
#include "mail/letter.h"
#include "settings.h"
#include "store.h"

enum {
    DISPATCH_CONNECTIONS = 8,
    DISPATCH_DATABASE_US = 2000000, /* a call gets at least this much */
    DISPATCH_CODE_MAX = 64
};

struct dispatch;

/* A claimed mail; all borrowed. context is what vouch.mail_contexts tells. */
struct dispatch_mail {
    int64_t id;
    const char *kind;
    const json_t *context;
    const json_t *discount; /* as vouch.mail_attempt issued it; NULL: none */
};

/* What has to be in the database before the mail may leave. Starts zeroed; dispatch frees
 * it, also after a failure. */
struct dispatch_prepared {
    json_t *tokens; /* array of {"hash","purpose","subject_id","address_key"}; or NULL */
    bool has_code;  /* this code may be issued */
    char code[DISPATCH_CODE_MAX];
    uint8_t code_hash[32];
};

/* Starts zeroed; dispatch frees it, also after a failure. */
struct dispatch_letter {
    struct letter letter;
    char *unsubscribe_url; /* memory_free; NULL: no List-Unsubscribe */
    char *locale;          /* memory_free; of Content-Language, or NULL */
    char *reply_to;        /* memory_free; an address, or NULL */
    bool listed;           /* carries a List-Id: a mail one can unsubscribe from */
};

/* How mails of one kind are written; handed down by the worker. Both must give the same
 * link and the same code each time they are asked about a mail. A failure postpones the
 * mail by an hour. */
struct dispatch_kind {
    const char *kind;
    int (*prepare)(const struct store *store, const struct settings *settings,
                   const struct dispatch_mail *mail, struct dispatch_prepared *out,
                   struct error *error);
    int (*compose)(const struct store *store, struct settings *settings,
                   const struct dispatch_mail *mail, struct dispatch_letter *out,
                   struct error *error);
};

/* Zeros are the defaults, those of struct smtp_relay but DISPATCH_CONNECTIONS. */
struct dispatch_limits {
    int connections, connect_timeout_ms, reply_timeout_ms, data_timeout_ms, retry_ms;
};

struct dispatch_report {
    int done;          /* mails that came to an end in this call */
    int in_flight;     /* mails held: claimed, under way, or not yet recorded */
    int64_t next_us;   /* when it is worth calling again, from now */
    char trouble[256]; /* why nothing goes out, for people; "" when all is well */
};

/* Connects nothing. store, net and kinds are borrowed as long as the dispatch, limits
 * (NULL: defaults) is copied. The dispatch is the caller's: dispatch_close, which takes
 * NULL and waits for nothing: what is in flight then is called ambiguous in the end. */
int dispatch_open(const struct store *store, struct net *net,
                  const struct dispatch_kind *kinds, size_t count,
                  const struct dispatch_limits *limits, struct dispatch **dispatch,
                  struct error *error);
void dispatch_close(struct dispatch *dispatch);

/* Due work until the deadline or until there is none; may leave dialogues open, which the
 * next call carries on. Always looks into the queue (at most ten times a second). 0, also
 * with trouble; ERROR_UNAVAILABLE when there are no settings yet. */
int dispatch_run(struct dispatch *dispatch, int64_t deadline_us,
                 struct dispatch_report *report, struct error *error);
/* Stopping: begins nothing, gives back what was not begun, finishes what was. 0 when
 * nothing is held any more; ERROR_UNAVAILABLE at the deadline, and it may be repeated. */
int dispatch_release(struct dispatch *dispatch, int64_t deadline_us, struct error *error);
/* Holds no mail. */
bool dispatch_idle(const struct dispatch *dispatch);

#endif
