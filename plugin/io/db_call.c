/* SPDX-License-Identifier: MIT */
/* One call: send, flush, collect every answer up to ReadyForQuery (only that says that the
 * transaction is committed), and say what an error means. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/db.h"
#include "io/pq.h"

#define UNSENT "PostgreSQL did not take the call in time"
#define UNANSWERED "PostgreSQL did not answer in time"

enum ending { ANSWERED = 0, SILENT = 1, GONE = 2 };

struct answer {
    PGresult *rows;    /* the last good one */
    PGresult *failure; /* the first bad one */
    bool completed;    /* a statement finished, perhaps not yet committed */
};

/* The first prefix that fits; drop: the connection is not to be trusted again. */
static const struct {
    const char *prefix;
    enum db_fault fault;
    bool drop;
} meanings[] = {
    {"40003", DB_LOST, true},    {"40", DB_RETRY, false},
    {"55P03", DB_RETRY, false},  {"57014", DB_RETRY, false},
    {"22", DB_DATA, false},      {"23", DB_DATA, false},
    {"VO", DB_RAISED, false},    {"25006", DB_UNREACHED, true},
    {"57P", DB_UNREACHED, true}, {"53", DB_UNREACHED, true},
    {"58", DB_UNREACHED, true},  {"08", DB_LOST, true},
    {"", DB_BUG, false},
};

/* PgBouncer answers 08P01 also when the server died in the middle of a commit; after a
 * PANIC the commit record may have reached the disk. */
static enum db_fault call_meaning(const char *sqlstate, const char *severity,
                                  bool completed, bool *drop) {
    size_t i = 0;
    while (strncmp(sqlstate, meanings[i].prefix, strlen(meanings[i].prefix)) != 0) {
        i++;
    }
    bool panic = strcmp(severity, "PANIC") == 0;
    bool fatal = panic || strcmp(severity, "FATAL") == 0;
    enum db_fault fault = meanings[i].fault;
    *drop = meanings[i].drop || fatal;
    if (panic || (fatal && completed)) {
        return DB_LOST;
    }
    return fatal && fault == DB_BUG ? DB_UNREACHED : fault;
}

static int call_code(enum db_fault fault, const char *sqlstate) {
    static const int codes[] = {
        [DB_FINE] = ERROR_NONE,        [DB_UNREACHED] = ERROR_UNAVAILABLE,
        [DB_LOST] = ERROR_UNAVAILABLE, [DB_RETRY] = ERROR_UNAVAILABLE,
        [DB_DATA] = ERROR_INVALID,     [DB_RAISED] = ERROR_FAILED,
        [DB_BUG] = ERROR_FAILED,
    };
    if (fault == DB_RAISED && sqlstate[2] == '1') {
        return ERROR_INVALID;
    }
    return fault == DB_RAISED && sqlstate[2] == '2' ? ERROR_MISUSE : codes[fault];
}

static const char *call_field(const PGresult *result, int field) {
    const char *text = PQresultErrorField(result, field);
    return text ? text : "";
}

static enum ending call_collect(struct db *db, int64_t deadline_us,
                                struct answer *answer) {
    for (;;) {
        while (PQisBusy(db->conn)) {
            if (pq_wait(db->conn, POLLIN, deadline_us) == 0) {
                return SILENT;
            }
            if (PQconsumeInput(db->conn) == 0 && PQisBusy(db->conn)) {
                return GONE;
            }
        }
        PGresult *result = PQgetResult(db->conn);
        if (!result) {
            return PQstatus(db->conn) == CONNECTION_OK || answer->failure ? ANSWERED
                                                                          : GONE;
        }
        ExecStatusType status = PQresultStatus(result);
        bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
                    status == PGRES_EMPTY_QUERY;
        PGresult **keep = good ? &answer->rows : &answer->failure;
        answer->completed = answer->completed || good;
        if (good || !*keep) {
            PQclear(*keep);
            *keep = result;
        } else {
            PQclear(result);
        }
        if (!good && status != PGRES_FATAL_ERROR) {
            return ANSWERED; /* COPY: nothing here speaks it */
        }
    }
}

/* Reads as it writes, so that neither side can block the other. False at the deadline or
 * when the connection broke, with part of the message unsent. */
static bool call_flush(struct db *db, int64_t deadline_us) {
    int left = PQflush(db->conn);
    while (left > 0) {
        if (pq_wait(db->conn, POLLIN | POLLOUT, deadline_us) == 0) {
            return false;
        }
        if (PQconsumeInput(db->conn) == 0) {
            return false;
        }
        left = PQflush(db->conn);
    }
    return true;
}

