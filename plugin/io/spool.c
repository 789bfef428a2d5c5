/* SPDX-License-Identifier: MIT */
/* The spool's contents. Every call is one session: open, recognise or make the file, one
 * transaction, close. */
#include "io/spool.h"

#include <poll.h>
#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/spool_run.h"

#define WAIT_US INT64_C(2000000) /* calls without a deadline */
#define BUSY_FIRST_MS 6          /* who has waited longer looks more often */

#define APPLICATION_ID 1450145123 /* "Vouc" */
#define VERSION 1
#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

struct session {
    sqlite3 *db;
    int64_t deadline_us;
};

const char *spool_library_version(void) {
    return sqlite3_libversion();
}

static int spool_busy(void *argument, int calls) {
    const struct session *session = argument;
    if (clock_now_us() >= session->deadline_us) {
        return 0;
    }
    poll(NULL, 0, calls < BUSY_FIRST_MS ? BUSY_FIRST_MS - calls : 1);
    return 1;
}

static int spool_prepare(struct session *session, const char *sql,
                         sqlite3_stmt **statement) {
    return sqlite3_prepare_v2(session->db, sql, -1, statement, NULL);
}

static int spool_exec(struct session *session, const char *sql) {
    return sqlite3_exec(session->db, sql, NULL, NULL, NULL);
}

static int spool_number(struct session *session, const char *sql, int64_t *value) {
    sqlite3_stmt *statement = NULL;
    int rc = spool_prepare(session, sql, &statement);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        *value = sqlite3_column_int64(statement, 0);
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        *value = 0;
        rc = SQLITE_OK;
    }
    int end = sqlite3_finalize(statement);
    return rc != SQLITE_OK ? rc : end;
}

/* Ends the transaction well or not at all. */
static int spool_settle(struct session *session, int rc) {
    if (rc == SQLITE_OK || rc == SQLITE_DONE) {
        rc = spool_exec(session, "COMMIT");
    }
    if (sqlite3_get_autocommit(session->db) == 0) {
        spool_exec(session, "ROLLBACK");
    }
    return rc;
}

/* Ids start at the time in microseconds: those of a file set aside are not given again. */
static const char schema[] =
    "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, store TEXT NOT NULL,"
    " body BLOB NOT NULL, accepted_us INTEGER NOT NULL, lease_us INTEGER NOT NULL "
    "DEFAULT 0,"
    " takes INTEGER NOT NULL DEFAULT 0, failed_us INTEGER, failure TEXT) STRICT;"
    "CREATE INDEX event_waiting ON event (id) WHERE failed_us IS NULL;"
    "CREATE INDEX event_leased ON event (store, lease_us)"
    " WHERE failed_us IS NULL AND lease_us > 0;"
    "PRAGMA application_id = " STRING(APPLICATION_ID) ";"
                                                      "PRAGMA user_version = " STRING(
                                                          VERSION);

static int spool_make(struct session *session) {
    sqlite3_stmt *seed = NULL;
    int rc = spool_exec(session, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                 "BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = spool_exec(session, schema);
    if (rc == SQLITE_OK) {
        rc = spool_prepare(session,
                           "INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?1)",
                           &seed);
    }
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(seed, 1, clock_wall_us());
        rc = sqlite3_step(seed);
    }
    sqlite3_finalize(seed);
    return spool_settle(session, rc);
}

static bool spool_unsound(int rc) {
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/* Whose file it is; *why: not one that can be used. */
static int spool_recognise(struct session *session, const char **why) {
    int64_t id = 0, version = 0;
    int rc = spool_number(session, "PRAGMA application_id", &id);
    if (rc == SQLITE_OK) {
        rc = spool_number(session, "PRAGMA user_version", &version);
    }
    if (spool_unsound(rc)) {
        *why = "is corrupt";
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK && id != APPLICATION_ID) {
        *why = "belongs to another program";
    } else if (rc == SQLITE_OK && version != VERSION) {
        *why = version > VERSION ? "was made by a newer version" : "is corrupt";
    }
    return rc;
}

/* No checkpoint on close: it would cost each call two more synchronisations. */
static int spool_configure(struct session *session) {
    static const int switches[][2] = {
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}, {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},   {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        sqlite3_db_config(session->db, switches[i][0], switches[i][1], NULL);
    }
    return spool_exec(session, "PRAGMA synchronous = FULL;"
                               "PRAGMA secure_delete = ON;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA wal_autocheckpoint = 128;"
                               "PRAGMA journal_size_limit = 1048576;"
                               "PRAGMA max_page_count = 262144"); /* 1 GiB */
}

static int spool_connect(const char *path, struct session *session) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int rc = sqlite3_open_v2(path, &session->db, flags, NULL);
    return rc == SQLITE_OK ? sqlite3_busy_handler(session->db, spool_busy, session) : rc;
}

