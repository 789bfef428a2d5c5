/* SPDX-License-Identifier: MIT */
/* A CSV file (RFC 4180: quotes, doubled quotes, newlines within quotes) held in memory. */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>

struct csv {
    char *text;        /* the file; cells point into it */
    const char **cell; /* rows * columns cells, the header's first */
    size_t rows;       /* the header not counted */
    size_t columns;
};

/* Reads all of a file. 0, or -1 with why (static text) set and nothing to free. */
int csv_read(const char *path, struct csv *csv, const char **why);
void csv_free(struct csv *csv); /* a zeroed one is fine */

/* The column of that name, or -1. */
int csv_column(const struct csv *csv, const char *name);

/* A cell as NUL-terminated text, borrowed from csv; "" when empty or column is -1. */
const char *csv_cell(const struct csv *csv, size_t row, int column);

#endif
