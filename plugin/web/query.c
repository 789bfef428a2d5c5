/* SPDX-License-Identifier: MIT */
/* Decoding happens in one copy of the text, in place; fields point into it. */
#include "web/query.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static int query_hex(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long query_decode(const char *text, size_t n, bool plus_is_space, char *out) {
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%') {
            int high = n - i > 2 ? query_hex(text[i + 1]) : -1;
            int low = n - i > 2 ? query_hex(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return -1;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[used++] = c;
    }
    out[used] = '\0';
    return text_valid(out, used) ? (long)used : -1;
}

void query_free(struct query *query) {
    memory_free(query->fields);
    memory_free(query->storage);
    *query = (struct query){0};
}

const char *query_get(const struct query *query, const char *name) {
    for (size_t i = 0; i < query->count; i++) {
        if (strcmp(query->fields[i].name, name) == 0) {
            return query->fields[i].value;
        }
    }
    return NULL;
}

static int query_add(struct query *query, size_t most, const char *name,
                     const char *value, struct error *error) {
    if (*name == '\0') {
        return error_set(error, ERROR_INVALID, "", "a field has no name");
    }
    if (query_get(query, name)) {
        return error_set(error, ERROR_INVALID, "", "a field is given twice");
    }
    if (query->count == most) {
        return error_set(error, ERROR_INVALID, "", "there are more than %zu fields",
                         most);
    }
    query->fields[query->count++] = (struct query_field){name, value};
    return 0;
}

static int query_open(const char *text, size_t n, size_t most, struct query *query,
                      struct error *error) {
    *query = (struct query){0};
    query->storage = memory_copy_n(text, n);
    query->fields = memory_zero(most, sizeof *query->fields);
    if (!query->storage || !query->fields) {
        return error_set(error, ERROR_FAILED, "", "no memory for the form");
    }
    return 0;
}

/* One name=value of n bytes, decoded where it stands; the byte behind it is ours. */
static int query_pair(struct query *query, size_t most, char *pair, size_t n,
                      struct error *error) {
    char *equals = memchr(pair, '=', n);
    size_t name = equals ? (size_t)(equals - pair) : n;
    char *value = equals ? equals + 1 : pair + n;

    if (query_decode(value, n - name - (equals ? 1 : 0), true, value) < 0) {
        return error_set(error, ERROR_INVALID, "", "a field is not well encoded");
    }
    if (query_decode(pair, name, true, pair) < 0) {
        return error_set(error, ERROR_INVALID, "", "a field's name is not well encoded");
    }
    return query_add(query, most, pair, value, error);
}

int query_read(const char *text, size_t n, size_t most, struct query *query,
               struct error *error) {
    int code = query_open(text, n, most, query, error);
    char *at = query->storage;
    char *end = code ? at : at + n;

    if (!code && memchr(at, '\0', n)) {
        code = error_set(error, ERROR_INVALID, "", "a NUL stands in the form");
    }
    while (!code && at < end) {
        char *next = memchr(at, '&', (size_t)(end - at));
        next = next ? next : end;
        if (next > at) {
            code = query_pair(query, most, at, (size_t)(next - at), error);
        }
        at = next + 1;
    }
    if (code) {
        query_free(query);
    }
    return code;
}

/* The value of parameter name in a part's header line, cut out where it stands. */
static char *query_parameter(char *head, const char *name) {
    size_t n = strlen(name);

    for (char *at = strstr(head, name); at; at = strstr(at + 1, name)) {
        if ((at[-1] == ' ' || at[-1] == ';') && at[n] == '=' && at[n + 1] == '"') {
            char *end = strchr(at + n + 2, '"');
            if (end) {
                *end = '\0';
                return at + n + 2;
            }
        }
    }
    return NULL;
}

/* A part without its boundaries: headers, an empty line, the value. */
static int query_part(struct query *query, size_t most, char *part, size_t n,
                      struct error *error) {
    char *gap = memmem(part, n, "\r\n\r\n", 4);
    char *name = NULL;

    if (gap) {
        *gap = '\0';
        name = query_parameter(part, "name");
    }
    if (!name) {
        return error_set(error, ERROR_INVALID, "", "a part of the form has no name");
    }
    size_t length = n - (size_t)(gap + 4 - part);
    if (!text_valid(gap + 4, length) || !text_valid(name, strlen(name))) {
        return error_set(error, ERROR_INVALID, "", "a field is not well encoded");
    }
    gap[4 + length] = '\0';
    return query_add(query, most, name, gap + 4, error);
}

int query_read_multipart(const char *text, size_t n, const char *boundary, size_t most,
                         struct query *query, struct error *error) {
    char mark[80] = "\r\n--";
    size_t length = strlen(boundary) + 4;
    int code = length > 4 && length < sizeof mark
                   ? query_open(text, n, most, query, error)
                   : error_set(error, ERROR_INVALID, "", "the form has no boundary");
    if (code) {
        return code;
    }
    memcpy(mark + 4, boundary, length - 4);
    char *end = query->storage + n;
    /* The first boundary may stand at the very beginning, without a line end before. */
    bool first = n >= length - 2 && memcmp(query->storage, mark + 2, length - 2) == 0;
    char *at =
        first ? query->storage + length - 2 : memmem(query->storage, n, mark, length);
    bool closed = false;

    at = at && !first ? at + length : at;
    while (!code && at && !closed) {
        char *next = memmem(at, (size_t)(end - at), mark, length);
        closed = end - at >= 2 && at[0] == '-' && at[1] == '-';
        if (!closed && (!next || end - at < 2 || at[0] != '\r' || at[1] != '\n')) {
            break;
        }
        if (!closed) {
            code = query_part(query, most, at, (size_t)(next - at), error);
            at = next + length;
        }
    }
    if (!code && !closed) {
        code = error_set(error, ERROR_INVALID, "", "the form is not complete");
    }
    if (code) {
        query_free(query);
    }
    return code;
}

void query_escape(struct buffer *out, const char *text) {
    for (; *text; text++) {
        char c = *text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("-._~", c);
        if (plain) {
            buffer_char(out, c);
        } else {
            buffer_format(out, "%%%02X", (unsigned)(uint8_t)c);
        }
    }
}
