/* SPDX-License-Identifier: MIT */
/* Each one call of a bounded number of rows. */
#include "care/routine.h"

#include "base/clock.h"

static const struct {
    const char *sql;
    int most;
    bool seldom;
} routines[] = {
    {"SELECT vouch.case_overdue($1, $2::integer)", 100, false},
    {"SELECT vouch.case_ask($1, $2::integer)", 100, false},
    {"SELECT vouch.topic_watch($1, $2::integer)", 20, true},
    {"SELECT vouch.webhook_sweep($1, $2::integer)", 1000, true},
};

int routine_run(const struct store *store, int64_t *watched_us, int64_t deadline_us,
                int *moved, struct error *error) {
    int64_t now = clock_now_us();
    bool watch = *watched_us == 0 || now - *watched_us >= ROUTINE_WATCH_US;
    int code = 0;

    *moved = 0;
    for (size_t i = 0; i < sizeof routines / sizeof *routines && !code; i++) {
        struct db_params p;
        struct db_result *result = NULL;
        if (routines[i].seldom && !watch) {
            continue;
        }
        db_params_open(&p);
        db_add_text(&p, store->name);
        db_add_int(&p, routines[i].most);
        code = store_call(store, routines[i].sql, &p, deadline_us, &result, NULL, error);
        *moved += (int)db_int(result, 0, 0);
        db_result_free(result);
        db_params_free(&p);
    }
    if (!code && watch) {
        *watched_us = now;
    }
    return code;
}
