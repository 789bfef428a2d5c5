/* SPDX-License-Identifier: MIT */
/* /r/{token}: all delivered lines of an order on one page. GET shows, POST stores those
   lines where stars were chosen, all of them or none. */
#ifndef WEB_FORM_H
#define WEB_FORM_H

enum { FORM_LINES_MOST = 200 }; /* lines of an order that are shown */

struct exchange;

int form_serve(struct exchange *x);

#endif
