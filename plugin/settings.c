/* SPDX-License-Identifier: MIT */
/* Configuration snapshots: fetched anew behind the callers when a newer version was
 * noticed, swapped under a lock, kept alive by those who hold one. Abusive words and models
 * are most of the bytes and most of the work, and change seldom: snapshots share them. */
#include "settings.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"

enum { SETTINGS_POLL_US = 1000000 };

struct settings_made {
    const char *what;
    void *made;
    void (*release)(void *made);
};

/* What snapshots share. */
enum settings_kind { PART_WORDS = 0, PART_MODELS = 1, PARTS = 2 };

struct settings_part {
    int references; /* under the cache's lock */
    uint8_t hash[32];
    pthread_mutex_t compiling;
    json_t *rows;              /* NULL once compiled */
    struct db_result *weights; /* of PART_MODELS; NULL once compiled, or without any */
    struct settings_made made;
};

static const char *const settings_parts[PARTS] = {
    [PART_WORDS] = "abuse_term", [PART_MODELS] = "moderation_model"};

struct settings {
    int references; /* under the cache's lock */
    struct settings_cache *cache;
    json_t *rows; /* without those of the parts */
    struct settings_part *parts[PARTS];
    int64_t version;
    pthread_mutex_t compiling;
    struct settings_made made[SETTINGS_COMPILED_MOST];
    size_t made_count;
};

struct settings_cache {
    pthread_mutex_t lock;
    struct settings *current;
    bool fetching;
    int64_t noticed;
    int64_t polled_us;
};

int settings_open(struct settings_cache **cache, struct error *error) {
    struct settings_cache *made = memory_zero(1, sizeof *made);

    *cache = NULL;
    if (!made || pthread_mutex_init(&made->lock, NULL)) {
        memory_free(made);
        return error_set(error, ERROR_FAILED, "", "no memory for the settings");
    }
    *cache = made;
    return 0;
}

/* NULL without memory. */
static struct settings_part *part_new(json_t *rows) {
    struct settings_part *made = memory_zero(1, sizeof *made);
    char *text = json_write(rows);

    if (!made || !text || pthread_mutex_init(&made->compiling, NULL)) {
        memory_free(text);
        memory_free(made);
        return NULL;
    }
    crypto_sha256(text, strlen(text), made->hash);
    memory_free(text);
    made->rows = json_incref(rows);
    made->references = 1;
    return made;
}

static void part_let_go(struct settings_part *part) {
    json_decref(part->rows);
    db_result_free(part->weights);
    part->rows = NULL;
    part->weights = NULL;
}

static void part_release(struct settings_cache *cache, struct settings_part *part) {
    if (!part) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    bool last = --part->references == 0;
    pthread_mutex_unlock(&cache->lock);
    if (last) {
        if (part->made.made) {
            part->made.release(part->made.made);
        }
        part_let_go(part);
        pthread_mutex_destroy(&part->compiling);
        memory_free(part);
    }
}

static void settings_free(struct settings *settings) {
    for (size_t i = 0; i < PARTS; i++) {
        part_release(settings->cache, settings->parts[i]);
    }
    for (size_t i = 0; i < settings->made_count; i++) {
        settings->made[i].release(settings->made[i].made);
    }
    json_decref(settings->rows);
    pthread_mutex_destroy(&settings->compiling);
    memory_free(settings);
}

void settings_release(struct settings *settings) {
    if (!settings) {
        return;
    }
    struct settings_cache *cache = settings->cache;
    pthread_mutex_lock(&cache->lock);
    bool last = --settings->references == 0;
    pthread_mutex_unlock(&cache->lock);
    if (last) {
        settings_free(settings);
    }
}

void settings_close(struct settings_cache *cache) {
    if (!cache) {
        return;
    }
    settings_release(cache->current);
    pthread_mutex_destroy(&cache->lock);
    memory_free(cache);
}

