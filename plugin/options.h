/* SPDX-License-Identifier: MIT */
/* The options of vouch_open, read and checked once; immutable afterwards. */
#ifndef VOUCH_OPTIONS_H
#define VOUCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "io/https_guard.h"

enum {
    OPTIONS_STORES_MOST = 1000,
    OPTIONS_EMIT_DEADLINE_MS = 500,
    OPTIONS_EMIT_DEADLINE_MOST_MS = 60000
};

struct options {
    char *database; /* connection URL; NULL: libpq's environment */
    char **stores;  /* at least one; "*" alone: every store of the database */
    size_t store_count;
    char *spool; /* NULL: none, events are refused while PostgreSQL is away */
    int emit_deadline_ms;
    char *key; /* NULL: the one kept in the database */
    char *smtp_password;
    json_t *tokens; /* of other people's services, by name; NULL: none */
    const char **https_allow;
    char *https_ca_file;
    struct https_policy https; /* of the two */
    char *log_level, *log_file;
    char *identity; /* canonical text of all of it: equal options, equal text */
};

/* text: JSON; without "database" VOUCH_DATABASE_URL is taken. NULL: VOUCH_STORE as well.
 * The environment is read here and never later. Unknown members are refused. The options are the caller's,
 * released (secrets zeroed) with options_free, which accepts NULL. */
int options_read(const char *text, struct options **options, struct error *error);
void options_free(struct options *options);

#endif
