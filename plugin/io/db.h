/* SPDX-License-Identifier: MIT */
/* PostgreSQL under deadlines: nothing here waits longer than its deadline, whatever the
 * server, the network or a pooler does. A pool may be used by any thread; a struct db, its
 * results and struct db_params belong to one thread at a time. Deadlines are
 * clock_now_us() times. No session state is left behind, so PgBouncer may stand between. */
#ifndef IO_DB_H
#define IO_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

#define DB_POOL_MOST 64                    /* connections of one pool */
#define DB_PARAMS_MOST 64                  /* parameters of one call */
#define DB_PARAMS_BYTES ((size_t)64 << 20) /* all its parameters together */

struct db_pool;
struct db;
struct db_result;

/* What became of a call. After all but DB_FINE and DB_LOST nothing of it is in the
 * database. */
enum db_fault {
    DB_FINE = 0,
    DB_UNREACHED =
        1,         /* nothing was sent, or the server declined: down, full, read-only */
    DB_LOST = 2,   /* sent, the answer never came: committed or not */
    DB_RETRY = 3,  /* 40xxx 55P03 57014: the same call may succeed now */
    DB_DATA = 4,   /* SQLSTATE 22, 23, or parameters refused here */
    DB_RAISED = 5, /* a Vouch rule, SQLSTATE VOxxx: detail is for people */
    DB_BUG = 6
};

/* For vouch_describe. */
struct db_health {
    int most, open, idle; /* open counts idle, busy and connecting ones */
    int waiting;          /* threads that wait for a connection */
    bool down;            /* as db_pool_down */
    bool resolved;        /* addresses are known */
    int failures;         /* connection attempts failed in a row */
    int64_t retry_ms;     /* until the next attempt is allowed, 0: now */
    int server_version;   /* 150004, 0 before the first connection */
    char last_error[256]; /* "" when there was none; kept after recovery */
};

/* Parses, connects nothing, asks no name server. conninfo: URL or keyword string, what it
 * leaves out comes from libpq's environment; NULL: all of it. most: 1..DB_POOL_MOST.
 * 0, or ERROR_INVALID, ERROR_FAILED. The caller's, closed with db_pool_close. */
int db_pool_open(const char *conninfo, int most, struct db_pool **pool,
                 struct error *error);
/* Accepts NULL. No thread may be inside another call on the pool but db_call; connections
 * still out are closed when they are released. */
void db_pool_close(struct db_pool *pool);
/* In a forked child, instead of close: closes inherited sockets, takes no lock, leaks. */
void db_pool_forget(struct db_pool *pool);
/* Looks host names up (getaddrinfo: may block for seconds, so only in open and step).
 * Cheap to repeat: asks again after a minute, after five seconds while down. Without
 * names (sockets, addresses) it does nothing. A name that no longer resolves keeps the
 * addresses it had. 0, or ERROR_UNAVAILABLE when no address is known at all. */
int db_pool_resolve(struct db_pool *pool, struct error *error);
/* True from a failed connection attempt, a lost call or a declining server on, until a
 * call is answered. */
bool db_pool_down(struct db_pool *pool);
/* While down: true for one caller per backoff period (1..4.5 s): it may try (acquire and
 * call), the others should not wait for PostgreSQL. Always true while not down. */
bool db_pool_probe(struct db_pool *pool);
/* libpq's: 150004. */
int db_library_version(void);
void db_pool_report(struct db_pool *pool, struct db_health *health);

/* An idle connection found alive, or a new one; waits while all are out. After a failed
 * attempt others fail at once until the backoff is over. 0, or ERROR_UNAVAILABLE, which is
 * DB_UNREACHED. *db is the caller's until db_release. */
int db_acquire(struct db_pool *pool, int64_t deadline_us, struct db **db,
               struct error *error);
/* Accepts NULL. Broken connections and those left in a transaction are dropped. */
void db_release(struct db *db);

/* Parameters, sent in binary with explicit types, copied when added. A refusal (NUL in a
 * text, too many, too large, no memory) is kept and makes db_call fail before sending. */
