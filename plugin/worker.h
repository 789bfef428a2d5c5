/* SPDX-License-Identifier: MIT */
/* Background work. vouch_step is the one bounded unit of it; threads are a shell around
 * the same step. */
#ifndef VOUCH_WORKER_H
#define VOUCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "module.h"

enum { WORKER_IDLE_US = 1000000 }; /* nothing known to be due: look again */

struct step_report {
    int done;        /* units of work: events replayed, mails ended, holds moved … */
    int in_flight;   /* dialogues still open */
    int64_t next_us; /* when it is worth stepping again, from now */
};

/* One step in the calling thread, back by the deadline; a database that does not answer
 * takes worker_patience once more. Nothing while worker_stop is at work.
 * ERROR_UNAVAILABLE: PostgreSQL is away, or too many steps run already. */
int worker_step(struct vouch *module, int64_t deadline_us, struct step_report *report,
                struct error *error);
/* The deadline of a statement in a step: even a small budget gives one a fair chance. */
int64_t worker_patience(int64_t deadline_us);
/* Stopping, and no step runs: ends the dialogues of all workers. How many workers still
 * have some. */
int worker_release_all(struct vouch *module, int64_t deadline_us);
void worker_free_all(struct vouch *module);

/* worker_crew.c: threads that step. */
/* ERROR_MISUSE: already started; ERROR_FAILED: none is left over. */
int worker_start(struct vouch *module, int threads, struct error *error);
/* Ends threads and what is in flight. ERROR_MISUSE: not by the deadline; ask again. */
int worker_stop(struct vouch *module, int64_t deadline_us, int *in_flight,
                struct error *error);
/* Waits until then, or until vouch_stop was called since worker_stops told stops: true. */
bool worker_pause(struct vouch *module, unsigned stops, int64_t until_us);
unsigned worker_stops(struct vouch *module);

#endif