/* Nothing more is expected of this connection. */
static int call_fail(struct db *db, enum db_fault fault, bool silent, int64_t since_us,
                     const char *detail, enum db_fault *out, struct error *error) {
    char line[PQ_TEXT_MOST];
    pq_text(detail[0] ? detail : "the connection to PostgreSQL broke", false, line);
    db->broken = true;
    *out = fault;
    pq_lost(db->pool, since_us, silent, line);
    return error_set(error, ERROR_UNAVAILABLE, NULL, "%s", line);
}

/* Where in a script: "line 7: ". */
static void call_place(const PGresult *failure, const char *sql, struct buffer *into) {
    long position = strtol(call_field(failure, PG_DIAG_STATEMENT_POSITION), NULL, 10);
    long line = 1;
    for (const char *c = sql; *c && position > 1; c++) {
        position -= ((unsigned char)*c & 0xC0) != 0x80;
        line += *c == '\n';
    }
    if (position > 0) {
        buffer_format(into, "line %ld: ", line);
    }
}

/* Of the context only the innermost function: the rest may quote values. */
static void call_context(const PGresult *failure, struct buffer *into) {
    static const char lead[] = "PL/pgSQL function ";
    const char *context = call_field(failure, PG_DIAG_CONTEXT);
    if (strncmp(context, lead, sizeof lead - 1) == 0) {
        buffer_text(into, " in ");
        buffer_append(into, context, strcspn(context, "\n"));
    }
}

static int call_explain(struct db *db, const PGresult *failure, const char *script,
                        enum db_fault fault, struct error *error) {
    const char *message = call_field(failure, PG_DIAG_MESSAGE_PRIMARY);
    int code = call_code(fault, db->sqlstate);
    if (fault == DB_RAISED) {
        const char *pointer = call_field(failure, PG_DIAG_MESSAGE_DETAIL);
        return error_set(error, code, pointer[0] == '/' ? pointer : "", "%s", message);
    }
    char line[PQ_TEXT_MOST];
    struct buffer text;
    buffer_init(&text, 4 * PQ_TEXT_MOST);
    pq_text(message, strncmp(db->sqlstate, "22", 2) == 0, line);
    if (script) {
        call_place(failure, script, &text);
    }
    buffer_format(&text, "%s (%s)", line, db->sqlstate);
    if (fault == DB_BUG) {
        call_context(failure, &text);
    }
    error_set(error, code, NULL, "%s", buffer_ok(&text) ? text.data : line);
    buffer_free(&text);
    return code;
}

static int call_judge(struct db *db, const struct answer *answer, const char *script,
                      int64_t since_us, enum db_fault *fault, struct error *error) {
    if (!answer->failure) {
        pq_heard(db->pool);
        return 0;
    }
    const char *sqlstate = call_field(answer->failure, PG_DIAG_SQLSTATE);
    if (PQresultStatus(answer->failure) != PGRES_FATAL_ERROR) {
        db->broken = true;
        *fault = DB_BUG;
        return error_set(error, ERROR_FAILED, NULL, "COPY is not for calls");
    }
    if (strlen(sqlstate) != 5) {
        return call_fail(db, DB_LOST, false, since_us,
                         PQresultErrorMessage(answer->failure), fault, error);
    }
    memcpy(db->sqlstate, sqlstate, 6);
    bool drop = false;
    *fault =
        call_meaning(sqlstate, call_field(answer->failure, PG_DIAG_SEVERITY_NONLOCALIZED),
                     answer->completed, &drop);
    db->broken = db->broken || drop;
    const char *message = call_field(answer->failure, PG_DIAG_MESSAGE_PRIMARY);
    if (*fault == DB_UNREACHED) {
        pq_declined(db->pool, message);
    } else if (*fault == DB_LOST) {
        pq_lost(db->pool, since_us, false, message);
    } else {
        pq_heard(db->pool);
    }
    return call_explain(db, answer->failure, script, *fault, error);
}

