/* SPDX-License-Identifier: MIT */
/* What a store's cases need done in the background. */
#ifndef CARE_ROUTINE_H
#define CARE_ROUTINE_H

#include <stdint.h>

#include "base/error.h"
#include "store.h"

enum { ROUTINE_WATCH_US = 60000000 };

/* Targets that passed, questions that are due, and, once a ROUTINE_WATCH_US by *watched_us
 * (monotonic, 0 to begin with), complaints that several share. *moved counts them. */
int routine_run(const struct store *store, int64_t *watched_us, int64_t deadline_us,
                int *moved, struct error *error);

#endif
