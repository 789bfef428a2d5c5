/* SPDX-License-Identifier: MIT */
/* The keys under which the tables know a person: keyed hashes that give nobody away. */
#ifndef REVIEW_PERSON_H
#define REVIEW_PERSON_H

#include <stdint.h>

#include "base/error.h"
#include "store.h"

/* While the store's keys are unknown a key is zeros, and only the checks count. */
/* Of a mail address; equivalent spellings give the same key. ERROR_INVALID, with pointer,
 * for what is no address. */
int person_address_key(const struct store *store, const char *email, const char *pointer,
                       uint8_t key[32], struct error *error);
/* Of the store's own id of a customer; never equal to an address's key. */
int person_customer_key(const struct store *store, const char *customer_id,
                        uint8_t key[32], struct error *error);

#endif
