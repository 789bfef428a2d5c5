/* SPDX-License-Identifier: MIT */
/* What a store's reviews need done in the background. */
#ifndef REVIEW_CHORE_H
#define REVIEW_CHORE_H

#include <stdint.h>

#include "base/error.h"
#include "store.h"

/* Holds past their deadline, rating changes not yet folded, decisions not yet in the
 * signed record: a bounded share of each. *moved counts them. */
int chore_run(const struct store *store, int64_t deadline_us, int *moved,
              struct error *error);

#endif
