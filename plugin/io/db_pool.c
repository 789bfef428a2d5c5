/* SPDX-License-Identifier: MIT */
/* The connections of one database: when you hold one, it is yours alone. Grows to a cap,
 * waits when all are out, reuses the one last released. All failures of one pool share one
 * backoff. libpq is never called under the lock. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/db_pool.h"

#define CONNECT_LEAST_US INT64_C(50000) /* less time left is no fair attempt */
#define CONNECT_MOST_US INT64_C(10000000)

struct db *pool_slot(struct db_pool *pool, enum pq_slot slot) {
    struct db *best = NULL;
    for (int i = 0; i < pool->most; i++) {
        struct db *db = &pool->slots[i];
        if (db->slot == slot && (!best || db->released > best->released)) {
            best = db;
        }
    }
    return best;
}

int pool_count(const struct db_pool *pool, enum pq_slot slot) {
    int n = 0;
    for (int i = 0; i < pool->most; i++) {
        n += pool->slots[i].slot == slot;
    }
    return n;
}

PGconn *pool_drop(struct db *db) {
    PGconn *conn = db->conn;
    db->conn = NULL;
    db->slot = PQ_FREE;
    pthread_cond_broadcast(&db->pool->changed);
    return conn;
}

static int pool_locks(struct db_pool *pool) {
    pthread_condattr_t clock;
    if (pthread_condattr_init(&clock) != 0) {
        return -1;
    }
    int rc = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    if (rc == 0) {
        rc = pthread_cond_init(&pool->changed, &clock);
    }
    pthread_condattr_destroy(&clock);
    if (rc == 0 && pthread_mutex_init(&pool->lock, NULL) != 0) {
        pthread_cond_destroy(&pool->changed);
        rc = -1;
    }
    return rc;
}

static void pool_free(struct db_pool *pool) {
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->changed);
    conninfo_close(pool->info);
    memory_free(pool->targets);
    memory_free(pool);
}

int db_pool_open(const char *conninfo, int most, struct db_pool **pool,
                 struct error *error) {
    struct conninfo *info = NULL;
    struct pq_targets *targets = NULL;
    struct db_pool *made = NULL;
    *pool = NULL;
    if (most < 1 || most > DB_POOL_MOST) {
        return error_set(error, ERROR_INVALID, NULL, "a pool has 1 to %d connections",
                         DB_POOL_MOST);
    }
    int code = conninfo_open(conninfo, &info, error);
    if (code != 0) {
        return code;
    }
    made = memory_zero(1, sizeof *made + (size_t)most * sizeof made->slots[0]);
    targets = memory_zero(1, sizeof *targets);
    if (!made || !targets || pool_locks(made) != 0) {
        memory_free(made);
        memory_free(targets);
        conninfo_close(info);
        return error_set(error, ERROR_FAILED, NULL, "no memory for a connection pool");
    }
    made->info = info;
    made->most = most;
    for (int i = 0; i < most; i++) {
        made->slots[i].pool = made;
    }
    if (!conninfo_names(info) &&
        conninfo_resolve(info, false, NULL, targets, NULL) == 0) {
        made->targets = targets;
    } else {
        memory_free(targets);
    }
    *pool = made;
    return 0;
}

void db_pool_close(struct db_pool *pool) {
    if (!pool) {
        return;
    }
    PGconn *idle[DB_POOL_MOST];
    int count = 0;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    for (struct db *db; (db = pool_slot(pool, PQ_IDLE));) {
        idle[count++] = pool_drop(db);
    }
    bool last = pool_count(pool, PQ_OUT) == 0;
    pthread_mutex_unlock(&pool->lock);
    while (count > 0) {
        pq_finish(idle[--count], false);
    }
    if (last) {
        pool_free(pool);
    }
}

void db_pool_forget(struct db_pool *pool) {
    for (int i = 0; pool && i < pool->most; i++) {
        PGconn *conn = pool->slots[i].conn;
        int fd = conn ? PQsocket(conn) : -1;
        pool->slots[i].conn = NULL;
        if (fd >= 0) {
            close(fd);
        }
    }
}

/* Address number i of count, starting from the preferred one. */
static bool pool_target(struct db_pool *pool, size_t i, struct pq_target *target,
                        size_t *index, size_t *count) {
    pthread_mutex_lock(&pool->lock);
    *count = pool->targets->count;
    *index = (pool->preferred + i) % *count;
    *target = pool->targets->list[*index];
    pthread_mutex_unlock(&pool->lock);
    return i < *count;
}

/* Tries every address, each with its share of the time that is left. */
static int pool_dial(struct db *db, int64_t deadline_us, size_t *index,
                     struct error *error) {
    struct pq_target target;
    struct error why = {0};
    size_t count;
    const PQconninfoOption *options = conninfo_options(db->pool->info);
    for (size_t i = 0; pool_target(db->pool, i, &target, index, &count); i++) {
        int64_t now = clock_now_us();
        int64_t share = now + (deadline_us - now) / (int64_t)(count - i);
        memset(&why, 0, sizeof why);
        if (pq_connect(db, options, &target, share, &why) == 0) {
            return 0;
        }
    }
    return error_set(error, ERROR_UNAVAILABLE, NULL, "%s", why.detail);
}

