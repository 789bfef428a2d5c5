/* SPDX-License-Identifier: MIT */
/* The SQL configuration of a store as an immutable snapshot of rows. Rooms compile what
 * they need from it; the snapshot keeps what was compiled. Safe from any thread. */
#ifndef VOUCH_SETTINGS_H
#define VOUCH_SETTINGS_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "store.h"

struct settings;

int settings_open(struct settings_cache **cache, struct error *error);
void settings_close(struct settings_cache *cache);

/* The newest snapshot at hand, even when a newer version was noticed: only the first is
 * fetched in the call. Released with settings_release. ERROR_UNAVAILABLE when there is
 * none yet; ERROR_INVALID when there is no such store. */
int settings_get(const struct store *store, int64_t deadline_us,
                 struct settings **settings, struct error *error);
/* Without asking the database: NULL when nothing is cached. */
struct settings *settings_cached(const struct store *store);
void settings_release(struct settings *settings); /* accepts NULL */
/* Fetches the snapshot anew when a newer version was noticed, unless another thread does.
 * For steps, pages and behind an answer; a failure is logged, and the old one stays. */
void settings_refresh(const struct store *store, int64_t deadline_us);
/* The database said that this is the version now; the next settings_refresh fetches. */
void settings_notice(struct settings_cache *cache, int64_t version);
/* Asks the database for the version unless that was done within the last second. */
int settings_poll(const struct store *store, int64_t deadline_us, struct error *error);

int64_t settings_version(const struct settings *settings);
/* Rows of a configuration table as vouch.settings() gives them: an array, or an object for
 * "store" and "discount_policy" (NULL when there is no row). Borrowed. Not of "abuse_term":
 * see settings_words. */
const json_t *settings_rows(const struct settings *settings, const char *table);
/* A text of the store's own row: "base_url", "mail_from", "locale" …; "" when unset. */
const char *settings_text(const struct settings *settings, const char *column);

/* What a room made from the rows: compiled once per snapshot and name, released with it.
 * what is a literal, at most SETTINGS_COMPILED_MOST different ones. Borrowed. */
enum { SETTINGS_COMPILED_MOST = 8 };
int settings_compiled(struct settings *settings, const char *what,
                      int (*compile)(const struct settings *settings, void **made,
                                     struct error *error),
                      void (*release)(void *made), const void **made,
                      struct error *error);
/* What a room made from the rows of "abuse_term": compiled once for as long as they stay
 * the same, whatever else changes, and then the rows are let go. made is not NULL after 0,
 * and borrowed as long as settings is held. */
int settings_words(struct settings *settings,
                   int (*compile)(const json_t *rows, void **made, struct error *error),
                   void (*release)(void *made), const void **made, struct error *error);

/* A learned model of one language, as it lies in the database; borrowed. */
struct settings_weights {
    const char *locale;
    double threshold;
    const void *bytes;
    size_t length;
};
/* The same for the models: their bytes came with the snapshot, and are let go as well. */
enum { SETTINGS_MODELS_MOST = 64 };
int settings_models(struct settings *settings,
                    int (*compile)(const struct settings_weights *weights, size_t count,
                                   void **made, struct error *error),
                    void (*release)(void *made), const void **made, struct error *error);

#endif