static int spool_begin(const char *path, struct session *session, const char **why) {
    *why = NULL;
    int rc = spool_connect(path, session);
    if (rc == SQLITE_OK) {
        rc = spool_configure(session);
    }
    if (spool_unsound(rc)) {
        *why = "is corrupt";
        return SQLITE_OK;
    }
    return rc == SQLITE_OK ? spool_recognise(session, why) : rc;
}

static int spool_explain(const char *path, sqlite3 *db, int rc, struct error *error) {
    char reason[128];
    int number = db ? sqlite3_system_errno(db) : 0;
    int kind = rc & 0xff;
    bool system = number != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN);
    if (kind == SQLITE_BUSY) {
        return error_set(error, ERROR_UNAVAILABLE, NULL, "the spool %s is busy", path);
    }
    return error_set(error, kind == SQLITE_NOMEM ? ERROR_FAILED : ERROR_UNAVAILABLE, NULL,
                     "the spool %s: %s%s%s", path, sqlite3_errstr(rc), system ? ": " : "",
                     system ? spool_file_reason(number, reason) : "");
}

/* Closed normally: the last close moves the log into the file and removes it. */
int spool_fill(const char *path, int64_t deadline_us, struct error *error) {
    struct session session = {.deadline_us = deadline_us};
    int rc = spool_connect(path, &session);
    if (rc == SQLITE_OK) {
        rc = spool_make(&session);
    }
    int code = rc == SQLITE_OK ? 0 : spool_explain(path, session.db, rc, error);
    sqlite3_close(session.db);
    return code;
}

enum verdict spool_session(const char *path, const struct spool_mark *mark,
                           int64_t deadline_us, spool_work work, void *task,
                           const char **why, int *code, struct error *error) {
    struct session session = {.deadline_us = deadline_us};
    enum verdict verdict = VERDICT_DONE;
    int rc = spool_begin(path, &session, why);
    bool same = spool_file_same(path, mark);
    if (rc == SQLITE_OK && !*why && same) {
        rc = work(&session, task);
        rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
        *why = spool_unsound(rc) ? "is corrupt" : NULL;
        same = rc == SQLITE_OK || spool_file_same(path, mark);
    }
    if (!same) {
        verdict = VERDICT_MOVED;
    } else if (*why) {
        verdict = VERDICT_UNSOUND;
    } else if ((rc & 0xff) == SQLITE_BUSY && clock_now_us() < deadline_us) {
        verdict = VERDICT_WAIT;
    } else if (rc != SQLITE_OK) {
        *code = spool_explain(path, session.db, rc, error);
        verdict = VERDICT_FAILED;
    }
    sqlite3_close(session.db);
    return verdict;
}

struct put {
    const char *store;
    const char *const *events;
    const size_t *lengths;
    size_t count;
};

static int put_work(struct session *session, void *task) {
    const struct put *put = task;
    sqlite3_stmt *insert = NULL;
    int rc = spool_exec(session, "BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = spool_prepare(session,
                       "INSERT INTO event (store, body, accepted_us) VALUES (?1, ?2, ?3)",
                       &insert);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(insert, 1, put->store, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, clock_wall_us());
    }
    for (size_t i = 0; i < put->count && rc == SQLITE_OK; i++) {
        rc = sqlite3_bind_blob64(insert, 2, put->events[i], put->lengths[i],
                                 SQLITE_STATIC);
        if (rc == SQLITE_OK) {
            rc = sqlite3_step(insert);
            rc = rc == SQLITE_DONE ? sqlite3_reset(insert) : rc;
        }
    }
    sqlite3_finalize(insert);
    return spool_settle(session, rc);
}

