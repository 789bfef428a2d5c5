/* SPDX-License-Identifier: MIT */
/* What the files behind db.h share, and the only place that includes libpq. No one else
 * includes this header. */
#ifndef IO_PQ_H
#define IO_PQ_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/db.h"

#define PQ_TARGETS_MOST 16 /* addresses tried for one database */
#define PQ_TEXT_MOST 400   /* bytes of a server's message that are kept */

enum pq_slot { PQ_FREE = 0, PQ_CONNECTING = 1, PQ_IDLE = 2, PQ_OUT = 3 };

struct db {
    struct db_pool *pool;
    PGconn *conn;      /* NULL unless a socket may be open */
    enum pq_slot slot; /* guarded by the pool's lock */
    uint64_t released; /* likewise: order of releases */
    bool broken;
    char sqlstate[6];
};

struct db_result {
    PGresult *rows;
};

/* One address to connect to; empty members leave the choice to libpq. */
struct pq_target {
    char host[256]; /* name for certificates and .pgpass, or a socket's folder */
    char address[64];
    char port[8];
};

struct pq_targets {
    size_t count;
    struct pq_target list[PQ_TARGETS_MOST];
};

/* conninfo.c: options as given, names not looked up. */
struct conninfo;
int conninfo_open(const char *text, struct conninfo **info, struct error *error);
void conninfo_close(struct conninfo *info);
/* The options, borrowed for the life of info; host, hostaddr and port are the targets'. */
const PQconninfoOption *conninfo_options(const struct conninfo *info);
/* Whether a name server is needed. */
bool conninfo_names(const struct conninfo *info);
/* Fills targets; ask: with getaddrinfo, what fails there is taken from known (may be
 * NULL). ERROR_UNAVAILABLE when there is none. Reads info only. */
int conninfo_resolve(const struct conninfo *info, bool ask,
                     const struct pq_targets *known, struct pq_targets *targets,
                     struct error *error);

/* db.c: one connection. */
/* Connects db->conn and checks encoding and version; on failure db->conn is NULL. */
int pq_connect(struct db *db, const PQconninfoOption *options,
               const struct pq_target *target, int64_t deadline_us, struct error *error);
/* False when an idle connection was closed by the other side. Does not block. */
bool pq_alive(struct db *db);
/* Ends a connection; cut: at once, whatever is still unsent is never sent. */
void pq_finish(PGconn *conn, bool cut);
/* 1 ready (or in error), 0 at the deadline. */
int pq_wait(PGconn *conn, short events, int64_t deadline_us);
/* One line of at most PQ_TEXT_MOST - 1 bytes; guarded: quoted parts, which may be values
 * or secrets, are left out. */
void pq_text(const char *message, bool guarded, char out[PQ_TEXT_MOST]);

/* db_reach.c: what calls report. */
void pq_heard(struct db_pool *pool);
/* The server declined, or a call begun at since_us was lost. silent: by its deadline. */
void pq_declined(struct db_pool *pool, const char *why);
void pq_lost(struct db_pool *pool, int64_t since_us, bool silent, const char *why);

#endif
