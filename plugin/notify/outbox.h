/* SPDX-License-Identifier: MIT */
/* Events for the store, as vouch_take and vouch_ack hand them out. Safe from any thread. */
#ifndef NOTIFY_OUTBOX_H
#define NOTIFY_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store.h"

enum { OUTBOX_ID_MAX = 100 };

/* The oldest event nobody holds, as CloudEvents JSON; *event is the caller's, memory_free,
 * NULL when there is none. It comes again after 30 seconds unless acknowledged. */
int outbox_take(const struct store *store, int64_t deadline_us, char **event,
                struct error *error);
/* *known: it was there. False for a repetition and for what never was (outbox_is_own
 * tells them apart as far as that is possible). */
int outbox_ack(const struct store *store, const char *id, int64_t deadline_us,
               bool *known, struct error *error);
/* The id has the form of this store's events: "STORE:NUMBER". */
bool outbox_is_own(const struct store *store, const char *id);

#endif
