/* SPDX-License-Identifier: MIT */
/* Growable bytes with a maximum. Failure (limit, memory) is sticky: appends after it do
 * nothing and need no check; buffer_ok or buffer_steal at the end tells. One thread. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;      /* never NULL while ok; data[length] is NUL */
    size_t length;   /* bytes in use, the NUL not counted */
    size_t capacity; /* bytes allocated, the NUL counted */
    size_t limit;    /* length never exceeds this */
    bool failed;
};

/* Starts an empty buffer of at most limit bytes; free it with buffer_free. */
void buffer_init(struct buffer *b, size_t limit);
/* Accepts NULL and an already freed buffer. */
void buffer_free(struct buffer *b);
/* Empties it, keeps its memory, forgets a failure. */
void buffer_clear(struct buffer *b);

/* bytes and s must not point into b itself; NULL with n 0 is nothing. */
void buffer_append(struct buffer *b, const void *bytes, size_t n);
void buffer_text(struct buffer *b, const char *s);
void buffer_char(struct buffer *b, char c);
void buffer_format(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True when nothing failed. */
bool buffer_ok(const struct buffer *b);
/* The bytes, NUL-terminated, the caller's, released with memory_free; NULL when failed.
 * b is freed or emptied either way and may be used again. */
char *buffer_steal(struct buffer *b);

#endif
