/* SPDX-License-Identifier: MIT */
/* Between the spool's file (spool_run.c) and its contents (spool.c, which alone knows
 * SQLite). */
#ifndef IO_SPOOL_RUN_H
#define IO_SPOOL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "io/spool.h"
#include "io/spool_file.h"

struct session;

/* Does a call's work in an open file; gives SQLite's code. May run again from the start. */
typedef int (*spool_work)(struct session *session, void *task);

enum verdict {
    VERDICT_DONE = 0,
    VERDICT_WAIT = 1,    /* others are in the way, the deadline is not over */
    VERDICT_UNSOUND = 2, /* *why: not a file that can be used */
    VERDICT_MOVED = 3,   /* path leads elsewhere by now, nothing was done */
    VERDICT_FAILED = 4   /* *code, error */
};

/* One opening of the marked file, and work in it. */
enum verdict spool_session(const char *path, const struct spool_mark *mark,
                           int64_t deadline_us, spool_work work, void *task,
                           const char **why, int *code, struct error *error);

/* An empty spool in an empty file: a spool_filler. */
int spool_fill(const char *path, int64_t deadline_us, struct error *error);

/* Sessions until one went well on a file that is still there. make: a missing file is
 * made; otherwise there is nothing to do then, and work is not called. */
int spool_run(struct spool *spool, bool make, int64_t deadline_us, spool_work work,
              void *task, struct error *error);

#endif
