/* SPDX-License-Identifier: MIT */
/* The chores, each one call. */
#include "review/chore.h"

#include "review/lesson.h"
#include "review/record.h"

enum { CHORE_HOLDS = 50, CHORE_CHANGES = 1000, CHORE_CODES = 200, CHORE_ARRIVALS = 1000 };

static const struct {
    const char *sql;
    int most;
} chores[] = {
    {"SELECT vouch.hold_sweep($1, $2::integer)", CHORE_HOLDS},
    {"SELECT vouch.rating_fold($1, $2::integer)", CHORE_CHANGES},
    {"SELECT vouch.discount_sweep($1, $2::integer)", CHORE_CODES},
    {"SELECT vouch.signal_sweep($1, $2::integer)", CHORE_ARRIVALS},
};

int chore_run(const struct store *store, int64_t deadline_us, int *moved,
              struct error *error) {
    int linked = 0;
    int code = 0;

    *moved = 0;
    for (size_t i = 0; i < sizeof chores / sizeof *chores && !code; i++) {
        struct db_params p;
        struct db_result *result = NULL;
        db_params_open(&p);
        db_add_text(&p, store->name);
        db_add_int(&p, chores[i].most);
        code = store_call(store, chores[i].sql, &p, deadline_us, &result, NULL, error);
        *moved += (int)db_int(result, 0, 0);
        db_result_free(result);
        db_params_free(&p);
    }
    if (!code) {
        code = record_link(store, deadline_us, &linked, error);
        *moved += linked;
    }
    if (!code) {
        code = lesson_run(store, deadline_us, &linked, error);
        *moved += linked;
    }
    return code;
}
