/* SPDX-License-Identifier: MIT */
/* The pool's own state, for db_pool.c and db_reach.c alone. */
#ifndef IO_DB_POOL_H
#define IO_DB_POOL_H

#include <pthread.h>

#include "io/pq.h"

struct db_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct conninfo *info;
    struct pq_targets *targets; /* NULL until every name was looked up */
    size_t preferred;           /* the target that answered last */
    int64_t resolved_us;        /* 0: never asked */
    bool resolving, trying, closing, down;
    int most, waiting, failures, server_version;
    int64_t retry_us;    /* no attempt before this while failures > 0 */
    int64_t probe_us;    /* no probe before this while down */
    int64_t answered_us; /* last answer of any connection */
    uint64_t releases;
    char last_error[256];
    struct db slots[];
};

/* All of these under the lock. */
void pool_trouble(struct db_pool *pool, const char *why);
/* A connection could not be made, or was of no use. */
void pool_failed(struct db_pool *pool, const char *why);
/* The one last released among those in this state, or NULL. */
struct db *pool_slot(struct db_pool *pool, enum pq_slot slot);
int pool_count(const struct db_pool *pool, enum pq_slot slot);
/* Empties a slot; the connection is the caller's to finish, without the lock. */
PGconn *pool_drop(struct db *db);

#endif