void settings_notice(struct settings_cache *cache, int64_t version) {
    pthread_mutex_lock(&cache->lock);
    if (version > cache->noticed) {
        cache->noticed = version;
    }
    cache->polled_us = clock_now_us();
    pthread_mutex_unlock(&cache->lock);
}

/* A reference to the current snapshot; *stale when a newer version is known. */
static struct settings *settings_hold(struct settings_cache *cache, bool *stale) {
    pthread_mutex_lock(&cache->lock);
    struct settings *held = cache->current;
    if (held) {
        held->references++;
    }
    *stale = !held || held->version < cache->noticed;
    pthread_mutex_unlock(&cache->lock);
    return held;
}

struct settings *settings_cached(const struct store *store) {
    bool stale = false;
    return settings_hold(store->settings, &stale);
}

static int settings_fetch(const struct store *store, int64_t deadline_us, json_t **rows,
                          struct error *error) {
    struct db_params p;
    db_params_open(&p);
    db_add_text(&p, store->name);
    int code =
        store_ask(store, "SELECT vouch.settings($1)", &p, deadline_us, rows, error);
    db_params_free(&p);
    if (!code && !json_is_object(json_object_get(*rows, "store"))) {
        json_decref(*rows);
        *rows = NULL;
        code =
            error_set(error, ERROR_INVALID, "/store",
                      "there is no store %s in this database; vouchctl migrate makes it",
                      store->name);
    }
    return code;
}

static bool parts_new(struct settings *made, json_t *rows) {
    bool whole = true;

    for (size_t i = 0; i < PARTS && whole; i++) {
        json_t *own = json_object_get(rows, settings_parts[i]);
        json_t *none = own ? NULL : json_array();
        made->parts[i] = part_new(own ? own : none);
        whole = made->parts[i] != NULL;
        json_decref(none);
        json_object_del(rows, settings_parts[i]);
    }
    return whole;
}

/* Takes rows over. NULL without memory. */
static struct settings *settings_new(struct settings_cache *cache, json_t *rows) {
    struct settings *made = memory_zero(1, sizeof *made);

    if (!made || pthread_mutex_init(&made->compiling, NULL)) {
        memory_free(made);
        json_decref(rows);
        return NULL;
    }
    made->cache = cache;
    made->rows = rows;
    made->version = json_integer_value(json_object_get(rows, "version"));
    made->references = 2; /* the cache's and the caller's */
    if (!parts_new(made, rows)) {
        settings_free(made);
        return NULL;
    }
    return made;
}

static bool part_is(const struct settings *settings, enum settings_kind kind,
                    const struct settings *other) {
    return other && memcmp(settings->parts[kind]->hash, other->parts[kind]->hash,
                           sizeof other->parts[kind]->hash) == 0;
}

static int settings_weights_fetch(const struct store *store, struct settings_part *part,
                                  int64_t deadline_us, struct error *error) {
    struct db_array locales;
    struct db_params p;
    size_t i;
    json_t *row;

    db_array_open(&locales, DB_TEXT);
    json_array_foreach(part->rows, i, row) {
        db_array_text(&locales, json_string_value(json_object_get(row, "locale")));
    }
    db_params_open(&p);
    db_add_text(&p, store->name);
    db_add_array(&p, &locales);
    int code = store_call(
        store, "SELECT locale, threshold, weights FROM vouch.model_get($1, $2)", &p,
        deadline_us, &part->weights, NULL, error);
    db_params_free(&p);
    return code;
}

/* The models that fresh names: those of held when they are the same. */
static int settings_weigh(const struct store *store, struct settings *fresh,
                          struct settings *held, int64_t deadline_us,
                          struct error *error) {
    struct settings_part *part = fresh->parts[PART_MODELS];

    if (part_is(fresh, PART_MODELS, held)) {
        pthread_mutex_lock(&fresh->cache->lock);
        fresh->parts[PART_MODELS] = held->parts[PART_MODELS];
        fresh->parts[PART_MODELS]->references++;
        pthread_mutex_unlock(&fresh->cache->lock);
        part_release(fresh->cache, part);
        return 0;
    }
    return json_array_size(part->rows) == 0
               ? 0
               : settings_weights_fetch(store, part, deadline_us, error);
}

