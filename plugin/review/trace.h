/* SPDX-License-Identifier: MIT */
/* What ties a submission to others: the print of its text, the network it came from, staff. Added to
   the body for the SQL functions that compare. */
#ifndef REVIEW_TRACE_H
#define REVIEW_TRACE_H

#include "review/submission.h"

/* Adds "print" and "client_key" to body, and "insider" to its reasons. */
int trace_add(const struct store *store, const struct settings *settings,
              const struct submission *submission, json_t *body, struct error *error);

#endif
