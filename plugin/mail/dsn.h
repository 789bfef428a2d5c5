/* SPDX-License-Identifier: MIT */
/* Reads what comes back when a mail could not be delivered, or was complained about:
 * delivery status notifications (RFC 3464), feedback reports (RFC 5965), and the plain
 * texts of qmail and older Exims; also the status part alone. Pure; anything may be handed in, nothing is believed
 * here: whether Vouch ever sent such a mail is for the caller to find out. */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>
#include <stddef.h>

enum {
    DSN_MOST_BYTES = 65536, /* what stands behind is not read */
    DSN_RECIPIENTS_MOST = 20,
    DSN_ADDRESS_SIZE = 255,
    DSN_WORD_SIZE = 16,
    DSN_ID_SIZE = 512
};

struct dsn_recipient {
    char address[DSN_ADDRESS_SIZE]; /* as the sender wrote it where told, else the final */
    char action[DSN_WORD_SIZE];     /* failed delayed delivered relayed expanded, or "" */
    char status[DSN_WORD_SIZE];     /* RFC 3463 "5.1.1", or "" */
};

struct dsn {
    struct dsn_recipient recipients[DSN_RECIPIENTS_MOST];
    size_t count;
    char message_id[DSN_ID_SIZE];   /* of the mail it is about, without brackets, or "" */
    char mailbox[DSN_ADDRESS_SIZE]; /* where the report went: our return path, or "" */
};

/* False when nothing in it tells of a mail of ours. */
bool dsn_read(const char *text, size_t n, struct dsn *dsn);
/* The recipient that counts: the first that failed, else the first; NULL: none. */
const struct dsn_recipient *dsn_verdict(const struct dsn *dsn);

#endif
