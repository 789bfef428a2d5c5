/* SPDX-License-Identifier: MIT */
/* "MICROSECONDS.ID" in base64url. */
#include "web/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"

enum { CURSOR_MOST = 60, CURSOR_DIGITS = 18 };

int64_t cursor_number(const char *text, size_t most) {
    int64_t value = 0;
    size_t n = strlen(text);

    if (n == 0 || n > most || strspn(text, "0123456789") != n) {
        return -1;
    }
    for (; *text; text++) {
        value = value * 10 + (*text - '0');
    }
    return value;
}

bool cursor_read(const char *text, struct cursor *cursor) {
    size_t size = 0;
    char *plain =
        strlen(text) <= CURSOR_MOST ? crypto_unbase64(text, strlen(text), &size) : NULL;
    char *dot = plain && strlen(plain) == size ? strchr(plain, '.') : NULL;
    bool good = false;

    if (dot) {
        *dot = '\0';
        cursor->at_us = cursor_number(plain, CURSOR_DIGITS);
        cursor->id = cursor_number(dot + 1, CURSOR_DIGITS);
        good = cursor->at_us >= 0 && cursor->at_us <= CLOCK_MOST_US && cursor->id >= 0;
    }
    memory_free(plain);
    return good;
}

json_t *cursor_write(const json_t *row, const char *time, const char *id) {
    const char *at = json_string_value(json_object_get(row, time));
    const json_t *number = json_object_get(row, id);
    int64_t us = 0;
    char plain[48], text[CRYPTO_BASE64URL_SIZE(sizeof plain)];

    if (!at || !json_is_integer(number) || clock_parse(at, strlen(at), &us)) {
        return NULL;
    }
    int n = snprintf(plain, sizeof plain, "%" PRId64 ".%lld", us,
                     (long long)json_integer_value(number));
    crypto_base64url(plain, (size_t)n, text);
    return json_string(text);
}
