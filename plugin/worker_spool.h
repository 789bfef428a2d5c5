/* SPDX-License-Identifier: MIT */
/* Draining the spool (private to worker.c). */
#ifndef VOUCH_WORKER_SPOOL_H
#define VOUCH_WORKER_SPOOL_H

#include <stdint.h>

#include "base/error.h"
#include "module.h"

/* Replays what waits for the stores of this module, oldest first, beginning with another
 * store each turn, until there is none or half of the time to the deadline is over: live
 * work is not starved. Adds to *done. ERROR_UNAVAILABLE: PostgreSQL is away. */
int worker_drain(struct vouch *module, size_t turn, int64_t deadline_us, int *done,
                 struct error *error);

#endif
