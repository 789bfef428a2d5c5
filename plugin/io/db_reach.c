/* SPDX-License-Identifier: MIT */
/* Whether PostgreSQL is in reach: addresses, failures, backoff, and what is told of it. */
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "io/db_pool.h"

#define BACKOFF_LEAST_US INT64_C(1000000)
#define BACKOFF_MOST_US INT64_C(3000000) /* half of it again comes as jitter */
#define BACKOFF_DOUBLINGS 2
#define RESOLVED_FRESH_US INT64_C(60000000)
#define RESOLVED_DOWN_US INT64_C(5000000)

static int64_t pool_backoff(int failures) {
    uint32_t dice;
    crypto_random(&dice, sizeof dice);
    int doublings = failures > BACKOFF_DOUBLINGS ? BACKOFF_DOUBLINGS : failures - 1;
    int64_t us = BACKOFF_LEAST_US << (doublings > 0 ? doublings : 0);
    us = us > BACKOFF_MOST_US ? BACKOFF_MOST_US : us;
    return us + (int64_t)(dice % (uint32_t)(us / 2));
}

void pool_trouble(struct db_pool *pool, const char *why) {
    pool->down = true;
    size_t n = strnlen(why, sizeof pool->last_error - 1);
    memcpy(pool->last_error, why, n);
    pool->last_error[n] = '\0';
    pool->probe_us = clock_now_us() + pool_backoff(pool->failures);
}

void pool_failed(struct db_pool *pool, const char *why) {
    pool->failures++;
    pool_trouble(pool, why);
    pool->retry_us = pool->probe_us;
    pthread_cond_broadcast(&pool->changed);
}

/* Under the lock. */
static bool pool_stale(const struct db_pool *pool) {
    int64_t fresh = pool->down || !pool->targets ? RESOLVED_DOWN_US : RESOLVED_FRESH_US;
    return pool->resolved_us == 0 || clock_now_us() - pool->resolved_us >= fresh;
}

/* Takes over targets; what it replaces is freed. */
static void pool_retarget(struct db_pool *pool, struct pq_targets *targets) {
    pthread_mutex_lock(&pool->lock);
    struct pq_targets *before = pool->targets;
    if (targets) {
        pool->targets = targets;
    }
    pool->resolving = false;
    pool->resolved_us = clock_now_us();
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (targets) {
        memory_free(before);
    }
}

int db_pool_resolve(struct db_pool *pool, struct error *error) {
    if (!conninfo_names(pool->info)) {
        return 0;
    }
    pthread_mutex_lock(&pool->lock);
    bool ask = !pool->resolving && pool_stale(pool);
    bool known = pool->targets != NULL;
    pool->resolving = pool->resolving || ask;
    pthread_mutex_unlock(&pool->lock);
    if (!ask) {
        return known ? 0
                     : error_set(error, ERROR_UNAVAILABLE, NULL,
                                 "the name of the database's host is not looked up yet");
    }
    /* Only the resolving thread replaces targets, so reading them needs no lock. */
    struct pq_targets *targets = memory_zero(1, sizeof *targets);
    int code = targets ? conninfo_resolve(pool->info, true, pool->targets, targets, error)
                       : error_set(error, ERROR_FAILED, NULL, "no memory for addresses");
    if (code != 0) {
        memory_free(targets);
        targets = NULL;
    }
    pool_retarget(pool, targets);
    return code != 0 && !known ? code : 0;
}

bool db_pool_down(struct db_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    bool down = pool->down;
    pthread_mutex_unlock(&pool->lock);
    return down;
}

bool db_pool_probe(struct db_pool *pool) {
    int64_t now = clock_now_us();
    pthread_mutex_lock(&pool->lock);
    bool mine = !pool->down || now >= pool->probe_us;
    if (pool->down && mine) {
        pool->probe_us = now + pool_backoff(pool->failures);
    }
    pthread_mutex_unlock(&pool->lock);
    return mine;
}

void db_pool_report(struct db_pool *pool, struct db_health *health) {
    int64_t now = clock_now_us();
    memset(health, 0, sizeof *health);
    pthread_mutex_lock(&pool->lock);
    health->most = pool->most;
    health->open = pool->most - pool_count(pool, PQ_FREE);
    health->idle = pool_count(pool, PQ_IDLE);
    health->waiting = pool->waiting;
    health->down = pool->down;
    health->resolved = pool->targets != NULL;
    health->failures = pool->failures;
    health->server_version = pool->server_version;
    if (pool->failures > 0 && pool->retry_us > now) {
        health->retry_ms = (pool->retry_us - now + 999) / 1000;
    }
    memcpy(health->last_error, pool->last_error, sizeof health->last_error);
    pthread_mutex_unlock(&pool->lock);
}

void pq_heard(struct db_pool *pool) {
    int64_t now = clock_now_us();
    pthread_mutex_lock(&pool->lock);
    pool->answered_us = now;
    pool->down = false;
    pthread_mutex_unlock(&pool->lock);
}

void pq_declined(struct db_pool *pool, const char *why) {
    char line[PQ_TEXT_MOST];
    pq_text(why, false, line);
    pthread_mutex_lock(&pool->lock);
    pool_failed(pool, line);
    pthread_mutex_unlock(&pool->lock);
}

/* When nothing at all was answered since the call began, the idle connections lead to the
 * same silence: dropping them spares each caller its whole deadline. */
void pq_lost(struct db_pool *pool, int64_t since_us, bool silent, const char *why) {
    char line[PQ_TEXT_MOST];
    pq_text(why, false, line);
    pthread_mutex_lock(&pool->lock);
    pool_trouble(pool, line);
    bool mute = silent && pool->answered_us < since_us;
    for (struct db *db; mute && (db = pool_slot(pool, PQ_IDLE));) {
        PGconn *conn = pool_drop(db);
        pthread_mutex_unlock(&pool->lock);
        pq_finish(conn, true);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}
