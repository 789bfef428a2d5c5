/* SPDX-License-Identifier: MIT */
/* See text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *text) {
    free(text->data);
    *text = (struct text){0};
}

bool text_ok(const struct text *text) {
    return !text->failed && text->data != NULL;
}

/* Room for `more` bytes and the NUL behind them. */
static bool text_grow(struct text *text, size_t more) {
    if (text->failed || more > TEXT_MOST - text->length) {
        text->failed = true;
        return false;
    }
    size_t need = text->length + more + 1;
    if (need <= text->capacity)
        return true;
    size_t capacity = text->capacity > 0 ? text->capacity : 1024;
    while (capacity < need)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_add(struct text *text, const char *bytes, size_t length) {
    if (!text_grow(text, length))
        return;
    if (length > 0)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_put(struct text *text, const char *words) {
    text_add(text, words, strlen(words));
}

void text_format(struct text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (length < 0 || !text_grow(text, (size_t)length)) {
        text->failed = true;
        return;
    }
    va_start(list, format);
    (void)vsnprintf(text->data + text->length, (size_t)length + 1, format, list);
    va_end(list);
    text->length += (size_t)length;
}

static const char *text_entity(char byte) {
    static const struct {
        char byte;
        const char *entity;
    } entities[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
    };
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (entities[i].byte == byte)
            return entities[i].entity;
    return NULL;
}

static void text_escape(struct text *text, const char *words) {
    const char *from = words;
    const char *at = words;
    for (; *at != '\0'; at++) {
        const char *entity = text_entity(*at);
        if (entity == NULL)
            continue;
        text_add(text, from, (size_t)(at - from));
        text_put(text, entity);
        from = at + 1;
    }
    text_add(text, from, (size_t)(at - from));
}

static void text_percent(struct text *text, const char *words) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *at = words; *at != '\0'; at++) {
        if (strchr(plain, *at) != NULL)
            text_add(text, at, 1);
        else
            text_format(text, "%%%02X", (unsigned)(unsigned char)*at);
    }
}

void text_html(struct text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *from = format;
    const char *at = strchr(from, '%');
    for (; at != NULL && at[1] != '\0'; from = at + 2, at = strchr(from, '%')) {
        text_add(text, from, (size_t)(at - from));
        if (at[1] == '%') {
            text_put(text, "%");
            continue;
        }
        if (at[1] == 'd') {
            text_format(text, "%d", va_arg(list, int));
            continue;
        }
        const char *words = va_arg(list, const char *);
        words = words != NULL ? words : "";
        if (at[1] == 'h')
            text_escape(text, words);
        else if (at[1] == 'u')
            text_percent(text, words);
        else if (at[1] == 'r')
            text_put(text, words);
        else
            text->failed = true;
    }
    text_put(text, from);
    va_end(list);
}

/* Length of the well-formed sequence at the start, 0 when there is none (RFC 3629). */
static size_t text_sequence(const char *bytes, size_t length) {
    static const struct {
        uint8_t first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const uint8_t *b = (const uint8_t *)bytes;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t n = forms[i].length;
        if (n > length || b[0] < forms[i].first_low || b[0] > forms[i].first_high)
            continue;
        if (n > 1 && (b[1] < forms[i].second_low || b[1] > forms[i].second_high))
            continue;
        if ((n > 2 && (b[2] & 0xc0) != 0x80) || (n > 3 && (b[3] & 0xc0) != 0x80))
            continue;
        return n;
    }
    return 0;
}

void text_clean(struct text *text, const char *bytes, size_t length) {
    text_add(text, "", 0);
    for (size_t at = 0; at < length;) {
        size_t n = text_sequence(bytes + at, length - at);
        if (n > 0)
            text_add(text, bytes + at, n);
        else
            text_put(text, "\xef\xbf\xbd");
        at += n > 0 ? n : 1;
    }
}

bool text_valid(const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t n = text_sequence(bytes + at, length - at);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}
