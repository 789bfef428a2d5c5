/* SPDX-License-Identifier: MIT */
/* A CSV table whose rows are found by one key, which may occur more than once. */
#ifndef TABLE_H
#define TABLE_H

#include "csv.h"

struct table {
    struct csv csv;
    size_t *sorted; /* row numbers by key, then by row */
    int key;
};

struct span {
    const size_t *row;
    size_t count;
};

/* Reads FOLDER/olist_NAME_dataset.csv, or FOLDER/NAME.csv, and sorts it by the key column.
 * 0, or -1 with a sentence in why. The caller's, table_free, in both cases. */
int table_read(struct table *table, const char *folder, const char *name, const char *key,
               char *why, size_t size);
void table_free(struct table *table);

/* The rows with that key in file order, borrowed; count 0 when there is none. */
struct span table_find(const struct table *table, const char *key);

/* A cell; "" when there is no such column. */
const char *table_get(const struct table *table, size_t row, const char *column);

#endif