/* After a send: sent is what libpq said to it. */
static int call_finish(struct db *db, int sent, const char *script, int64_t deadline_us,
                       struct db_result **result, enum db_fault *fault,
                       struct error *error) {
    int64_t since_us = clock_now_us();
    struct answer answer = {0};
    int code;
    if (!sent) {
        code = call_fail(db, DB_UNREACHED, false, since_us, PQerrorMessage(db->conn),
                         fault, error);
        goto out;
    }
    if (!call_flush(db, deadline_us)) {
        bool silent = PQstatus(db->conn) == CONNECTION_OK;
        code = call_fail(db, DB_UNREACHED, silent, since_us,
                         silent ? UNSENT : PQerrorMessage(db->conn), fault, error);
        goto out;
    }
    enum ending ending = call_collect(db, deadline_us, &answer);
    if (ending != ANSWERED) {
        code = call_fail(db, DB_LOST, ending == SILENT, since_us,
                         ending == SILENT ? UNANSWERED : PQerrorMessage(db->conn), fault,
                         error);
        goto out;
    }
    code = call_judge(db, &answer, script, since_us, fault, error);
    if (code == 0 && result) {
        *result = memory_zero(1, sizeof **result);
        if (*result) {
            (*result)->rows = answer.rows;
            answer.rows = NULL;
        } else {
            *fault = DB_LOST; /* done, but nobody can be told what came of it */
            code = error_set(error, ERROR_UNAVAILABLE, NULL, "no memory for the answer");
        }
    }
out:
    PQclear(answer.rows);
    PQclear(answer.failure);
    return code;
}

/* What keeps a call from being sent at all. */
static int call_refuse(struct db *db, const struct db_params *p, int64_t deadline_us,
                       enum db_fault *fault, struct error *error) {
    if (p && p->code != 0) {
        *fault = p->code == ERROR_INVALID ? DB_DATA : DB_BUG;
        return error_set(error, p->code, NULL, "%s", p->refusal);
    }
    if (!db || !db->conn || db->broken) {
        *fault = DB_UNREACHED;
        return error_set(error, ERROR_UNAVAILABLE, NULL, "the connection is broken");
    }
    if (clock_now_us() >= deadline_us) {
        *fault = DB_UNREACHED;
        return error_set(error, ERROR_UNAVAILABLE, NULL, UNSENT);
    }
    return 0;
}

int db_call(struct db *db, const char *sql, struct db_params *p, int64_t deadline_us,
            struct db_result **result, enum db_fault *fault, struct error *error) {
    enum db_fault unused;
    const char *values[DB_PARAMS_MOST];
    int formats[DB_PARAMS_MOST];
    Oid types[DB_PARAMS_MOST];
    fault = fault ? fault : &unused;
    *fault = DB_FINE;
    if (result) {
        *result = NULL;
    }
    int code = call_refuse(db, p, deadline_us, fault, error);
    if (code != 0) {
        return code;
    }
    db->sqlstate[0] = '\0';
    int count = p ? p->count : 0;
    for (int i = 0; i < count; i++) {
        values[i] = p->lengths[i] < 0 ? NULL : p->bytes.data + p->offsets[i];
        types[i] = p->types[i];
        formats[i] = 1;
    }
    int sent = PQsendQueryParams(db->conn, sql, count, types, values,
                                 p ? p->lengths : NULL, formats, 0);
    return call_finish(db, sent, NULL, deadline_us, result, fault, error);
}

int db_script(struct db *db, const char *sql, int64_t deadline_us, struct error *error) {
    enum db_fault fault = DB_FINE;
    int code = call_refuse(db, NULL, deadline_us, &fault, error);
    if (code != 0) {
        return code;
    }
    db->sqlstate[0] = '\0';
    return call_finish(db, PQsendQuery(db->conn, sql), sql, deadline_us, NULL, &fault,
                       error);
}

int db_rows(const struct db_result *result) {
    return result ? PQntuples(result->rows) : 0;
}

int db_columns(const struct db_result *result) {
    return result ? PQnfields(result->rows) : 0;
}

const char *db_value(const struct db_result *result, int row, int column) {
    if (row < 0 || row >= db_rows(result) || column < 0 || column >= db_columns(result) ||
        PQgetisnull(result->rows, row, column)) {
        return NULL;
    }
    return PQgetvalue(result->rows, row, column);
}

size_t db_length(const struct db_result *result, int row, int column) {
    return db_value(result, row, column) ? (size_t)PQgetlength(result->rows, row, column)
                                         : 0;
}

int64_t db_int(const struct db_result *result, int row, int column) {
    const char *text = db_value(result, row, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

bool db_bool(const struct db_result *result, int row, int column) {
    const char *text = db_value(result, row, column);
    return text && text[0] == 't';
}

json_t *db_json(const struct db_result *result, int row, int column) {
    const char *text = db_value(result, row, column);
    return text ? json_loadb(text, db_length(result, row, column), JSON_DECODE_ANY, NULL)
                : NULL;
}

void db_result_free(struct db_result *result) {
    if (result) {
        PQclear(result->rows);
        memory_free(result);
    }
}
