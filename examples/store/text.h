/* SPDX-License-Identifier: MIT */
/* Growable text with a maximum, and the only way this shop writes HTML: a format whose
 * verbs escape. Failure is sticky: appends need no check, text_ok at the end does. */
#ifndef SHOP_TEXT_H
#define SHOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { TEXT_MOST = 4 * 1024 * 1024 };

struct text {
    char *data; /* NUL-terminated behind length, or NULL */
    size_t length;
    size_t capacity;
    bool failed;
};

void text_free(struct text *text);
void text_add(struct text *text, const char *bytes, size_t length);
void text_put(struct text *text, const char *words);
void text_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool text_ok(const struct text *text);

/* Writes HTML. %h: text or attribute value, escaped; %u: one segment of a URL or a
 * query value, percent-encoded; %d: an int; %r: markup of our own, as it is; %%: a
 * percent sign. A NULL string is an empty one. */
void text_html(struct text *text, const char *format, ...);

/* The bytes with everything that is not UTF-8, and NUL, replaced by U+FFFD. */
void text_clean(struct text *text, const char *bytes, size_t length);
bool text_valid(const char *bytes, size_t length);

#endif
