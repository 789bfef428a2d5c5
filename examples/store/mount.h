/* SPDX-License-Identifier: MIT */
/* Where Vouch's pages hang in this shop: /reviews/…, and the two pieces of Vouch that the
 * shop sets into its own product pages. */
#ifndef SHOP_MOUNT_H
#define SHOP_MOUNT_H

#include "http.h"

/* The page for everything under /reviews: asks Vouch, and gives its answer as it is. */
http_page mount_page;

/* Appends the body of a GET of `target`; false, and nothing appended, unless the
 * answer is 200 and of that content type. `accept` goes with the request. */
bool mount_fetch(struct store *store, const char *target, const char *accept,
                 struct text *out);

#endif
