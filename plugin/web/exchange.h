/* SPDX-License-Identifier: MIT */
/* One request being answered: what was asked, checked, and the answer as it grows. Belongs
   to one thread, lives on the heap. */
#ifndef WEB_EXCHANGE_H
#define WEB_EXCHANGE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "settings.h"
#include "store.h"
#include "web/query.h"
#include "web/route.h"
#include "web/target.h"
#include "web/web.h"

enum {
    EXCHANGE_REQUEST_MOST = 24 << 20, /* bytes of the request's JSON */
    EXCHANGE_ANSWER_MOST = 16 << 20,
    EXCHANGE_ID_MOST = 200
};

struct exchange {
    const struct store *store;
    const struct web_doors *doors;
    int64_t deadline_us;

    json_t *request; /* owns what is borrowed below */
    const char *method;
    struct target target;
    json_t *headers;
    const char *body;
    size_t body_length;
    const char *client_address; /* "" when the host did not say */
    const char *operator_name;  /* "" for everybody else */
    unsigned role;              /* 0 for everybody else */

    const struct route *route;
    const char *argument; /* what stands in the route's braces */
    struct query query, form;
    struct settings *settings; /* NULL while the database is away */
    const char *locale;        /* one of those shipped, static */
    bool localized;            /* it was chosen */

    int status;
    json_t *answer_headers;
    struct buffer answer;
    json_t *next; /* a target whose body is to be appended; NULL: none */
};

/* 0 or an HTTP status that refuses it; ERROR_INVALID (negative) and error when it is no
   request. x is zeroed before and released with exchange_free in any case. */
int exchange_read(struct exchange *x, const char *request, size_t length,
                  struct error *error);
void exchange_free(struct exchange *x);

bool exchange_unsafe(const struct exchange *x); /* a POST */
const char *exchange_header(const struct exchange *x, const char *name);
/* Reads the body as a form, by its content type. 0, 400, 413, 415 or 500. */
int exchange_form(struct exchange *x, bool multipart);
/* Chooses x->locale: ?lang=, else wished (what the mail was written in, may be NULL), else
   Accept-Language, else the store's own. */
void exchange_localize(struct exchange *x, const char *wished);
/* The HTTP status for a failed call's code; 4xx and 5xx. Logs what is our own fault. */
int exchange_fault(const struct exchange *x, int code, const struct error *error);
/* Calls a function whose arguments are the store and x->argument's hash as a token, and
   then more (NULL: none). *value is the caller's, NULL for SQL NULL. 0 or a status. */
int exchange_ask(const struct exchange *x, const char *sql, const json_t *more,
                 json_t **value);
/* Names shipped, NULL behind the last. Static. */
const char *exchange_locale_at(size_t index);

#endif