int spool_put(struct spool *spool, const char *store, const char *const events[],
              const size_t lengths[], size_t count, int64_t deadline_us,
              struct error *error) {
    struct put put = {store, events, lengths, count};
    return count > 0 ? spool_run(spool, true, deadline_us, put_work, &put, error) : 0;
}

struct take {
    const char *store; /* NULL: any */
    int64_t lease_us;
    size_t most;
    struct spool_entry *entries;
    int64_t *ids;
    size_t count;
};

void spool_entries_free(struct spool_entry *entries, size_t count) {
    for (size_t i = 0; entries && i < count; i++) {
        memory_free(entries[i].store);
        memory_free(entries[i].event);
    }
    memory_free(entries);
}

static int take_row(struct take *take, sqlite3_stmt *row, size_t *bytes) {
    struct spool_entry *entry = &take->entries[take->count++];
    const char *store = (const char *)sqlite3_column_text(row, 1);
    const char *body = sqlite3_column_blob(row, 2);
    entry->id = sqlite3_column_int64(row, 0);
    take->ids[take->count - 1] = entry->id;
    entry->length = (size_t)sqlite3_column_bytes(row, 2);
    entry->takes = sqlite3_column_int64(row, 3);
    entry->store = memory_copy(store);
    entry->event = memory_copy_n(body ? body : "", entry->length);
    *bytes += entry->length;
    return entry->store && entry->event ? SQLITE_OK : SQLITE_NOMEM;
}

/* A lease that lies further ahead than any lease can comes from a clock set back. */
static int take_collect(struct session *session, struct take *take, int64_t now_us) {
    sqlite3_stmt *rows = NULL;
    size_t bytes = 0;
    int rc = spool_prepare(session,
                           "SELECT id, store, body, takes FROM event AS e"
                           " WHERE failed_us IS NULL AND NOT EXISTS"
                           " (SELECT 1 FROM event AS l WHERE l.store = e.store"
                           " AND l.failed_us IS NULL AND l.lease_us > 0"
                           " AND l.lease_us > ?1 AND l.lease_us <= ?2)"
                           " AND (?4 IS NULL OR e.store = ?4) ORDER BY id LIMIT ?3",
                           &rows);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(rows, 1, now_us);
        sqlite3_bind_int64(rows, 2, now_us + SPOOL_LEASE_MOST_MS * INT64_C(1000));
        sqlite3_bind_int64(rows, 3, (int64_t)take->most);
        sqlite3_bind_text(rows, 4, take->store, -1, SQLITE_STATIC);
    }
    while (rc == SQLITE_OK && take->count < take->most && bytes < SPOOL_TAKE_BYTES) {
        rc = sqlite3_step(rows);
        if (rc != SQLITE_ROW) {
            break;
        }
        rc = take_row(take, rows, &bytes);
    }
    sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Runs sql for every id; ?1 is the id, ?2 the value where it is used. */
static int spool_each(struct session *session, const char *sql, const int64_t ids[],
                      size_t count, int64_t value) {
    sqlite3_stmt *statement = NULL;
    int rc = spool_prepare(session, sql, &statement);
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(statement) > 1) {
        rc = sqlite3_bind_int64(statement, 2, value);
    }
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        sqlite3_bind_int64(statement, 1, ids[i]);
        rc = sqlite3_step(statement);
        rc = rc == SQLITE_DONE ? sqlite3_reset(statement) : rc;
    }
    sqlite3_finalize(statement);
    return rc;
}

static void take_empty(struct take *take) {
    spool_entries_free(take->entries, take->count);
    memory_free(take->ids);
    take->entries = NULL;
    take->ids = NULL;
    take->count = 0;
}

