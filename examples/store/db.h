/* SPDX-License-Identifier: MIT */
/* The shop's own PostgreSQL: a few connections, statements with text parameters. It knows
 * nothing of Vouch, whose connections are its own. */
#ifndef SHOP_DB_H
#define SHOP_DB_H

#include <stdbool.h>
#include <stddef.h>

enum { DB_CONNECTIONS = 8, DB_PARAMETERS = 12 };

struct db;
struct rows;

/* Connects once to see that it can; `why` gets a sentence when it cannot. */
int db_open(const char *url, struct db **db, char *why, size_t why_size);
void db_close(struct db *db);

/* Runs statements without parameters, all or none. */
int db_script(struct db *db, const char *sql, char *why, size_t why_size);

/* One statement is one transaction. Parameters are borrowed text, NULL is SQL NULL.
 * Returns the rows, the caller's, or NULL when it failed; rows_free accepts NULL, and
 * so do the readers, which then see no rows. */
struct rows *db_query(struct db *db, const char *sql, size_t count,
                      const char *const values[]);
#define DB_ASK(db, sql, ...)                                                             \
    db_query((db), (sql), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),   \
             (const char *const[]){__VA_ARGS__})

/* The same with bytes in one parameter more, the last. */
struct rows *db_query_bytes(struct db *db, const char *sql, size_t count,
                            const char *const values[], const char *bytes, size_t length);

int rows_count(const struct rows *rows);
const char *rows_text(const struct rows *rows, int row, int column); /* "" for SQL NULL */
bool rows_null(const struct rows *rows, int row, int column);
bool rows_true(const struct rows *rows, int row, int column);
/* A bytea column; the caller's, freed with free(); NULL when it is none. */
char *rows_bytes(const struct rows *rows, int row, int column, size_t *length);
void rows_free(struct rows *rows);

#endif
