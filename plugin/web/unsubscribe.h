/* SPDX-License-Identifier: MIT */
/* /u/{token}: GET asks, POST does it at once, as RFC 8058 wants: no redirect, no cookie, no
   token, as often as one likes. */
#ifndef WEB_UNSUBSCRIBE_H
#define WEB_UNSUBSCRIBE_H

struct exchange;

int unsubscribe_serve(struct exchange *x);

#endif
