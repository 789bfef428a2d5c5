/* SPDX-License-Identifier: MIT */
/* Two SQL functions, and the form of an id. */
#include "notify/outbox.h"

#include <string.h>

#include "base/memory.h"

enum { OUTBOX_DIGITS_MAX = 18 };

int outbox_take(const struct store *store, int64_t deadline_us, char **event,
                struct error *error) {
    json_t *taken = NULL;
    struct db_params p;
    int rc;
    *event = NULL;
    db_params_open(&p);
    db_add_text(&p, store->name);
    rc = store_ask(store, "SELECT vouch.outbox_take($1)", &p, deadline_us, &taken, error);
    if (!rc && taken) {
        *event = json_write(taken);
        if (!*event)
            rc = error_set(error, ERROR_FAILED, "", "no memory for an event");
    }
    json_decref(taken);
    db_params_free(&p);
    return rc;
}

int outbox_ack(const struct store *store, const char *id, int64_t deadline_us,
               bool *known, struct error *error) {
    struct db_result *result = NULL;
    struct db_params p;
    int rc;
    *known = false;
    db_params_open(&p);
    db_add_text(&p, store->name);
    db_add_text(&p, id);
    rc = store_call(store, "SELECT vouch.outbox_ack($1, $2)", &p, deadline_us, &result,
                    NULL, error);
    if (!rc)
        *known = db_bool(result, 0, 0);
    db_result_free(result);
    db_params_free(&p);
    return rc;
}

bool outbox_is_own(const struct store *store, const char *id) {
    size_t n = strlen(store->name);
    size_t digits;
    if (strncmp(id, store->name, n) != 0 || id[n] != ':')
        return false;
    digits = strspn(id + n + 1, "0123456789");
    return digits > 0 && digits <= OUTBOX_DIGITS_MAX && id[n + 1 + digits] == '\0';
}
