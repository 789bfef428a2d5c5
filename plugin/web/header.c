/* SPDX-License-Identifier: MIT */
/* Nothing here asks the locale what a letter is. */
#include "web/header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool header_token(const char *s) {
    static const char marks[] = "!#$%&'*+-.^_`|~";

    if (*s == '\0') {
        return false;
    }
    for (; *s; s++) {
        bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        if (!letter && !(*s >= '0' && *s <= '9') && !strchr(marks, *s)) {
            return false;
        }
    }
    return true;
}

/* Into out, of 129 bytes; longer names than that are no headers we know. */
static bool header_lower(const char *name, char out[129]) {
    size_t n = strlen(name);

    if (n > 128 || !header_token(name)) {
        return false;
    }
    for (size_t i = 0; i <= n; i++) {
        out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    }
    return true;
}

static bool header_clean(const char *value) {
    for (; *value; value++) {
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f) {
            return false;
        }
    }
    return true;
}

static int header_take(json_t *headers, const char *name, json_t *value) {
    char lower[129];

    if (!json_is_string(value) || !header_lower(name, lower) ||
        !header_clean(json_string_value(value)) || json_object_get(headers, lower)) {
        return 400;
    }
    return json_object_set(headers, lower, value) ? 500 : 0;
}

int header_read(const json_t *given, json_t **headers) {
    const char *name;
    json_t *value;
    size_t bytes = 0;
    int status = 0;

    *headers = json_object();
    if (!*headers || json_object_size(given) > HEADER_COUNT_MOST) {
        status = *headers ? 431 : 500;
    }
    if (!status && given && !json_is_object(given)) {
        status = 400;
    }
    if (!status) {
        /* jansson walks an object only through a pointer to what is not const. */
        json_object_foreach((json_t *)(uintptr_t)given, name, value) {
            bytes += strlen(name) + json_string_length(value);
            status = bytes > HEADER_BYTES_MOST ? 431 : header_take(*headers, name, value);
            if (status) {
                break;
            }
        }
    }
    if (status) {
        json_decref(*headers);
        *headers = NULL;
    }
    return status;
}

const char *header_get(const json_t *headers, const char *name) {
    const char *value = json_string_value(json_object_get(headers, name));
    return value ? value : "";
}

int header_set(json_t *headers, const char *name, const char *value) {
    char lower[129];

    if (!header_lower(name, lower) || strcmp(lower, name) != 0) {
        return -1;
    }
    for (const char *c = value; *c; c++) {
        if (*c < 0x20 || *c > 0x7e) {
            return -1;
        }
    }
    return json_object_set_new(headers, name, json_string(value));
}

static const char *header_skip(const char *s) {
    return s + strspn(s, " \t");
}

/* "0.75" -> 750; 1000 for what is no weight. */
static int header_weight(const char *item, size_t n) {
    const char *q = memmem(item, n, "q=", 2);
    int weight = 0, unit = 100;

    if (!q || (q[2] != '0' && q[2] != '1')) {
        return 1000;
    }
    if (q[2] == '1' || q + 3 >= item + n || q[3] != '.') {
        return q[2] == '1' ? 1000 : 0;
    }
    for (const char *c = q + 4; c < item + n && *c >= '0' && *c <= '9' && unit > 0; c++) {
        weight += (*c - '0') * unit;
        unit /= 10;
    }
    return weight;
}

/* 3: this type, 2: its group, 1: any type, 0: another. */
static int header_fits(const char *item, size_t n, const char *type) {
    size_t group = (size_t)(strchr(type, '/') - type) + 1;

    if (n == strlen(type) && strncasecmp(item, type, n) == 0) {
        return 3;
    }
    if (n == group + 1 && strncasecmp(item, type, group) == 0 && item[group] == '*') {
        return 2;
    }
    return n == 3 && memcmp(item, "*/*", 3) == 0;
}

int header_accept(const char *accept, const char *type) {
    int best = 0, weight = *accept ? 0 : 1000;

    for (const char *at = header_skip(accept); *at; at = header_skip(at)) {
        size_t n = strcspn(at, ",");
        int fits = header_fits(at, strcspn(at, ",; \t"), type);
        if (fits > best) {
            best = fits;
            weight = header_weight(at, n);
        }
        at += n;
        at += *at == ',';
    }
    return weight;
}

bool header_type_is(const char *content_type, const char *type) {
    const char *at = header_skip(content_type);
    size_t n = strcspn(at, "; \t");
    return n == strlen(type) && strncasecmp(at, type, n) == 0;
}

bool header_parameter(const char *content_type, const char *name, char *out,
                      size_t size) {
    size_t n = strlen(name);

    for (const char *at = strchr(content_type, ';'); at; at = strchr(at, ';')) {
        at = header_skip(at + 1);
        if (strncasecmp(at, name, n) == 0 && at[n] == '=') {
            at += n + 1;
            bool quoted = *at == '"';
            size_t length = strcspn(at + quoted, quoted ? "\"" : "; \t");
            if (length >= size) {
                return false;
            }
            memcpy(out, at + quoted, length);
            out[length] = '\0';
            return length > 0;
        }
    }
    return false;
}