static void settings_swap(struct settings_cache *cache, struct settings *fresh) {
    struct settings_part *spare[PARTS] = {NULL};

    pthread_mutex_lock(&cache->lock);
    struct settings *old = cache->current;
    for (size_t i = 0; i < PARTS; i++) {
        if (part_is(fresh, (enum settings_kind)i, old)) {
            spare[i] = fresh->parts[i];
            fresh->parts[i] = old->parts[i];
            fresh->parts[i]->references++;
        }
    }
    cache->current = fresh;
    cache->noticed = fresh->version;
    cache->polled_us = clock_now_us();
    pthread_mutex_unlock(&cache->lock);
    for (size_t i = 0; i < PARTS; i++) {
        part_release(cache, spare[i]);
    }
    settings_release(old);
}

/* One thread refreshes; the others go on with what they hold. */
static bool settings_begin(struct settings_cache *cache) {
    pthread_mutex_lock(&cache->lock);
    bool mine = !cache->fetching;
    cache->fetching = true;
    pthread_mutex_unlock(&cache->lock);
    return mine;
}

static void settings_end(struct settings_cache *cache) {
    pthread_mutex_lock(&cache->lock);
    cache->fetching = false;
    pthread_mutex_unlock(&cache->lock);
}

/* What is newer than held, or the first; NULL with an error. */
static struct settings *settings_load(const struct store *store, struct settings *held,
                                      int64_t deadline_us, struct error *error) {
    json_t *rows = NULL;
    struct settings *fresh = NULL;
    int code = settings_fetch(store, deadline_us, &rows, error);

    if (!code) {
        fresh = settings_new(store->settings, rows);
        code = fresh ? settings_weigh(store, fresh, held, deadline_us, error)
                     : error_set(error, ERROR_FAILED, "", "no memory for the settings");
    }
    if (fresh && code) {
        settings_free(fresh);
        fresh = NULL;
    }
    if (fresh) {
        settings_swap(store->settings, fresh);
    } else {
        log_write(store->log, LOG_WARNING, "settings of %s not read: %s", store->name,
                  error->detail);
    }
    return fresh;
}

int settings_get(const struct store *store, int64_t deadline_us,
                 struct settings **settings, struct error *error) {
    struct error why = {0};

    *settings = settings_cached(store);
    if (!*settings) {
        *settings = settings_load(store, NULL, deadline_us, &why);
    }
    return *settings ? 0 : error_set(error, why.code, why.pointer, "%s", why.detail);
}

void settings_refresh(const struct store *store, int64_t deadline_us) {
    bool stale = false;
    struct error why = {0};
    struct settings *held = settings_hold(store->settings, &stale);

    if (held && stale && settings_begin(store->settings)) {
        settings_release(settings_load(store, held, deadline_us, &why));
        settings_end(store->settings);
    }
    settings_release(held);
}

int settings_poll(const struct store *store, int64_t deadline_us, struct error *error) {
    struct settings_cache *cache = store->settings;
    struct db_result *result = NULL;
    struct db_params p;
    int64_t now = clock_now_us();

    pthread_mutex_lock(&cache->lock);
    bool due = now - cache->polled_us >= SETTINGS_POLL_US;
    if (due) {
        cache->polled_us = now;
    }
    pthread_mutex_unlock(&cache->lock);
    if (!due) {
        return 0;
    }
    db_params_open(&p);
    db_add_text(&p, store->name);
    int code = store_call(store, "SELECT vouch.settings_version($1)", &p, deadline_us,
                          &result, NULL, error);
    if (!code) {
        settings_notice(cache, db_int(result, 0, 0));
    }
    db_result_free(result);
    db_params_free(&p);
    return code;
}

int64_t settings_version(const struct settings *settings) {
    return settings->version;
}

