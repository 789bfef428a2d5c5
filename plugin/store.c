/* SPDX-License-Identifier: MIT */
/* The short way to a store's SQL functions. */
#include "store.h"

#include <stddef.h>

static int store_try(const struct store *store, const char *sql,
                     struct db_params *params, int64_t deadline_us,
                     struct db_result **result, enum db_fault *fault,
                     struct error *error) {
    struct db *db = NULL;
    int code = db_acquire(store->pool, deadline_us, &db, error);
    if (code) {
        *fault = DB_UNREACHED;
        return code;
    }
    code = db_call(db, sql, params, deadline_us, result, fault, error);
    db_release(db);
    return code;
}

int store_call(const struct store *store, const char *sql, struct db_params *params,
               int64_t deadline_us, struct db_result **result, enum db_fault *fault,
               struct error *error) {
    enum db_fault met = DB_FINE;
    struct error why;
    int code = ERROR_UNAVAILABLE;

    for (int i = 0; i <= STORE_RETRIES; i++) {
        why = (struct error){0};
        code = store_try(store, sql, params, deadline_us, result, &met, &why);
        if (met != DB_RETRY) {
            break;
        }
    }
    if (code) {
        error_set(error, code, why.pointer, "%s", why.detail);
    }
    if (fault) {
        *fault = met;
    }
    return code;
}

int store_ask(const struct store *store, const char *sql, struct db_params *params,
              int64_t deadline_us, json_t **value, struct error *error) {
    struct db_result *result = NULL;
    int code = store_call(store, sql, params, deadline_us, &result, NULL, error);

    *value = NULL;
    if (!code && db_value(result, 0, 0)) {
        *value = db_json(result, 0, 0);
        code = *value ? 0
                      : error_set(error, ERROR_FAILED, "",
                                  "the database's answer could not be read");
    }
    db_result_free(result);
    return code;
}

const char *store_token(const struct store *store, const char *name) {
    return name ? json_string_value(json_object_get(store->tokens, name)) : NULL;
}
