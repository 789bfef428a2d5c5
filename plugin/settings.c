/* SPDX-License-Identifier: MIT */
/* Configuration snapshots: fetched when a newer version was noticed, swapped under a lock,
 * kept alive by those who hold one. Abusive words are most of the bytes and most of the
 * work, and change seldom: snapshots share them. */
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

struct settings_words {
    int references; /* under the cache's lock */
    uint8_t hash[32];
    pthread_mutex_t compiling;
    json_t *rows; /* NULL once compiled */
    struct settings_made made;
};

struct settings {
    int references; /* under the cache's lock */
    struct settings_cache *cache;
    json_t *rows; /* without the abusive words */
    struct settings_words *words;
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

/* Takes rows over. NULL without memory. */
static struct settings_words *words_new(json_t *rows) {
    struct settings_words *made = memory_zero(1, sizeof *made);
    char *text = json_write(rows);

    if (!made || !text || pthread_mutex_init(&made->compiling, NULL)) {
        memory_free(text);
        memory_free(made);
        json_decref(rows);
        return NULL;
    }
    crypto_sha256(text, strlen(text), made->hash);
    memory_free(text);
    made->rows = rows;
    made->references = 1;
    return made;
}

static void words_release(struct settings_cache *cache, struct settings_words *words) {
    if (!words) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    bool last = --words->references == 0;
    pthread_mutex_unlock(&cache->lock);
    if (last) {
        if (words->made.made) {
            words->made.release(words->made.made);
        }
        json_decref(words->rows);
        pthread_mutex_destroy(&words->compiling);
        memory_free(words);
    }
}

static void settings_free(struct settings *settings) {
    words_release(settings->cache, settings->words);
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

/* Takes rows over. NULL without memory. */
static struct settings *settings_new(struct settings_cache *cache, json_t *rows) {
    struct settings *made = memory_zero(1, sizeof *made);
    json_t *terms = json_incref(json_object_get(rows, "abuse_term"));
    struct settings_words *words = words_new(terms ? terms : json_array());

    json_object_del(rows, "abuse_term");
    if (!made || !words || pthread_mutex_init(&made->compiling, NULL)) {
        words_release(cache, words);
        memory_free(made);
        json_decref(rows);
        return NULL;
    }
    made->words = words;
    made->cache = cache;
    made->rows = rows;
    made->version = json_integer_value(json_object_get(rows, "version"));
    made->references = 2; /* the cache's and the caller's */
    return made;
}

static void settings_swap(struct settings_cache *cache, struct settings *fresh) {
    struct settings_words *spare = NULL;

    pthread_mutex_lock(&cache->lock);
    struct settings *old = cache->current;
    if (old &&
        memcmp(old->words->hash, fresh->words->hash, sizeof old->words->hash) == 0) {
        spare = fresh->words;
        fresh->words = old->words;
        fresh->words->references++;
    }
    cache->current = fresh;
    cache->noticed = fresh->version;
    cache->polled_us = clock_now_us();
    pthread_mutex_unlock(&cache->lock);
    words_release(cache, spare);
    settings_release(old);
}

/* One caller fetches; others go on with what they hold, or fetch too when they hold none. */
static bool settings_begin(struct settings_cache *cache, bool held) {
    pthread_mutex_lock(&cache->lock);
    bool mine = !cache->fetching;
    cache->fetching = true;
    pthread_mutex_unlock(&cache->lock);
    return mine || !held;
}

static void settings_end(struct settings_cache *cache) {
    pthread_mutex_lock(&cache->lock);
    cache->fetching = false;
    pthread_mutex_unlock(&cache->lock);
}

int settings_get(const struct store *store, int64_t deadline_us,
                 struct settings **settings, struct error *error) {
    bool stale = false;
    struct error why = {0};
    json_t *rows = NULL;
    struct settings *held = settings_hold(store->settings, &stale);

    *settings = held;
    if (!stale || !settings_begin(store->settings, held)) {
        return 0;
    }
    int code = settings_fetch(store, deadline_us, &rows, &why);
    struct settings *fresh = code ? NULL : settings_new(store->settings, rows);
    if (!code && !fresh) {
        code = error_set(&why, ERROR_FAILED, "", "no memory for the settings");
    }
    if (fresh) {
        settings_swap(store->settings, fresh);
        settings_release(held);
        *settings = fresh;
    }
    settings_end(store->settings);
    if (!code) {
        return 0;
    }
    log_write(store->log, LOG_WARNING, "settings of %s not read: %s", store->name,
              why.detail);
    return held ? 0 : error_set(error, code, why.pointer, "%s", why.detail);
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
    struct settings_words *words = settings->words;
    int code = 0;

    pthread_mutex_lock(&words->compiling);
    if (!words->made.made) {
        code = compile(words->rows, &words->made.made, error);
        words->made.release = release;
    }
    if (!code) {
        json_decref(words->rows);
        words->rows = NULL;
    }
    *made = words->made.made;
    pthread_mutex_unlock(&words->compiling);
    return code;
}
