/* SPDX-License-Identifier: MIT */
/* Limits by network, counted in PostgreSQL so that all processes share them. Known only
   where the host tells the client's address. */
#ifndef WEB_RATE_H
#define WEB_RATE_H

#include "web/exchange.h"

/* Before a request is handled: counts a form sent from a public page, and looks whether
   this network has tried too many dead links. 0 or 429. Without an answer in time nobody
   is turned away here. */
int rate_admit(const struct exchange *x);
/* After it: counts a link that opened nothing. */
void rate_miss(const struct exchange *x, int status);

/* The network this request came from, as the database knows it; false when it is not known. */
bool rate_key(const struct exchange *x, uint8_t hash[32]);

#endif
