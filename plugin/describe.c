/* SPDX-License-Identifier: MIT */
/* What vouch_describe says: versions, limits, settings in effect, health, log. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/net.h"
#include "module.h"
#include "settings.h"

enum { DESCRIBE_CALL_US = 2000000 }; /* all that is asked of PostgreSQL together */

static json_t *describe_versions(void) {
    return json_pack("{s:s, s:i, s:I, s:s, s:i, s:s, s:s, s:s, s:s}", "vouch",
                     VOUCH_VERSION, "abi", 1, "schema", (json_int_t)ready_number(), "jansson",
                     jansson_version_str(), "libpq", db_library_version(), "libcurl",
                     net_version(), "sqlite", spool_library_version(), "libsodium",
                     crypto_library_version(), "utf8proc", text_library_version());
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
    return json_pack("{s:b, s:i, s:i, s:i, s:i, s:I, s:s}", "reachable",
                     !h.down && h.server_version > 0, "server_version", h.server_version,
                     "connections", h.open, "idle", h.idle, "waiting", h.waiting,
                     "retry_ms", (json_int_t)h.retry_ms, "last_error", h.last_error);
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

/* A login does not belong into the relay's URL; if it is there, nobody needs to see it. */
static json_t *describe_relay(const char *url) {
    const char *host = strstr(url, "//"), *at = strrchr(url, '@');

    if (!host || !at) {
        return json_string(url);
    }
    return json_sprintf("%.*s***%s", (int)(host + 2 - url), url, at);
}

/* Everything the owner configured but terms and templates, which are long. */
static json_t *describe_settings(const struct store *store) {
    static const char *const tables[] = {"store", "request_policy", "discount_policy",
                                         "hold_policy", "rejection_ground"};
    struct settings *settings = settings_cached(store);
    json_t *shown = json_object();

    for (size_t i = 0; settings && i < sizeof tables / sizeof *tables; i++) {
        json_object_set_new(
            shown, tables[i],
            json_deep_copy((json_t *)(uintptr_t)settings_rows(settings, tables[i])));
    }
    if (settings) {
        json_object_set_new(json_object_get(shown, "store"), "smtp_url",
                            describe_relay(settings_text(settings, "smtp_url")));
    }
    settings_release(settings);
    return shown;
}

static json_t *describe_queues(const struct store *store, int64_t deadline_us) {
    struct db_params p;
    json_t *health = NULL;

    db_params_open(&p);
    db_add_text(&p, store->name);
    store_ask(store, "SELECT vouch.health($1)", &p, deadline_us, &health, NULL);
    db_params_free(&p);
    return health ? health : json_null();
}

static json_t *describe_stores(struct vouch *module, bool ready, int64_t deadline_us) {
    json_t *stores = json_object();
    struct shop *shop;

    for (size_t i = 0; (shop = module_shop_at(module, i)); i++) {
        json_object_set_new(
            stores, shop->store.name,
            json_pack("{s:o, s:o}", "settings", describe_settings(&shop->store), "health",
                      ready ? describe_queues(&shop->store, deadline_us) : json_null()));
    }
    return stores;
}

json_t *module_describe(struct vouch *module) {
    int64_t deadline_us = clock_now_us() + DESCRIBE_CALL_US;
    bool ready = !db_pool_down(module->pool) && !module_ready(module, deadline_us, NULL);
    char fingerprint[33] = "";

    pthread_mutex_lock(&module->lock);
    int threads = module->threads;
    if (module->own) {
        keyring_fingerprint(module->own, fingerprint);
    }
    pthread_mutex_unlock(&module->lock);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:o}", "versions",
                     describe_versions(), "limits", describe_limits(module), "database",
                     describe_database(module), "spool", describe_spool(module), "stores",
                     describe_stores(module, ready, deadline_us), "threads", threads,
                     "key", fingerprint, "log", log_lines(module->log));
}
