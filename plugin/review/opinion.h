/* SPDX-License-Identifier: MIT */
/* The outside classifier (table classifier), asked in the background about revisions that have been
   decided already. An answer may hold one; silence, errors and nonsense change nothing, and after
   failures nobody is asked for a while. */
#ifndef REVIEW_OPINION_H
#define REVIEW_OPINION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "settings.h"
#include "store.h"

enum { OPINION_CALLS = 4 };

struct opinion; /* of one store and worker: its calls in flight and its circuit breaker */

int opinion_open(struct opinion **opinion, struct error *error);
void opinion_close(struct opinion *opinion); /* accepts NULL; jobs in flight come again */
/* Goes on with what is in flight and begins more, never waiting for the network. done is added to;
   busy: calls are in flight, step again soon. */
int opinion_run(struct opinion *opinion, const struct store *store, int64_t deadline_us,
                int *done, bool *busy, struct error *error);

/* The body to send for words in the manner of kind; a new reference, NULL without memory. */
json_t *opinion_question(const char *kind, const char *model, const char *words);
/* The probability of abuse in an answer, 0..1; -1 when it is no answer. */
double opinion_answer(const char *kind, const json_t *answer);

#endif
