/* SPDX-License-Identifier: MIT */
/* What vouch_describe says: versions, limits, settings in effect, health, log. */
#include <string.h>

#include "base/asset.h"
#include "base/clock.h"
#include "module.h"
#include "settings.h"

enum { DESCRIBE_CALL_US = 1000000 };

static json_t *describe_versions(void) {
    const struct asset *file = NULL;
    json_int_t schema = 0;

    while ((file = asset_next("sql/schema/", file))) {
        schema++;
    }
    return json_pack("{s:s, s:i, s:I, s:s}", "vouch", VOUCH_VERSION, "abi", 1, "schema",
                     schema, "jansson", jansson_version_str());
}

static json_t *describe_limits(const struct vouch *module) {
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "event_bytes", 1 << 20,
                     "array_bytes", 16 << 20, "array_events", INTAKE_BATCH_EVENTS,
                     "json_depth", JSON_MOST_DEPTH, "connections", MODULE_CONNECTIONS,
                     "emit_deadline_ms", module->options->emit_deadline_ms);
}

static json_t *describe_database(const struct vouch *module) {
    struct db_health h;

    db_pool_report(module->pool, &h);
    return json_pack("{s:b, s:i, s:i, s:i, s:i, s:I, s:s}", "reachable", !h.down,
                     "server_version", h.server_version, "connections", h.open, "idle",
                     h.idle, "waiting", h.waiting, "retry_ms", (json_int_t)h.retry_ms,
                     "last_error", h.last_error);
}

static json_t *describe_spool(const struct vouch *module) {
    struct error error = {0};
    int64_t waiting = 0, failed = 0;

    if (!module->spool) {
        return json_null();
    }
    if (spool_count(module->spool, &waiting, &failed, &error)) {
        return json_pack("{s:s}", "trouble", error.detail);
    }
    return json_pack("{s:I, s:I}", "waiting", (json_int_t)waiting, "set_aside",
                     (json_int_t)failed);
}

/* Everything the owner configured but terms and templates, which are long. */
static json_t *describe_settings(const struct store *store) {
    static const char *const tables[] = {"store", "request_policy", "discount_policy",
                                         "hold_policy", "rejection_ground"};
    struct settings *settings = settings_cached(store);
    json_t *shown = json_object();

    for (size_t i = 0; settings && i < sizeof tables / sizeof *tables; i++) {
        json_object_set(shown, tables[i],
                        (json_t *)(uintptr_t)settings_rows(settings, tables[i]));
    }
    settings_release(settings);
    return shown;
}

static json_t *describe_queues(const struct store *store) {
    struct db_params p;
    json_t *health = NULL;

    db_params_open(&p);
    db_add_text(&p, store->name);
    store_ask(store, "SELECT vouch.health($1)", &p, clock_now_us() + DESCRIBE_CALL_US,
              &health, NULL);
    db_params_free(&p);
    return health ? health : json_null();
}

static json_t *describe_stores(struct vouch *module, bool ready) {
    json_t *stores = json_object();
    struct shop *shop;

    for (size_t i = 0; (shop = module_shop_at(module, i)); i++) {
        json_object_set_new(stores, shop->store.name,
                            json_pack("{s:o, s:o}", "settings",
                                      describe_settings(&shop->store), "health",
                                      ready ? describe_queues(&shop->store)
                                            : json_null()));
    }
    return stores;
}

json_t *module_describe(struct vouch *module) {
    bool ready = !db_pool_down(module->pool) &&
                 !module_ready(module, clock_now_us() + DESCRIBE_CALL_US, NULL);
    char fingerprint[33] = "";

    pthread_mutex_lock(&module->lock);
    int threads = module->threads;
    if (module->keys) {
        keyring_fingerprint(module->keys, fingerprint);
    }
    pthread_mutex_unlock(&module->lock);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:o}", "versions",
                     describe_versions(), "limits", describe_limits(module), "database",
                     describe_database(module), "spool", describe_spool(module), "stores",
                     describe_stores(module, ready), "threads", threads, "key", fingerprint,
                     "log", log_lines(module->log));
}
