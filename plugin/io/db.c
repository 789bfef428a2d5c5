/* SPDX-License-Identifier: MIT */
/* One connection: made without blocking, checked, found alive or dead, ended. */
#include "io/db.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "io/pq.h"

#define OPTIONS_MOST 96
#define SERVER_LEAST 150000
#define ALIVE_LOOKS 4
#define TLS_LOOK_MS 100 /* bytes inside the TLS layer do not wake poll */

struct pairs {
    const char *keywords[OPTIONS_MOST + 1];
    const char *values[OPTIONS_MOST + 1];
    size_t count;
};

static void db_silence(void *unused, const PGresult *notice) {
    (void)unused;
    (void)notice;
}

static void pairs_add(struct pairs *p, const char *keyword, const char *value) {
    if (value && value[0] && p->count < OPTIONS_MOST) {
        p->keywords[p->count] = keyword;
        p->values[p->count++] = value;
    }
}

static bool pairs_ours(const char *keyword) {
    static const char *const ours[] = {"host",    "hostaddr", "port",
                                       "options", "service",  "client_encoding",
                                       "dbname",  "authtype"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcmp(keyword, ours[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first dbname is a conninfo that empties `options`: a PGOPTIONS meant for the host's
 * own connections would be refused by PgBouncer, and an empty value alone is ignored. */
static void pairs_fill(struct pairs *p, const PQconninfoOption *options,
                       const struct pq_target *target) {
    pairs_add(p, "dbname", "options=''");
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (!pairs_ours(o->keyword) || strcmp(o->keyword, "dbname") == 0) {
            pairs_add(p, o->keyword, o->val);
        }
    }
    pairs_add(p, "client_encoding", "UTF8");
    pairs_add(p, "host", target->host);
    pairs_add(p, "hostaddr", target->address);
    pairs_add(p, "port", target->port);
}

int pq_wait(PGconn *conn, short events, int64_t deadline_us) {
    bool tls = PQsslInUse(conn) != 0;
    struct pollfd one = {.fd = PQsocket(conn), .events = events};
    if (one.fd < 0) {
        return 1;
    }
    for (;;) {
        int64_t left = deadline_us - clock_now_us();
        if (left <= 0) {
            return 0;
        }
        int64_t ms = left / 1000 + 1;
        if (tls && ms > TLS_LOOK_MS) {
            ms = TLS_LOOK_MS;
        }
        int n = poll(&one, 1, ms > INT_MAX ? INT_MAX : (int)ms);
        if (n > 0 || (n == 0 && tls && clock_now_us() < deadline_us)) {
            return 1;
        }
    }
}

static int db_dial(PGconn *conn, int64_t deadline_us, struct error *error) {
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK && step != PGRES_POLLING_FAILED) {
        short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (pq_wait(conn, events, deadline_us) == 0) {
            const char *host = PQhost(conn);
            return error_set(error, ERROR_UNAVAILABLE, NULL,
                             "no connection to PostgreSQL at %s port %s in time",
                             host && host[0] ? host : "its socket", PQport(conn));
        }
        step = PQconnectPoll(conn);
    }
    if (step == PGRES_POLLING_FAILED) {
        char line[PQ_TEXT_MOST];
        pq_text(PQerrorMessage(conn), false, line);
        return error_set(error, ERROR_UNAVAILABLE, NULL, "%s", line);
    }
    return 0;
}

static bool db_utf8(PGconn *conn, const char *name) {
    const char *value = PQparameterStatus(conn, name);
    return value && strcmp(value, "UTF8") == 0;
}

static int db_check(PGconn *conn, struct error *error) {
    if (PQserverVersion(conn) < SERVER_LEAST) {
        const char *version = PQparameterStatus(conn, "server_version");
        return error_set(error, ERROR_UNAVAILABLE, NULL,
                         "PostgreSQL 15 or newer is needed, the server says %s",
                         version ? version : "nothing");
    }
    if (!db_utf8(conn, "server_encoding") || !db_utf8(conn, "client_encoding")) {
        return error_set(error, ERROR_UNAVAILABLE, NULL,
                         "the database's encoding must be UTF8");
    }
    if (PQsetnonblocking(conn, 1) != 0) {
        return error_set(error, ERROR_UNAVAILABLE, NULL,
                         "the connection cannot be made non-blocking");
    }
    return 0;
}

int pq_connect(struct db *db, const PQconninfoOption *options,
               const struct pq_target *target, int64_t deadline_us, struct error *error) {
    struct pairs pairs = {.count = 0};
    pairs_fill(&pairs, options, target);
    PGconn *conn = PQconnectStartParams(pairs.keywords, pairs.values, 1);
    db->conn = conn;
    db->broken = false;
    db->sqlstate[0] = '\0';
    if (!conn) {
        return error_set(error, ERROR_UNAVAILABLE, NULL, "no memory for a connection");
    }
    PQsetNoticeReceiver(conn, db_silence, NULL);
    int code;
    if (PQstatus(conn) == CONNECTION_BAD) {
        char line[PQ_TEXT_MOST];
        pq_text(PQerrorMessage(conn), false, line);
        code = error_set(error, ERROR_UNAVAILABLE, NULL, "%s", line);
    } else {
        code = db_dial(conn, deadline_us, error);
    }
    if (code == 0) {
        code = db_check(conn, error);
    }
    if (code != 0) {
        db->conn = NULL;
        pq_finish(conn, true);
    }
    return code;
}

bool pq_alive(struct db *db) {
    for (int look = 0; look < ALIVE_LOOKS; look++) {
        struct pollfd one = {.fd = PQsocket(db->conn), .events = POLLIN};
        if (one.fd < 0 || PQstatus(db->conn) != CONNECTION_OK) {
            return false;
        }
        if (poll(&one, 1, 0) <= 0) {
            return true;
        }
        if (PQconsumeInput(db->conn) == 0 || PQisBusy(db->conn)) {
            return false;
        }
    }
    return false;
}

void pq_finish(PGconn *conn, bool cut) {
    if (!conn) {
        return;
    }
    int fd = PQsocket(conn);
    if (cut && fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
    PQfinish(conn);
}

int db_library_version(void) {
    return PQlibVersion();
}

const char *db_sqlstate(const struct db *db) {
    return db ? db->sqlstate : "";
}

/* Where the guarded part begins and ends: from the first quote to the last. */
static size_t text_guard(const char *message, bool guarded, size_t *end) {
    const char *first = guarded ? strchr(message, '"') : NULL;
    const char *last = guarded ? strrchr(message, '"') : NULL;
    *end = last && last != first ? (size_t)(last - message) + 1 : strlen(message);
    return first ? (size_t)(first - message) : strlen(message);
}

void pq_text(const char *message, bool guarded, char out[PQ_TEXT_MOST]) {
    static const char hidden[] = "(not shown)";
    size_t end, n = 0, begin = text_guard(message, guarded, &end);
    bool space = false;
    for (size_t i = 0; message[i] && n + sizeof hidden + 1 < PQ_TEXT_MOST; i++) {
        bool blank = (unsigned char)message[i] <= ' ';
        if (blank) {
            space = n > 0;
            continue;
        }
        if (space) {
            out[n++] = ' ';
            space = false;
        }
        if (i == begin) {
            memcpy(out + n, hidden, sizeof hidden - 1);
            n += sizeof hidden - 1;
            i = end - 1;
            continue;
        }
        out[n++] = message[i];
    }
    out[n] = '\0';
}
