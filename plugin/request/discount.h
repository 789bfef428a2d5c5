/* SPDX-License-Identifier: MIT */
/* Discount codes: one per order, made from the key, so that no table needs to hold it and a
 * repeated mail carries it again. Pure; nothing here sees a rating or a text. */
#ifndef REQUEST_DISCOUNT_H
#define REQUEST_DISCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"
#include "store.h"

enum { DISCOUNT_CODE_SIZE = 64, DISCOUNT_PREFIX_MAX = 8 };

/* The order's code as it is printed, discount_policy.prefix in front, a check character
 * behind. False without a
 * policy or without a key. */
bool discount_code(const struct store *store, const struct settings *settings,
                   const char *order_id, char out[DISCOUNT_CODE_SIZE]);
/* The same for a known key and prefix (NULL: none). */
void discount_print(const struct keyring *keys, const char *store, const char *order_id,
                    const char *prefix, char out[DISCOUNT_CODE_SIZE]);
/* What discount_code.code_hash holds, from a code as somebody typed it: case, hyphens,
 * spaces, O for 0, I and L for 1, and the prefix make no difference. False for what cannot
 * be a code, mistyped ones included, and without a key. */
bool discount_hash(const struct store *store, const char *typed, size_t n,
                   uint8_t out[32]);

/* Who tries codes, for discount_miss: a client's address, of IPv6 its /64, or without one
 * (NULL) the order. Needs a key. */
void discount_client(const struct store *store, const char *client_address,
                     const char *order_id, uint8_t out[32]);

#endif
