/* SPDX-License-Identifier: MIT */
/* From a text to durable rows, or to the spool (shared by event.c and emit.c alone). */
#ifndef HOOKS_EMIT_H
#define HOOKS_EMIT_H

#include "event.h"

enum { EMIT_NEEDS_SETTINGS = 1, EMIT_NEVER_SPOOLED = 2 };

/* What the types of an event, or of any event of an array, ask for. */
int event_flags(const json_t *root);
/* Checks root and makes a batch of it; *batch is the caller's, intake_drop. root is taken
 * over, on failure too, and lives as long as the batch. */
int event_build(const struct store *store, struct settings *settings, json_t *root,
                struct intake_batch **batch, struct error *error);

#endif
