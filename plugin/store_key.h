/* SPDX-License-Identifier: MIT */
/* Keyrings from what the database keeps: bytea as PostgreSQL prints it. */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "base/crypto.h"

/* Of the secret kept in the database. The keyring is the caller's; ERROR_FAILED when the
 * text is none. */
int store_key_kept(const char *text, struct keyring **keys, struct error *error);
/* keys with what an earlier key left for them (vouch.key_carried). *whole is the caller's,
 * NULL when text is: nothing was left. */
int store_key_carried(const struct keyring *keys, const char *text,
                      struct keyring **whole, struct error *error);

#endif
