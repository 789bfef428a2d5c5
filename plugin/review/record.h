/* SPDX-License-Identifier: MIT */
/* The signed record: the worker links new decisions into a store's chain and signs its end
 * with the module's key (Ed25519, RFC 8032), which no SQL role holds. */
#ifndef REVIEW_RECORD_H
#define REVIEW_RECORD_H

#include <stdint.h>

#include "base/error.h"
#include "store.h"

enum { RECORD_LINKS_MOST = 500 };

/* *linked: decisions added, 0 when there were none or another process was quicker. */
int record_link(const struct store *store, int64_t deadline_us, int *linked,
                struct error *error);

enum record_state { RECORD_EMPTY, RECORD_SIGNED, RECORD_FORGED, RECORD_OTHER_KEY };

/* Whether the end of the chain carries a good signature, and of this module's key. */
int record_verify(const struct store *store, int64_t deadline_us,
                  enum record_state *state, int64_t *sequence, struct error *error);

#endif
