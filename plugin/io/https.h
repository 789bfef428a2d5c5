/* SPDX-License-Identifier: MIT */
/* Requests to other people's servers, over HTTPS only and within the rules of https_guard.h: the
   address is judged at the moment it is connected to, so that no name can be resolved twice; no
   redirect is followed, no proxy is used. A call belongs to one thread at a time. For background
   work only, never within a caller's deadline or a transaction. */
#ifndef IO_HTTPS_H
#define IO_HTTPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/https_guard.h"

enum { HTTPS_HEADERS_MOST = 16, HTTPS_TIMEOUT_MS = 10000, HTTPS_REPLY_MAX = 1 << 20 };

/* Everything is borrowed until https_start returned, but policy, which must outlive the call. */
struct https_ask {
    const struct https_policy *policy; /* NULL: the strict default */
    const char *url;
    const char *const *headers; /* "Name: value"; a Content-Type among them */
    size_t header_count;
    const char *body; /* NULL: GET */
    size_t body_length;
    size_t reply_max; /* a longer reply is a failure; 0: HTTPS_REPLY_MAX */
    int timeout_ms;   /* from the name's lookup to the last byte; 0: HTTPS_TIMEOUT_MS */
};

enum https_failure {
    HTTPS_FINE = 0,      /* there is a status, whatever it says */
    HTTPS_REFUSED = 1,   /* by our own rules: nothing was connected */
    HTTPS_UNREACHED = 2, /* no name, no connection: nothing was sent */
    HTTPS_TLS = 3,       /* the certificate does not hold */
    HTTPS_TIMEOUT = 4,
    HTTPS_TOO_LONG = 5, /* the reply */
    HTTPS_LOST = 6      /* the connection, perhaps after the request was read */
};

struct https_reply {
    enum https_failure failure;
    int status;            /* 0 when there is none */
    int64_t retry_after_s; /* as the server asks, 0 when it does not */
    const char *body;      /* NUL-terminated behind length; borrowed from the call */
    size_t length;
    char detail[256]; /* of a failure, for people */
};

struct https_call;

/* Whether a url could be asked at all: connects nothing, looks up nothing. pointer: of the field. */
int https_check(const struct https_policy *policy, const char *url, const char *pointer,
                struct error *error);
/* Begins; *call is the caller's, released with https_close. ERROR_INVALID when url or a header
   breaks a rule. */
int https_start(const struct https_ask *ask, struct https_call **call,
                struct error *error);
/* Goes on until it is done, true, or the deadline. */
bool https_run(struct https_call *call, int64_t deadline_us);
/* Of a call that is done. Borrowed from it. */
const struct https_reply *https_reply(const struct https_call *call);
/* Accepts NULL. Ends what is not done. */
void https_close(struct https_call *call);
/* All in one: 0 with a call that is done (by failure HTTPS_TIMEOUT when the deadline came first). */
int https_post(const struct https_ask *ask, int64_t deadline_us, struct https_call **call,
               struct error *error);

#endif
