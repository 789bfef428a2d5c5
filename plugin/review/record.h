/* SPDX-License-Identifier: MIT */
/* The signed record: the worker links new decisions into a store's chain and signs its end
 * with the module's key (Ed25519, RFC 8032), which no SQL role holds. */
#ifndef REVIEW_RECORD_H
#define REVIEW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store.h"

enum { RECORD_LINKS_MOST = 500 };

/* *linked: decisions added, 0 when there were none or another process was quicker. */
int record_link(const struct store *store, int64_t deadline_us, int *linked,
                struct error *error);

/* Signs a head with another keyring, as a change of the key asks for. 0 or an error. */
int record_sign(const struct keyring *keys, const char *store, int64_t sequence,
                const uint8_t hash[32], uint8_t signature[64]);

/* Whether a row of vouch.record_head_of (sequence, hash, signature, public_key) bears a
 * genuine signature; public_key is whose it is. */
bool record_signed(const char *store, const struct db_result *head, uint8_t public_key[32]);

#endif