const json_t *settings_rows(const struct settings *settings, const char *table) {
    const json_t *rows = json_object_get(settings->rows, table);
    return json_is_null(rows) ? NULL : rows;
}

const char *settings_text(const struct settings *settings, const char *column) {
    const char *text = json_string_value(
        json_object_get(json_object_get(settings->rows, "store"), column));
    return text ? text : "";
}

int settings_compiled(struct settings *settings, const char *what,
                      int (*compile)(const struct settings *settings, void **made,
                                     struct error *error),
                      void (*release)(void *made), const void **made,
                      struct error *error) {
    int code = 0;
    size_t i = 0;

    *made = NULL;
    pthread_mutex_lock(&settings->compiling);
    while (i < settings->made_count && strcmp(settings->made[i].what, what) != 0) {
        i++;
    }
    if (i == SETTINGS_COMPILED_MOST) {
        code = error_set(error, ERROR_FAILED, "", "too many compiled settings");
    } else if (i == settings->made_count) {
        void *fresh = NULL;
        code = compile(settings, &fresh, error);
        if (!code) {
            settings->made[i] = (struct settings_made){what, fresh, release};
            settings->made_count++;
        }
    }
    if (!code) {
        *made = settings->made[i].made;
    }
    pthread_mutex_unlock(&settings->compiling);
    return code;
}

int settings_words(struct settings *settings,
                   int (*compile)(const json_t *rows, void **made, struct error *error),
                   void (*release)(void *made), const void **made, struct error *error) {
    struct settings_part *part = settings->parts[PART_WORDS];
    int code = 0;

    pthread_mutex_lock(&part->compiling);
    if (!part->made.made) {
        code = compile(part->rows, &part->made.made, error);
        part->made.release = release;
    }
    if (!code) {
        part_let_go(part);
    }
    *made = part->made.made;
    pthread_mutex_unlock(&part->compiling);
    return code;
}

/* One row of weights; its bytes are the caller's. */
static int weights_read(const struct db_result *result, int row,
                        struct settings_weights *out, struct error *error) {
    const char *hex = db_value(result, row, 2);
    size_t n = db_length(result, row, 2);
    uint8_t *bytes = n > 2 ? memory_get(n / 2) : NULL;
    int length = bytes ? crypto_unhex(hex + 2, n - 2, bytes) : -1;

    *out = (struct settings_weights){db_value(result, row, 0), 0, bytes, 0};
    if (length < 0) {
        return error_set(error, ERROR_FAILED, "",
                         "the weights of a model are unreadable");
    }
    json_t *threshold = db_json(result, row, 1);
    out->threshold = json_number_value(threshold);
    out->length = n / 2 - 1;
    json_decref(threshold);
    return 0;
}

static int part_compile(struct settings_part *part,
                        int (*compile)(const struct settings_weights *weights,
                                       size_t count, void **made, struct error *error),
                        struct error *error) {
    struct settings_weights weights[SETTINGS_MODELS_MOST];
    size_t rows = part->weights ? (size_t)db_rows(part->weights) : 0;
    size_t count = 0;
    int code = 0;

    while (count < rows && count < SETTINGS_MODELS_MOST && !code) {
        code = weights_read(part->weights, (int)count, &weights[count], error);
        count++;
    }
    if (!code) {
        code = compile(weights, count, &part->made.made, error);
    }
    while (count > 0) {
        memory_free((void *)(uintptr_t)weights[--count].bytes);
    }
    return code;
}

int settings_models(struct settings *settings,
                    int (*compile)(const struct settings_weights *weights, size_t count,
                                   void **made, struct error *error),
                    void (*release)(void *made), const void **made, struct error *error) {
    struct settings_part *part = settings->parts[PART_MODELS];
    int code = 0;

    pthread_mutex_lock(&part->compiling);
    if (!part->made.made) {
        code = part_compile(part, compile, error);
        part->made.release = release;
    }
    if (!code) {
        part_let_go(part);
    }
    *made = part->made.made;
    pthread_mutex_unlock(&part->compiling);
    return code;
}
