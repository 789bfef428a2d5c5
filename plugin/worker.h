/* SPDX-License-Identifier: MIT */
/* Background work. vouch_step is the one bounded unit of it; threads are a shell around
 * the same step. */
#ifndef VOUCH_WORKER_H
#define VOUCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "module.h"

struct step_report {
    int done;        /* units of work: events replayed, mails ended, holds moved … */
    int in_flight;   /* dialogues still open */
    int64_t next_us; /* when it is worth stepping again, from now */
};

/* One step in the calling thread, back by the deadline. ERROR_UNAVAILABLE: PostgreSQL is
 * away. */
int worker_step(struct vouch *module, int64_t deadline_us, struct step_report *report,
                struct error *error);
/* Starts threads. ERROR_MISUSE: already started; ERROR_FAILED: none is left over. */
int worker_start(struct vouch *module, int threads, struct error *error);
/* Ends threads and what is in flight. ERROR_MISUSE: not by the deadline; ask again. */
int worker_stop(struct vouch *module, int64_t deadline_us, int *in_flight,
                struct error *error);
/* Waits for the earlier of two times, or until woken; true when vouch_stop did it. */
bool worker_pause(struct vouch *module, int64_t a_us, int64_t b_us);
/* Something came in: a sleeping thread looks now. */
void worker_wake(struct vouch *module);
void worker_free_all(struct vouch *module);

#endif