/* Entered and left under the lock, with a slot of ours in state PQ_CONNECTING. */
static int pool_connect(struct db *db, int64_t deadline_us, struct error *error) {
    struct db_pool *pool = db->pool;
    struct error why = {0};
    size_t index = 0;
    int64_t most_us = clock_now_us() + CONNECT_MOST_US;
    pool->trying = pool->failures > 0;
    bool alone = pool->trying;
    pthread_mutex_unlock(&pool->lock);
    int code = pool_dial(db, deadline_us < most_us ? deadline_us : most_us, &index, &why);
    int version = code == 0 ? PQserverVersion(db->conn) : 0;
    pthread_mutex_lock(&pool->lock);
    pool->trying = pool->trying && !alone;
    if (code == 0) {
        db->slot = PQ_OUT;
        pool->failures = 0;
        pool->preferred = index;
        pool->server_version = version;
        pthread_cond_broadcast(&pool->changed);
        return 0;
    }
    pool_drop(db);
    pool_failed(pool, why.detail);
    return error_set(error, code, NULL, "%s", why.detail);
}

/* Under the lock: whether a connection may be tried now. */
static int pool_may_connect(struct db_pool *pool, int64_t deadline_us,
                            struct error *error) {
    int64_t now = clock_now_us();
    if (!pool->targets) {
        return error_set(error, ERROR_UNAVAILABLE, NULL,
                         "the name of the database's host could not be looked up yet");
    }
    if (pool->failures > 0 && (pool->trying || now < pool->retry_us)) {
        return error_set(error, ERROR_UNAVAILABLE, NULL, "PostgreSQL is out of reach: %s",
                         pool->last_error);
    }
    if (deadline_us - now < CONNECT_LEAST_US) {
        return error_set(error, ERROR_UNAVAILABLE, NULL,
                         "no time left to connect to PostgreSQL");
    }
    return 0;
}

/* Under the lock. False at the deadline. */
static bool pool_wait(struct db_pool *pool, int64_t deadline_us) {
    struct timespec until = {.tv_sec = deadline_us / 1000000,
                             .tv_nsec = (long)(deadline_us % 1000000) * 1000};
    if (clock_now_us() >= deadline_us) {
        return false;
    }
    pool->waiting++;
    pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    pool->waiting--;
    return true;
}

/* Entered and left under the lock: NULL when it turned out dead. */
static struct db *pool_wake(struct db *db) {
    struct db_pool *pool = db->pool;
    db->slot = PQ_OUT;
    pthread_mutex_unlock(&pool->lock);
    bool alive = pq_alive(db);
    pthread_mutex_lock(&pool->lock);
    if (alive) {
        return db;
    }
    PGconn *conn = pool_drop(db);
    pthread_mutex_unlock(&pool->lock);
    pq_finish(conn, true);
    pthread_mutex_lock(&pool->lock);
    return NULL;
}

int db_acquire(struct db_pool *pool, int64_t deadline_us, struct db **db,
               struct error *error) {
    int code = 0;
    *db = NULL;
    pthread_mutex_lock(&pool->lock);
    while (!*db && code == 0) {
        struct db *idle = pool_slot(pool, PQ_IDLE);
        struct db *empty = pool_slot(pool, PQ_FREE);
        if (pool->closing) {
            code = error_set(error, ERROR_MISUSE, NULL, "the connection pool is closed");
        } else if (idle) {
            *db = pool_wake(idle);
        } else if (empty) {
            code = pool_may_connect(pool, deadline_us, error);
            if (code == 0) {
                empty->slot = PQ_CONNECTING;
                code = pool_connect(empty, deadline_us, error);
                *db = code == 0 ? empty : NULL;
            }
        } else if (!pool_wait(pool, deadline_us)) {
            code = error_set(error, ERROR_UNAVAILABLE, NULL,
                             "all %d connections to PostgreSQL are busy", pool->most);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return code;
}

void db_release(struct db *db) {
    if (!db) {
        return;
    }
    struct db_pool *pool = db->pool;
    bool good = !db->broken && PQtransactionStatus(db->conn) == PQTRANS_IDLE;
    PGconn *conn = NULL;
    bool cut = db->broken;
    pthread_mutex_lock(&pool->lock);
    if (good && !pool->closing) {
        db->slot = PQ_IDLE;
        db->released = ++pool->releases;
        pthread_cond_signal(&pool->changed);
    } else {
        conn = pool_drop(db);
    }
    bool last =
        pool->closing && pool_count(pool, PQ_OUT) + pool_count(pool, PQ_CONNECTING) == 0;
    pthread_mutex_unlock(&pool->lock);
    pq_finish(conn, cut);
    if (last) {
        pool_free(pool);
    }
}
