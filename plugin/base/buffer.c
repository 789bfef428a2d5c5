/* SPDX-License-Identifier: MIT */
/* Growth by doubling up to the limit; a failure frees the bytes at once. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define FIRST_CAPACITY 64

static void buffer_fail(struct buffer *b) {
    buffer_free(b);
    b->failed = true;
}

/* Room for n more bytes and the NUL. */
static bool buffer_reserve(struct buffer *b, size_t n) {
    if (b->failed) {
        return false;
    }
    if (n > b->limit - b->length) {
        buffer_fail(b);
        return false;
    }
    size_t wanted = b->length + n + 1;
    if (wanted <= b->capacity) {
        return true;
    }
    size_t most = b->limit + 1;
    size_t capacity = b->capacity > most / 2 ? most : b->capacity * 2;
    if (capacity < FIRST_CAPACITY) {
        capacity = most < FIRST_CAPACITY ? most : FIRST_CAPACITY;
    }
    if (capacity < wanted) {
        capacity = wanted;
    }
    char *data = memory_grow(b->data, capacity);
    if (!data) {
        buffer_fail(b);
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

static void buffer_begin(struct buffer *b) {
    b->length = 0;
    b->failed = false;
    if (buffer_reserve(b, 0)) {
        b->data[0] = '\0';
    }
}

void buffer_init(struct buffer *b, size_t limit) {
    *b = (struct buffer){.limit = limit < PTRDIFF_MAX ? limit : PTRDIFF_MAX - 1};
    buffer_begin(b);
}

void buffer_free(struct buffer *b) {
    if (!b) {
        return;
    }
    memory_free(b->data);
    b->data = NULL;
    b->length = 0;
    b->capacity = 0;
}

void buffer_clear(struct buffer *b) {
    buffer_begin(b);
}

void buffer_append(struct buffer *b, const void *bytes, size_t n) {
    if (!buffer_reserve(b, n)) {
        return;
    }
    if (n > 0) {
        memcpy(b->data + b->length, bytes, n);
    }
    b->length += n;
    b->data[b->length] = '\0';
}

void buffer_text(struct buffer *b, const char *s) {
    if (s) {
        buffer_append(b, s, strlen(s));
    }
}

void buffer_char(struct buffer *b, char c) {
    buffer_append(b, &c, 1);
}

void buffer_format(struct buffer *b, const char *format, ...) {
    if (!buffer_reserve(b, 0)) {
        return;
    }
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    size_t room = b->capacity - b->length;
    int wanted = vsnprintf(b->data + b->length, room, format, list);
    if (wanted < 0) {
        buffer_fail(b);
    } else if ((size_t)wanted < room) {
        b->length += (size_t)wanted;
    } else if (buffer_reserve(b, (size_t)wanted)) {
        vsnprintf(b->data + b->length, (size_t)wanted + 1, format, again);
        b->length += (size_t)wanted;
    }
    va_end(again);
    va_end(list);
}

bool buffer_ok(const struct buffer *b) {
    return !b->failed && b->data;
}

char *buffer_steal(struct buffer *b) {
    char *data = buffer_reserve(b, 0) ? b->data : NULL;
    if (data) {
        data[b->length] = '\0';
    }
    b->data = NULL;
    b->length = 0;
    b->capacity = 0;
    return data;
}
