/* SPDX-License-Identifier: MIT */
/* Getting ready: the schema fits, the key is the one this database knows, the stores are
 * there. Done once PostgreSQL answers, at open or later. */
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "module.h"
#include "store_key.h"

int64_t ready_number(void) {
    const struct asset *file = NULL;
    int64_t most = 0;

    while ((file = asset_next("sql/schema/", file))) {
        int64_t number = strtoll(file->name + strlen("sql/schema/"), NULL, 10);
        most = number > most ? number : most;
    }
    return most;
}

static int ready_schema(const struct store *store, int64_t deadline_us,
                        struct error *error) {
    struct db_result *result = NULL;
    struct error why = {0};
    enum db_fault fault = DB_FINE;
    int64_t known = ready_number();
    int code = store_call(store, "SELECT vouch.schema_number()", NULL, deadline_us,
                          &result, &fault, &why);
    if (fault == DB_BUG) {
        code =
            error_set(error, ERROR_INVALID, "/database",
                      "this database has no Vouch schema that this login can use (%s): "
                      "run vouchctl migrate, and make the login a member of vouch_module",
                      why.detail);
    } else if (code) {
        error_set(error, code, why.pointer, "%s", why.detail);
    } else if (db_int(result, 0, 0) != known) {
        code = error_set(error, ERROR_INVALID, "/database",
                         "this database has schema %lld, this vouch.so needs %lld: %s",
                         (long long)db_int(result, 0, 0), (long long)known,
                         db_int(result, 0, 0) < known ? "run vouchctl migrate"
                                                      : "use a newer vouch.so");
    }
    db_result_free(result);
    return code;
}

static int ready_stored_key(const struct store *store, int64_t deadline_us,
                            struct keyring **keys, struct error *error) {
    struct db_params p;
    struct db_result *result = NULL;
    uint8_t fresh[32];

    crypto_random(fresh, sizeof fresh);
    db_params_open(&p);
    db_add_bytes(&p, fresh, sizeof fresh);
    int code = store_call(store, "SELECT vouch.secret_key($1)", &p, deadline_us, &result,
                          NULL, error);
    if (!code) {
        code = store_key_kept(db_value(result, 0, 0), keys, error);
    }
    crypto_zero(fresh, sizeof fresh);
    db_result_free(result);
    db_params_free(&p);
    return code;
}

/* *whole: keys with what an earlier key left for them, NULL when it left nothing. */
static int ready_carried(const struct store *store, int64_t deadline_us,
                         const struct keyring *keys, struct keyring **whole,
                         struct error *error) {
    struct db_result *result = NULL;
    int code = store_call(store, "SELECT vouch.key_carried()", NULL, deadline_us, &result,
                          NULL, error);

    if (!code) {
        code = store_key_carried(keys, db_value(result, 0, 0), whole, error);
    }
    db_result_free(result);
    return code;
}

static int ready_fingerprint(const struct store *store, const struct keyring *keys,
                             int64_t deadline_us, struct error *error) {
    struct db_params p;
    struct db_result *result = NULL;
    char fingerprint[33];

    keyring_fingerprint(keys, fingerprint);
    db_params_open(&p);
    db_add_text(&p, fingerprint);
    int code = store_call(store, "SELECT vouch.key_check($1)", &p, deadline_us, &result,
                          NULL, error);
    if (!code && !db_bool(result, 0, 0)) {
        code =
            error_set(error, ERROR_INVALID, "/secrets/key",
                      "this database's links and addresses were made with another key: "
                      "use that one");
    }
    db_result_free(result);
    db_params_free(&p);
    return code;
}

/* Nobody has used a key before: every pointer to one is set here, once. */
static void keys_settle(struct vouch *module, struct keyring **kept,
                        struct keyring **whole) {
    if (*kept) {
        module->own = *kept;
        *kept = NULL;
    }
    module->carried = *whole;
    *whole = NULL;
    module->keys = module->carried ? module->carried : module->own;
    for (size_t i = 0; i < module->shop_count; i++) {
        module->shops[i]->store.keys = module->keys;
    }
}

static int ready_keys(struct vouch *module, const struct store *store,
                      int64_t deadline_us, struct error *error) {
    struct keyring *kept = NULL, *whole = NULL;
    int code = 0;

    pthread_mutex_lock(&module->lock);
    const struct keyring *keys = module->own;
    pthread_mutex_unlock(&module->lock);
    if (!keys) {
        code = ready_stored_key(store, deadline_us, &kept, error);
        keys = kept;
    }
    if (!code) {
        code = ready_fingerprint(store, keys, deadline_us, error);
    }
    if (!code) {
        code = ready_carried(store, deadline_us, keys, &whole, error);
    }
    pthread_mutex_lock(&module->lock);
    if (!code && !module->keys) {
        keys_settle(module, &kept, &whole);
    }
    pthread_mutex_unlock(&module->lock);
    keyring_close(kept);
    keyring_close(whole);
    return code;
}

static bool stores_hold(const struct db_result *stores, const char *name) {
    int row = 0;

    while (row < db_rows(stores) && strcmp(db_value(stores, row, 0), name) != 0) {
        row++;
    }
    return row < db_rows(stores);
}

/* The stores the options name must exist; "*" takes in those of the database, as many as
 * there are now. */
static int ready_stores(struct vouch *module, const struct store *store,
                        int64_t deadline_us, struct error *error) {
    const struct options *o = module->options;
    bool all = strcmp(o->stores[0], "*") == 0;
    struct db_result *result = NULL;
    int code = store_call(store, "SELECT store_id FROM vouch.stores()", NULL, deadline_us,
                          &result, NULL, error);

    for (int row = 0; !code && all && row < db_rows(result); row++) {
        code = module_shop_add(module, db_value(result, row, 0), error);
    }
    for (size_t i = 0; !code && !all && i < o->store_count; i++) {
        if (!stores_hold(result, o->stores[i])) {
            code = error_set(error, ERROR_INVALID, "/store",
                             "there is no store %s in this database: vouchctl migrate "
                             "--store %s makes it",
                             o->stores[i], o->stores[i]);
        }
    }
    db_result_free(result);
    return code;
}

int module_look(struct vouch *module, int64_t every_us, int64_t deadline_us,
                struct error *error) {
    struct store store = {.name = "", .pool = module->pool, .log = module->log};
    int64_t now = clock_now_us();

    if (strcmp(module->options->stores[0], "*") != 0) {
        return 0;
    }
    pthread_mutex_lock(&module->lock);
    bool due = now - module->looked_us >= every_us;
    module->looked_us = due ? now : module->looked_us;
    pthread_mutex_unlock(&module->lock);
    return due ? ready_stores(module, &store, deadline_us, error) : 0;
}

int module_ready(struct vouch *module, int64_t deadline_us, struct error *error) {
    struct store store = {.name = "", .pool = module->pool, .log = module->log};

    if (atomic_load(&module->ready)) {
        return 0;
    }
    int code = ready_schema(&store, deadline_us, error);
    if (!code) {
        code = ready_keys(module, &store, deadline_us, error);
    }
    if (!code) {
        code = ready_stores(module, &store, deadline_us, error);
    }
    if (!code) {
        atomic_store(&module->ready, true);
    }
    return code;
}
