/* SPDX-License-Identifier: MIT */
/* One store as every room sees it, and the short way to its SQL functions. A struct store
 * lives as long as its module and is safe from any thread. */
#ifndef VOUCH_STORE_H
#define VOUCH_STORE_H

#include <stdint.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "io/db.h"
#include "io/https_guard.h"

struct settings_cache;

struct store {
    const char *name;           /* store_id */
    struct db_pool *pool;
    const struct keyring *_Atomic keys; /* NULL until known: the options name none and the
                                         * database was not reached yet */
    struct log *log;
    struct settings_cache *settings;
    const char *smtp_password;  /* from the options; NULL: none */
    const json_t *tokens;       /* the same, by name: store_token */
    const struct https_policy *https; /* where outgoing HTTPS may go; NULL: the default */
};

/* A secret of the options (secrets.tokens) that a row of configuration names; NULL: none of
 * that name. Borrowed for the life of the store. */
const char *store_token(const struct store *store, const char *name);

enum { STORE_RETRIES = 3 };

/* Calls one SQL function: a connection, the call, up to STORE_RETRIES repetitions after
 * DB_RETRY, the connection given back. result may be NULL; it is the caller's. What
 * db_call says, ERROR_UNAVAILABLE when no connection is to be had; fault may be NULL. */
int store_call(const struct store *store, const char *sql, struct db_params *params,
               int64_t deadline_us, struct db_result **result, enum db_fault *fault,
               struct error *error);
/* The same for a function whose one value is jsonb. *value is the caller's, NULL for SQL
 * NULL. */
int store_ask(const struct store *store, const char *sql, struct db_params *params,
              int64_t deadline_us, json_t **value, struct error *error);

#endif
