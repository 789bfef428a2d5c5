/* SPDX-License-Identifier: MIT */
/* The index is an array of row numbers: sorted once, then searched by halves. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    const char *key;
    size_t row;
};

static int by_key(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

static int sort(struct table *table) {
    size_t rows = table->csv.rows;
    struct entry *entry = calloc(rows + 1, sizeof *entry);
    table->sorted = calloc(rows + 1, sizeof *table->sorted);
    if (entry && table->sorted) {
        for (size_t i = 0; i < rows; i++)
            entry[i] = (struct entry){csv_cell(&table->csv, i, table->key), i};
        qsort(entry, rows, sizeof *entry, by_key);
        for (size_t i = 0; i < rows; i++)
            table->sorted[i] = entry[i].row;
    }
    free(entry);
    return entry && table->sorted ? 0 : -1;
}

int table_read(struct table *table, const char *folder, const char *name, const char *key,
               char *why, size_t size) {
    char path[4096];
    const char *fault = NULL;
    memset(table, 0, sizeof *table);
    snprintf(path, sizeof path, "%s/olist_%s_dataset.csv", folder, name);
    FILE *there = fopen(path, "rb");
    if (there)
        fclose(there);
    else
        snprintf(path, sizeof path, "%s/%s.csv", folder, name);
    if (csv_read(path, &table->csv, &fault) != 0) {
        snprintf(why, size, "%s %s", path, fault);
        return -1;
    }
    table->key = csv_column(&table->csv, key);
    if (table->key < 0) {
        snprintf(why, size, "%s has no column %s", path, key);
        return -1;
    }
    snprintf(why, size, "out of memory");
    return sort(table);
}

void table_free(struct table *table) {
    csv_free(&table->csv);
    free(table->sorted);
    table->sorted = NULL;
}

/* How many rows sort before the key (or, with `through`, before what follows it). */
static size_t rank(const struct table *table, const char *key, int through) {
    size_t low = 0, high = table->csv.rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(csv_cell(&table->csv, table->sorted[middle], table->key), key);
        if (order < 0 || (through && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct span table_find(const struct table *table, const char *key) {
    size_t from = rank(table, key, 0);
    return (struct span){table->sorted + from, rank(table, key, 1) - from};
}

const char *table_get(const struct table *table, size_t row, const char *column) {
    return csv_cell(&table->csv, row, csv_column(&table->csv, column));
}
