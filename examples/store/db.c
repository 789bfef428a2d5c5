/* SPDX-License-Identifier: MIT */
/* See db.h. Connections are opened when first needed, kept, and replaced when broken. */
#include "db.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct db {
    char *url;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    PGconn *idle[DB_CONNECTIONS]; /* NULL: not connected */
    size_t idle_count;            /* slots nobody uses now */
};

static void db_silence(void *nobody, const char *message) {
    (void)nobody;
    (void)message;
}

static PGconn *db_connect(const char *url) {
    PGconn *connection = PQconnectdb(url);
    (void)PQsetNoticeProcessor(connection, db_silence, NULL);
    (void)PQsetErrorVerbosity(connection, PQERRORS_TERSE);
    (void)PQsetClientEncoding(connection, "UTF8");
    return connection;
}

static PGconn *db_take(struct db *db) {
    (void)pthread_mutex_lock(&db->lock);
    while (db->idle_count == 0)
        (void)pthread_cond_wait(&db->freed, &db->lock);
    PGconn *connection = db->idle[--db->idle_count];
    (void)pthread_mutex_unlock(&db->lock);
    if (connection != NULL && PQstatus(connection) != CONNECTION_OK) {
        PQfinish(connection);
        connection = NULL;
    }
    return connection != NULL ? connection : db_connect(db->url);
}

static void db_give(struct db *db, PGconn *connection) {
    if (connection != NULL && (PQstatus(connection) != CONNECTION_OK ||
                               PQtransactionStatus(connection) != PQTRANS_IDLE)) {
        PQfinish(connection);
        connection = NULL;
    }
    (void)pthread_mutex_lock(&db->lock);
    db->idle[db->idle_count++] = connection;
    (void)pthread_cond_signal(&db->freed);
    (void)pthread_mutex_unlock(&db->lock);
}

int db_open(const char *url, struct db **out, char *why, size_t why_size) {
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return -1;
    (void)pthread_mutex_init(&db->lock, NULL);
    (void)pthread_cond_init(&db->freed, NULL);
    db->idle_count = DB_CONNECTIONS;
    db->url = strdup(url);
    PGconn *first = db->url != NULL ? db_take(db) : NULL;
    bool good = PQstatus(first) == CONNECTION_OK;
    if (!good)
        (void)snprintf(why, why_size, "%s", first != NULL ? PQerrorMessage(first) : "");
    if (first != NULL)
        db_give(db, first);
    if (!good) {
        db_close(db);
        return -1;
    }
    *out = db;
    return 0;
}

void db_close(struct db *db) {
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->idle_count; i++)
        if (db->idle[i] != NULL)
            PQfinish(db->idle[i]);
    (void)pthread_cond_destroy(&db->freed);
    (void)pthread_mutex_destroy(&db->lock);
    free(db->url);
    free(db);
}

int db_script(struct db *db, const char *sql, char *why, size_t why_size) {
    PGconn *connection = db_take(db);
    PGresult *result = PQexec(connection, sql);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK ||
                PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!good)
        (void)snprintf(why, why_size, "%s", PQerrorMessage(connection));
    PQclear(result);
    db_give(db, connection);
    return good ? 0 : -1;
}

/* struct rows is libpq's result under a name of ours, so that libpq stays in this
 * file. */
static const PGresult *db_result(const struct rows *rows) {
    return (const PGresult *)rows;
}

static struct rows *db_run(struct db *db, const char *sql, size_t count,
                           const char *const values[], const int lengths[],
                           const int formats[]) {
    PGconn *connection = db_take(db);
    PGresult *result =
        PQexecParams(connection, sql, (int)count, NULL, values, lengths, formats, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        (void)fprintf(stderr, "store: %s", PQerrorMessage(connection));
        PQclear(result);
        result = NULL;
    }
    db_give(db, connection);
    return (struct rows *)result;
}

struct rows *db_query(struct db *db, const char *sql, size_t count,
                      const char *const values[]) {
    return db_run(db, sql, count, values, NULL, NULL);
}

struct rows *db_query_bytes(struct db *db, const char *sql, size_t count,
                            const char *const values[], const char *bytes,
                            size_t length) {
    const char *all[DB_PARAMETERS + 1] = {NULL};
    int lengths[DB_PARAMETERS + 1] = {0};
    int formats[DB_PARAMETERS + 1] = {0};
    if (count > DB_PARAMETERS || length > INT32_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++)
        all[i] = values[i];
    all[count] = bytes;
    lengths[count] = (int)length;
    formats[count] = 1;
    return db_run(db, sql, count + 1, all, lengths, formats);
}

int rows_count(const struct rows *rows) {
    return rows != NULL ? PQntuples(db_result(rows)) : 0;
}

const char *rows_text(const struct rows *rows, int row, int column) {
    return row < rows_count(rows) ? PQgetvalue(db_result(rows), row, column) : "";
}

bool rows_null(const struct rows *rows, int row, int column) {
    return row >= rows_count(rows) || PQgetisnull(db_result(rows), row, column) != 0;
}

bool rows_true(const struct rows *rows, int row, int column) {
    return strcmp(rows_text(rows, row, column), "t") == 0;
}

char *rows_bytes(const struct rows *rows, int row, int column, size_t *length) {
    *length = 0;
    unsigned char *read =
        PQunescapeBytea((const unsigned char *)rows_text(rows, row, column), length);
    char *bytes = read != NULL ? malloc(*length + 1) : NULL;
    if (bytes != NULL) {
        memcpy(bytes, read, *length);
        bytes[*length] = '\0';
    }
    PQfreemem(read);
    return bytes;
}

void rows_free(struct rows *rows) {
    PQclear((PGresult *)rows);
}
