/* SPDX-License-Identifier: MIT */
/* The file that vouchctl train learns from, read whole and checked line by line. */
#include "train_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { FILE_PIECE = 1 << 16, FILE_MOST = TRAIN_BYTES_MOST + (32 << 20) };

static int bytes_read(const char *path, struct buffer *bytes, struct error *error) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *piece = memory_get(FILE_PIECE);
    char why[128];
    size_t n = 0;
    int code = 0;

    if (!file || !piece) {
        code = error_set(error, ERROR_INVALID, "", "%.300s: %s", path,
                         strerror_r(errno, why, sizeof why));
    }
    while (!code && (n = fread(piece, 1, FILE_PIECE, file)) > 0 && !bytes->failed) {
        buffer_append(bytes, piece, n);
    }
    if (!code && ferror(file)) {
        code = error_set(error, ERROR_FAILED, "", "%.300s: it could not be read", path);
    }
    if (!code && bytes->failed) {
        code = error_set(error, ERROR_INVALID, "", "%.300s: more than %d MiB", path,
                         FILE_MOST >> 20);
    }
    if (file && file != stdin) {
        fclose(file);
    }
    memory_free(piece);
    return code;
}

/* Cuts the text at the tab, which becomes its end. NULL when there is none. */
static char *column_cut(char **rest) {
    char *column = *rest, *tab = strchr(column, '\t');

    if (!tab) {
        return NULL;
    }
    *tab = '\0';
    *rest = tab + 1;
    return column;
}

/* What is wrong with a line, NULL when nothing is. */
static const char *line_take(char *line, size_t length, struct sample *sample,
                             const char **source) {
    if (!text_valid(line, length)) {
        return "is no valid UTF-8";
    }
    const char *label = column_cut(&line);
    *source = label ? column_cut(&line) : NULL;
    if (!*source) {
        return "has not three columns between tabs: label, source, text";
    }
    if (strcmp(label, "0") != 0 && strcmp(label, "1") != 0) {
        return "has a label that is neither 0 nor 1";
    }
    if (!**source || strlen(*source) > TRAIN_FILE_SOURCE) {
        return "has a source that is empty or longer than 100 bytes";
    }
    size_t n = strlen(line);
    if (n == 0 || n > TRAIN_FILE_TEXT) {
        return "has a text that is empty or longer than 64 KiB";
    }
    bool abusive = *label == '1';
    *sample = (struct sample){.text = line,
                              .length = n,
                              .abusive = abusive,
                              .review = !abusive && strncmp(*source, "review", 6) == 0};
    return NULL;
}

static int rooms_need(struct train_file *file) {
    if (file->count < file->room) {
        return 0;
    }
    size_t room = 2 * file->room + 1024;
    struct sample *samples = memory_grow(file->samples, room * sizeof *samples);
    file->samples = samples ? samples : file->samples;
    const char **sources =
        samples ? memory_grow(file->sources, room * sizeof *sources) : NULL;
    file->sources = sources ? sources : file->sources;
    file->room = sources ? room : file->room;
    return sources ? 0 : ERROR_FAILED;
}

static int lines_take(const char *path, struct train_file *file, struct error *error) {
    char *at = file->bytes.data, *end = at + file->bytes.length;

    for (size_t number = 1; at < end; number++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *next = newline ? newline + 1 : end;
        size_t n = (size_t)((newline ? newline : end) - at);
        n -= n > 0 && at[n - 1] == '\r';
        at[n] = '\0';
        if (n > 0) {
            if (file->count == TRAIN_SAMPLES_MOST || rooms_need(file)) {
                return error_set(error, ERROR_FAILED, "",
                                 "%.300s, line %zu: no more room for texts", path,
                                 number);
            }
            const char *fault = line_take(at, n, &file->samples[file->count],
                                          &file->sources[file->count]);
            if (fault) {
                return error_set(error, ERROR_INVALID, "", "%.300s, line %zu %s", path,
                                 number, fault);
            }
            file->count++;
        }
        at = next;
    }
    return 0;
}

int train_file_read(const char *path, struct train_file *file, struct error *error) {
    *file = (struct train_file){.count = 0};
    buffer_init(&file->bytes, FILE_MOST);
    int code = bytes_read(path, &file->bytes, error);

    if (!code && !buffer_ok(&file->bytes)) {
        code = error_set(error, ERROR_FAILED, "", "no memory for the texts");
    }
    return code ? code : lines_take(path, file, error);
}

void train_file_free(struct train_file *file) {
    buffer_free(&file->bytes);
    memory_free(file->samples);
    memory_free((void *)file->sources);
}
