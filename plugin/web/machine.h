/* SPDX-License-Identifier: MIT */
/* What programs ask: POST /events, /healthz, /metrics. Counts only, nobody's data. */
#ifndef WEB_MACHINE_H
#define WEB_MACHINE_H

struct exchange;

int machine_events(struct exchange *x);
int machine_health(struct exchange *x);
int machine_metrics(struct exchange *x);

#endif
