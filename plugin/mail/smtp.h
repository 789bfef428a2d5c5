/* SPDX-License-Identifier: MIT */
/* A sender for one relay: a few connections, kept and reused, each carrying one mail to one
 * recipient at a time. It knows whether a mail left surely, surely not, or perhaps. One
 * thread at a time, the one of its struct net. */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/net.h"

enum { SMTP_CONNECTIONS_MAX = 32, SMTP_MESSAGE_MAX = 10 * 1024 * 1024 };

enum smtp_class {
    SMTP_ACCEPTED = 1,
    SMTP_DEFERRED = 2,  /* surely not sent, try later */
    SMTP_REFUSED = 3,   /* surely not sent, trying again is useless */
    SMTP_AMBIGUOUS = 4, /* the final dot was handed over and no answer came */
    SMTP_RELAY_DOWN = 5 /* the relay takes no mail at all (connect, TLS, login): nothing
                         * of this mail was tried, no attempt is burned */
};

/* Copied by smtp_open. Zeros and NULLs are the defaults. */
struct smtp_relay {
    const char *url, *user, *password;
    const char *name;    /* for EHLO, see struct net_target */
    const char *ca_file; /* NULL: the system's certificates */
    enum net_tls tls;
    int connections;        /* at most; 4, up to 32 */
    int mails_a_connection; /* then a new one; 100 */
    int connect_timeout_ms; /* 15 s */
    int reply_timeout_ms; /* for a group of commands, and for handing over a body; 60 s */
    int data_timeout_ms;  /* for the answer to the final dot; 600 s */
    int idle_timeout_ms;  /* an unused connection is closed at the next look; 60 s */
    int retry_ms;         /* between connects after one failed, doubled up to 60 s; 1 s */
};

/* All borrowed until its result was taken. The message is canonical: CRLF line ends, no
 * other CR, LF or NUL, lines of at most 998 octets, the last one ended. */
struct smtp_mail {
    int64_t id;
    const char *from, *to;
    const char *message;
    size_t length;
    bool hold; /* at 354 wait for smtp_go: the last moment to note that it may arrive */
};

struct smtp_result {
    int64_t id;
    enum smtp_class class;
    int code;          /* the relay's reply code, 0: no reply decided it */
    char enhanced[12]; /* "5.1.1" or "" */
    char reply[256];   /* the relay's words, or ours; may hold addresses: never log it */
    bool data_started; /* the relay had said 354 */
};

struct smtp;

/* Connects nothing. net is borrowed as long as the sender. The sender is the caller's:
 * smtp_close, which takes NULL, waits for nothing and forgets results not yet taken. */
int smtp_open(struct net *net, const struct smtp_relay *relay, struct smtp **smtp,
              struct error *error);
void smtp_close(struct smtp *smtp);

/* How many mails the caller would like to start soon: as many connections are opened by
 * smtp_ready, at most relay.connections (which is also the start value). */
void smtp_expect(struct smtp *smtp, int mails);
/* Mails that can start right now. Looks after idle connections and begins to open those
 * missing; smtp_run then carries that on. */
int smtp_ready(struct smtp *smtp);
/* True when no connection is open and the last attempt to get one failed: why, as a result
 * of class SMTP_RELAY_DOWN and id 0. */
bool smtp_trouble(const struct smtp *smtp, struct smtp_result *why);

/* Begins a mail on a ready connection. ERROR_INVALID: the envelope or the message is
 * malformed, no byte was sent, there will be no result. ERROR_UNAVAILABLE: none is ready. */
int smtp_start(struct smtp *smtp, const struct smtp_mail *mail, struct error *error);
/* Drives everything until a result is there, a mail is held, a connection became ready, connecting failed,
 * nothing is under way, or the deadline (CLOCK_MONOTONIC). Number of results waiting. */
int smtp_run(struct smtp *smtp, int64_t deadline_us);
/* A mail begun with hold came to its 354: its id, once; false when there is none. It waits
 * as long as for a reply, then ends as SMTP_DEFERRED, as it does by smtp_drop. */
bool smtp_held(struct smtp *smtp, int64_t *id);
/* Hands its message over. False when it has ended meanwhile. */
bool smtp_go(struct smtp *smtp, int64_t id);
void smtp_drop(struct smtp *smtp, int64_t id);
/* The next result, oldest first; false when there is none. */
bool smtp_take(struct smtp *smtp, struct smtp_result *result);
/* Mails started and not yet taken. */
int smtp_in_flight(const struct smtp *smtp);
/* Hangs up everywhere; what was under way ends as SMTP_DEFERRED or SMTP_AMBIGUOUS. */
void smtp_abort(struct smtp *smtp);

/* From smtp_start, or smtp_go for held mails, to the result at the latest: a lease must last
 * longer. 660 s. */
int64_t smtp_longest_us(const struct smtp *smtp);

#endif
