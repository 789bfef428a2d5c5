/* SPDX-License-Identifier: MIT */
/* What operators decided, taken to a store's model step by step; one unit of work. */
#ifndef REVIEW_LESSON_H
#define REVIEW_LESSON_H

#include "base/error.h"
#include "store.h"

/* A batch of one language, once five decisions wait for a language that has a model. *learned
   counts them. 0 or an error's code. */
int lesson_run(const struct store *store, int64_t deadline_us, int *learned,
               struct error *error);

#endif
