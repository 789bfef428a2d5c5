/* SPDX-License-Identifier: MIT */
/* /k/{token}: the case behind an alert. GET shows what the mail told, POST takes the case. */
#ifndef WEB_ALERT_H
#define WEB_ALERT_H

struct exchange;

int alert_serve(struct exchange *x);

#endif