struct db_params {
    int count;
    int code; /* 0, or the error that db_call will report */
    const char *refusal;
    struct buffer bytes;
    size_t offsets[DB_PARAMS_MOST];
    int lengths[DB_PARAMS_MOST]; /* -1: SQL NULL */
    uint32_t types[DB_PARAMS_MOST];
};

void db_params_open(struct db_params *p);
/* Zeroes and frees; p may be opened again. A call does not consume p: it may be retried. */
void db_params_free(struct db_params *p);
void db_add_text(struct db_params *p, const char *s); /* text; NULL: SQL NULL */
void db_add_text_n(struct db_params *p, const char *s, size_t n);
void db_add_int(struct db_params *p, int64_t value); /* bigint */
void db_add_bool(struct db_params *p, bool value);
void db_add_bytes(struct db_params *p, const void *bytes, size_t n); /* bytea; NULL ok */
void db_add_time(struct db_params *p, int64_t wall_us); /* timestamptz, years 1..9999 */
void db_add_json(struct db_params *p, const json_t *value); /* jsonb; NULL: SQL NULL */
void db_add_null(struct db_params *p); /* of unknown type: the function's own */

enum db_kind {
    DB_TEXT = 0,
    DB_INT = 1,
    DB_BOOL = 2,
    DB_BYTES = 3,
    DB_TIME = 4,
    DB_JSON = 5
};

/* A one-dimensional array: text[], bigint[], boolean[], bytea[], timestamptz[], jsonb[]. */
struct db_array {
    enum db_kind kind;
    int32_t count;
    bool nulls;
    int code;
    const char *refusal;
    struct buffer bytes;
};

void db_array_open(struct db_array *a, enum db_kind kind);
/* For arrays that never reach db_add_array. */
void db_array_free(struct db_array *a);
void db_array_text(struct db_array *a, const char *s); /* NULL ok; also JSON as text */
void db_array_text_n(struct db_array *a, const char *s, size_t n);
void db_array_int(struct db_array *a, int64_t value);
void db_array_bool(struct db_array *a, bool value);
void db_array_bytes(struct db_array *a, const void *bytes, size_t n);
void db_array_time(struct db_array *a, int64_t wall_us);
void db_array_json(struct db_array *a, const json_t *value);
void db_array_null(struct db_array *a);
/* Moved: a is empty afterwards, of the same kind, with nothing left to free. */
void db_add_array(struct db_params *p, struct db_array *a);

/* One statement with p (NULL: none) as one implicit transaction. result, fault and error
 * may be NULL; *result (text values) is the caller's, released with db_result_free. 0, or
 * the error's code: DB_UNREACHED, DB_LOST, DB_RETRY give ERROR_UNAVAILABLE; DB_DATA
 * ERROR_INVALID; DB_BUG ERROR_FAILED; DB_RAISED by its SQLSTATE ERROR_INVALID (VO1xx),
 * ERROR_MISUSE (VO2xx) or ERROR_FAILED, with the message as detail and DETAIL, a JSON
 * pointer, as pointer. detail never holds a parameter's value otherwise. */
int db_call(struct db *db, const char *sql, struct db_params *p, int64_t deadline_us,
            struct db_result **result, enum db_fault *fault, struct error *error);
/* Many statements by the simple protocol, for migrations; the error names the line. */
int db_script(struct db *db, const char *sql, int64_t deadline_us, struct error *error);
/* Of the last call's error, "" when the server gave none; borrowed until the next call. */
const char *db_sqlstate(const struct db *db);

/* Readers accept a NULL result and places out of range: NULL, 0 or false. */
int db_rows(const struct db_result *result);
int db_columns(const struct db_result *result);
/* NULL when SQL NULL; borrowed until db_result_free. */
const char *db_value(const struct db_result *result, int row, int column);
size_t db_length(const struct db_result *result, int row, int column);
int64_t db_int(const struct db_result *result, int row, int column);
bool db_bool(const struct db_result *result, int row, int column);
/* A new reference, NULL when SQL NULL or not JSON. */
json_t *db_json(const struct db_result *result, int row, int column);
void db_result_free(struct db_result *result);

#endif
