/* SPDX-License-Identifier: MIT */
/* See form.h. */
#include "form.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int form_hex(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

size_t form_decode(char *words, size_t length, bool plus) {
    size_t to = 0;
    for (size_t at = 0; at < length; at++, to++) {
        int high = at + 2 < length && words[at] == '%' ? form_hex(words[at + 1]) : -1;
        int low = high >= 0 ? form_hex(words[at + 2]) : -1;
        if (low >= 0) {
            words[to] = (char)(high * 16 + low);
            at += 2;
        } else {
            words[to] = plus && words[at] == '+' ? ' ' : words[at];
        }
    }
    words[to] = '\0';
    return to;
}

/* One name=value of `length` bytes at `words`, which have room for a NUL behind them. */
static bool form_field(struct form *form, char *words, size_t length) {
    char *equals = memchr(words, '=', length);
    size_t name_length = equals != NULL ? (size_t)(equals - words) : length;
    char *value = words + name_length + (equals != NULL ? 1 : 0);
    size_t value_length = (size_t)(words + length - value);
    if (equals != NULL)
        *equals = '\0';
    size_t name_read = form_decode(words, name_length, true);
    size_t value_read = equals != NULL ? form_decode(value, value_length, true) : 0;
    if (!text_valid(words, name_read) || !text_valid(value, value_read) ||
        form->count == FORM_FIELDS)
        return false;
    form->fields[form->count].name = words;
    form->fields[form->count++].value = value;
    return true;
}

bool form_read(struct form *form, const char *bytes, size_t length) {
    *form = (struct form){0};
    form->words = malloc(length + 1);
    if (form->words == NULL)
        return false;
    if (length > 0)
        memcpy(form->words, bytes, length);
    form->words[length] = '\0';
    char *at = form->words;
    char *end = form->words + length;
    while (at < end) {
        char *stop = memchr(at, '&', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        *stop = '\0';
        if (stop > at && !form_field(form, at, (size_t)(stop - at))) {
            form_free(form);
            return false;
        }
        at = stop + 1;
    }
    return true;
}

void form_free(struct form *form) {
    free(form->words);
    *form = (struct form){0};
}

const char *form_get(const struct form *form, const char *name) {
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    return "";
}

int form_number(const struct form *form, const char *name, int low, int high,
                int otherwise) {
    const char *words = form_get(form, name);
    char *end = NULL;
    errno = 0;
    long number = strtol(words, &end, 10);
    if (end == words || *end != '\0' || errno != 0 || number < low || number > high)
        return otherwise;
    return (int)number;
}
