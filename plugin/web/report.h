/* SPDX-License-Identifier: MIT */
/* Reports about a published review, by anybody (DSA Art. 16), and what became of one. */
#ifndef WEB_REPORT_H
#define WEB_REPORT_H

#include "web/exchange.h"

int report_serve(struct exchange *x);        /* /reviews/{id}/report */
int report_status_serve(struct exchange *x); /* /n/{token}, for who reported */

#endif