static int take_work(struct session *session, void *task) {
    struct take *take = task;
    int64_t waiting = 0, now = clock_wall_us();
    take_empty(take);
    int rc = spool_number(session, "SELECT 1 FROM event WHERE failed_us IS NULL LIMIT 1",
                          &waiting);
    if (rc != SQLITE_OK || waiting == 0) {
        return rc;
    }
    take->entries = memory_zero(take->most, sizeof *take->entries);
    take->ids = memory_zero(take->most, sizeof *take->ids);
    if (!take->entries || !take->ids) {
        return SQLITE_NOMEM;
    }
    rc = spool_exec(session, "BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = take_collect(session, take, now);
    if (rc == SQLITE_OK) {
        rc = spool_each(session,
                        "UPDATE event SET lease_us = ?2, takes = takes + 1 WHERE id = ?1",
                        take->ids, take->count, now + take->lease_us);
    }
    return spool_settle(session, rc);
}

int spool_take(struct spool *spool, const char *store, int lease_ms, size_t most,
               struct spool_entry **entries, size_t *count, struct error *error) {
    struct take take = {
        .store = store, .lease_us = lease_ms * INT64_C(1000), .most = most};
    *entries = NULL;
    *count = 0;
    if (lease_ms < 1 || lease_ms > SPOOL_LEASE_MOST_MS || most < 1 ||
        most > SPOOL_TAKE_MOST) {
        return error_set(error, ERROR_FAILED, NULL, "a take needs 1 to %d entries and ms",
                         SPOOL_TAKE_MOST);
    }
    int code = spool_run(spool, false, clock_now_us() + WAIT_US, take_work, &take, error);
    if (code == 0 && take.count > 0) {
        *entries = take.entries;
        *count = take.count;
        take.entries = NULL;
        take.count = 0;
    }
    take_empty(&take);
    return code;
}

struct change {
    const char *sql;
    const int64_t *ids;
    size_t count;
    const char *why; /* ?3 of spool_fail */
};

/* The last one out leaves no event behind, not even in the log. */
static void change_tidy(struct session *session) {
    int64_t left = 1;
    if (spool_number(session, "SELECT EXISTS (SELECT 1 FROM event)", &left) ==
            SQLITE_OK &&
        left == 0) {
        sqlite3_wal_checkpoint_v2(session->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                  NULL);
    }
}

static int change_work(struct session *session, void *task) {
    const struct change *change = task;
    int rc = spool_exec(session, "BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = spool_settle(session,
                      spool_each(session, change->sql, change->ids, change->count, 0));
    if (rc == SQLITE_OK) {
        change_tidy(session);
    }
    return rc;
}

int spool_done(struct spool *spool, const int64_t ids[], size_t count,
               struct error *error) {
    struct change change = {"DELETE FROM event WHERE id = ?1", ids, count, NULL};
    return spool_run(spool, false, clock_now_us() + WAIT_US, change_work, &change, error);
}

int spool_return(struct spool *spool, const int64_t ids[], size_t count,
                 struct error *error) {
    struct change change = {
        "UPDATE event SET lease_us = 0, takes = takes - 1 WHERE id = ?1", ids, count,
        NULL};
    return spool_run(spool, false, clock_now_us() + WAIT_US, change_work, &change, error);
}

static int fail_work(struct session *session, void *task) {
    const struct change *change = task;
    sqlite3_stmt *statement = NULL;
    int rc = spool_prepare(session, change->sql, &statement);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, change->ids[0]);
        sqlite3_bind_int64(statement, 2, clock_wall_us());
        sqlite3_bind_text(statement, 3, change->why, -1, SQLITE_STATIC);
        rc = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return rc;
}

int spool_fail(struct spool *spool, int64_t id, const char *why, struct error *error) {
    struct change change = {"UPDATE event SET failed_us = ?2, failure = ?3, lease_us = 0"
                            " WHERE id = ?1",
                            &id, 1, why ? why : ""};
    return spool_run(spool, false, clock_now_us() + WAIT_US, fail_work, &change, error);
}

struct counts {
    int64_t all;
    int64_t failed;
};

static int count_work(struct session *session, void *task) {
    struct counts *counts = task;
    int rc = spool_number(session, "SELECT count(*) FROM event", &counts->all);
    if (rc == SQLITE_OK) {
        rc = spool_number(session, "SELECT count(failed_us) FROM event", &counts->failed);
    }
    return rc;
}

int spool_count(struct spool *spool, int64_t *waiting, int64_t *failed,
                struct error *error) {
    struct counts counts = {0, 0};
    int code =
        spool_run(spool, false, clock_now_us() + WAIT_US, count_work, &counts, error);
    if (waiting) {
        *waiting = code == 0 ? counts.all - counts.failed : 0;
    }
    if (failed) {
        *failed = code == 0 ? counts.failed : 0;
    }
    return code;
}
