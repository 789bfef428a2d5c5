/* SPDX-License-Identifier: MIT */
/* One HTTP request, one answer: what vouch_serve does with its JSON. No state, no I/O but
   the store's database; safe from any thread. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "store.h"

/* What the floor above hands down. */
struct web_doors {
    /* As vouch_emit: its codes; *reply is the caller's, memory_free. */
    int (*emit)(void *self, const char *event, size_t length, char **reply);
    /* As vouch_describe: a new reference. Its numbers alone are shown. */
    int (*health)(void *self, json_t **health);
    void *self;
};

/* request and *response are the JSON of DESIGN.md; *response is the caller's, memory_free.
   0 whatever the status is; ERROR_INVALID when this is no such request, ERROR_FAILED
   without memory: then *response is NULL. Over by deadline_us (doors apart). */
int web_serve(const struct store *store, const struct web_doors *doors,
              const char *request, size_t length, int64_t deadline_us, char **response,
              struct error *error);

#endif
