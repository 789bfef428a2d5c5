/* SPDX-License-Identifier: MIT */
/* One connection of a sender (private to smtp.c): EHLO, then mail after mail. Driving it
 * never waits. */
#ifndef MAIL_SMTP_DIALOGUE_H
#define MAIL_SMTP_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "io/net.h"
#include "mail/smtp.h"
#include "mail/smtp_reply.h"

enum dialogue_state {
    DIALOGUE_CLOSED = 0,
    DIALOGUE_CONNECTING,
    DIALOGUE_HELLO,
    DIALOGUE_IDLE,
    DIALOGUE_MAIL, /* the reply awaited is the one to MAIL, and so on */
    DIALOGUE_RCPT,
    DIALOGUE_DATA,
    DIALOGUE_HELD, /* 354 was said, the owner has not said go */
    DIALOGUE_BODY, /* the message is being handed over, or the reply to its dot awaited */
    DIALOGUE_EMPTY, /* the reply to a lone dot, after 354 for a mail already refused */
    DIALOGUE_RESET,
    DIALOGUE_STATES
};

struct dialogue_limits {
    int64_t reply_us, data_us, idle_us;
    int mails;
};

struct dialogue {
    const struct dialogue_limits *limits;
    struct net_stream *stream;
    enum dialogue_state state;
    int64_t deadline_us; /* of the present state; not for idle ones */
    int64_t last_us;     /* by when the present mail has ended, come what may */
    int64_t idle_since_us;
    int mails; /* begun on this connection */

    size_t hello_lines;
    bool pipelining, eight_bit, utf8, has_size;
    uint64_t most_octets;

    struct buffer out;
    size_t sent, dot_at; /* dot_at: where in out the terminating CRLF.CRLF begins */
    bool dot_handed;
    struct smtp_reply reply;

    bool busy; /* a mail is under way and not yet decided */
    struct smtp_mail mail;
    struct smtp_result result;

    /* What happened since the owner looked; the owner clears them. */
    bool decided; /* result holds */
    bool opened;
    bool held;   /* came to DIALOGUE_HELD */
    bool failed; /* no mail could be tried: result's code, enhanced, reply say why */
};

void dialogue_init(struct dialogue *d, const struct dialogue_limits *limits);
/* Begins to connect. */
int dialogue_open(struct dialogue *d, struct net *net, const struct net_target *target,
                  struct error *error);
/* Hangs up, with a QUIT nobody waits for when between mails, and frees what it holds. */
void dialogue_close(struct dialogue *d);
/* Only when idle. The mail may be decided at once: what the relay cannot carry. */
void dialogue_begin(struct dialogue *d, const struct smtp_mail *mail);
/* Only when held: hands the message over. */
void dialogue_go(struct dialogue *d);
/* Sends and reads as much as goes without waiting; checks the deadline. */
void dialogue_drive(struct dialogue *d, int64_t now_us);
/* Gives the mail under way its verdict and hangs up. */
void dialogue_lose(struct dialogue *d, const char *why);

#endif
