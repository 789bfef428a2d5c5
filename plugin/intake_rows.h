/* SPDX-License-Identifier: MIT */
/* Batches as the arrays of vouch.ingest (private to intake.c). */
#ifndef VOUCH_INTAKE_ROWS_H
#define VOUCH_INTAKE_ROWS_H

#include "intake.h"
#include "io/db.h"

#define INTAKE_SQL                                                                       \
    "SELECT vouch.ingest($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18," \
    "$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34,$35,$36,$37,$38,"   \
    "$39,$40)"

#define INTAKE_ORDER_SQL                                                                 \
    "SELECT vouch.ingest_order($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,"  \
    "$17,$18,$19,$20,$21,$22,$23,$24,$25,$26)"

/* Fills the parameters of INTAKE_ORDER_SQL with an event that has an order. */
void intake_order(struct db_params *p, const char *store, const struct intake_event *e);

/* Fills the parameters of INTAKE_SQL with all events of count batches. */
void intake_rows(struct db_params *p, const char *store,
                 struct intake_batch *const batches[], size_t count);

#endif
