/* SPDX-License-Identifier: MIT */
/* Variable envelope return paths: an address of its own for each mail, so that what comes
 * back tells which mail it was, signed so that nobody can make one up. Pure. */
#ifndef MAIL_VERP_H
#define MAIL_VERP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

enum { VERP_ADDRESS_SIZE = 255 };

/* store.return_path with its {mail} replaced: bounces+m42-9f86d081884c7d65@shop.example;
 * pattern as it is without one. False when that is no address (64 octets in front of @). */
bool verp_write(const struct keyring *keys, const char *store, const char *pattern,
                int64_t mail, char out[VERP_ADDRESS_SIZE]);
/* The mail whose token stands in address, in any case; false for none, and for a forgery. */
bool verp_read(const struct keyring *keys, const char *store, const char *address,
               int64_t *mail);

#endif
