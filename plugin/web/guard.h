/* SPDX-License-Identifier: MIT */
/* Who may, and from where. All answer 0 or 403; what is not clearly allowed is refused. */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include "web/exchange.h"

/* The operator, as the host named him, has a role of this route. */
int guard_role(const struct exchange *x, const struct route *route);
/* An unsafe request comes from our own page, or from no page at all. A page with
   no-referrer sends "Origin: null" even to itself: Sec-Fetch-Site tells then. */
int guard_origin(const struct exchange *x, const struct route *route);
/* The CSRF token of this operator and route, from today or yesterday, as x-csrf-token or
   as form field "csrf". */
int guard_token(const struct exchange *x, const struct route *route);
/* For the forms that an operator is shown. Empty without a key. */
void guard_make(const struct exchange *x, const struct route *route, char out[44]);

#endif
