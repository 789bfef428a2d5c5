/* SPDX-License-Identifier: MIT */
/* The way into the spool: callers at the same time share one transaction and one fsync, so
 * that sixty-four of them in an outage wait for one disk, not for sixty-four in a row. */
#ifndef VOUCH_INTAKE_SPOOL_H
#define VOUCH_INTAKE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/spool.h"

struct spooler;

/* spool is borrowed. Released with spooler_close, which accepts NULL. */
int spooler_open(struct spool *spool, struct spooler **spooler, struct error *error);
void spooler_close(struct spooler *spooler);
/* As spool_put. Any thread. */
int spooler_put(struct spooler *spooler, const char *store, const char *const events[],
                const size_t lengths[], size_t count, int64_t deadline_us,
                struct error *error);

#endif
