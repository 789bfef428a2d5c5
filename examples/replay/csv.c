/* SPDX-License-Identifier: MIT */
/* Parses in place: a cell ends where its comma stood, and quotes are squeezed out. */
#include "csv.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 30 };

struct cells {
    const char **cell;
    size_t count, room;
};

static int cells_add(struct cells *cells, const char *cell) {
    if (cells->count == cells->room) {
        size_t room = cells->room ? cells->room * 2 : 1024;
        const char **grown = realloc(cells->cell, room * sizeof *grown);
        if (!grown)
            return -1;
        cells->cell = grown;
        cells->room = room;
    }
    cells->cell[cells->count++] = cell;
    return 0;
}

static char *read_all(const char *path, size_t *length, const char **why) {
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    *why = "cannot be read";
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        if (size >= 0 && size < FILE_MOST && fseek(file, 0, SEEK_SET) == 0)
            text = malloc((size_t)size + 1);
        *length = text ? fread(text, 1, (size_t)size, file) : 0;
        if (text && *length != (size_t)size) {
            free(text);
            text = NULL;
        }
    }
    fclose(file);
    if (text)
        text[*length] = '\0';
    if (text && memchr(text, '\0', *length)) {
        *why = "holds a NUL";
        free(text);
        text = NULL;
    }
    return text;
}

/* Takes one cell at *at and leaves *at at what ended it: a comma, a newline or the end. */
static int take_cell(char **at, const char **cell) {
    char *in = *at, *out = *at;
    *cell = out;
    if (*in == '"') {
        for (in++; *in && (*in != '"' || in[1] == '"'); in++) {
            if (*in == '"')
                in++;
            *out++ = *in;
        }
        if (*in++ != '"')
            return -1;
    } else {
        while (*in && *in != ',' && *in != '\n' && *in != '\r')
            *out++ = *in++;
    }
    if (*in == '\r' && in[1] == '\n')
        in++;
    if (*in && *in != ',' && *in != '\n')
        return -1;
    char end = *in;
    *out = '\0'; /* where the cell had no quotes this is the very place of `end` */
    *in = end;
    *at = in;
    return end == ',' ? 1 : end == '\n' ? 2 : 0;
}

/* All cells of the text; every row as many as the header. */
static int parse(char *at, struct cells *cells, size_t *columns, const char **why) {
    size_t in_row = 0;
    *columns = 0;
    while (*at || in_row) {
        const char *cell;
        int ended = take_cell(&at, &cell);
        *why = "has a quote out of place";
        if (ended < 0)
            return -1;
        *why = "is too big for the memory";
        if (cells_add(cells, cell) != 0)
            return -1;
        in_row++;
        if (ended != 0)
            *at++ = '\0';
        if (ended == 1)
            continue;
        *why = "has a row of another width than its header";
        if (*columns && in_row != *columns)
            return -1;
        *columns = in_row;
        in_row = 0;
    }
    *why = "is empty";
    return *columns ? 0 : -1;
}

int csv_read(const char *path, struct csv *csv, const char **why) {
    struct cells cells = {NULL, 0, 0};
    size_t length = 0;
    memset(csv, 0, sizeof *csv);
    csv->text = read_all(path, &length, why);
    if (!csv->text)
        return -1;
    bool marked = strncmp(csv->text, "\xef\xbb\xbf", 3) == 0;
    int code = parse(csv->text + (marked ? 3 : 0), &cells, &csv->columns, why);
    csv->cell = cells.cell;
    csv->rows = code == 0 ? cells.count / csv->columns - 1 : 0;
    if (code != 0)
        csv_free(csv);
    return code;
}

void csv_free(struct csv *csv) {
    free(csv->text);
    free(csv->cell);
    memset(csv, 0, sizeof *csv);
}

int csv_column(const struct csv *csv, const char *name) {
    for (size_t i = 0; i < csv->columns; i++)
        if (strcmp(csv->cell[i], name) == 0)
            return (int)i;
    return -1;
}

const char *csv_cell(const struct csv *csv, size_t row, int column) {
    if (column < 0)
        return "";
    return csv->cell[(row + 1) * csv->columns + (size_t)column];
}
