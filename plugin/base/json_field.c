/* SPDX-License-Identifier: MIT */
/* Typed readers of one object's members: the rule and the pointer are in every refusal. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

__attribute__((format(printf, 3, 4))) static int
refuse(const struct field *f, const char *name, const char *format, ...) {
    char pointer[160], rule[160];
    va_list list;
    va_start(list, format);
    vsnprintf(rule, sizeof rule, format, list);
    va_end(list);
    json_point(pointer, f->base, name);
    return error_set(f->error, ERROR_INVALID, pointer, "\"%s\" %s.", name, rule);
}

/* *value: the member, NULL when missing or null and not needed. */
static int member(const struct field *f, const char *name, bool need,
                  const json_t **value) {
    *value = NULL;
    if (f->object && !json_is_object(f->object)) {
        return error_set(f->error, ERROR_INVALID, f->base,
                         "An object with \"%s\" is expected here.", name);
    }
    const json_t *found = json_object_get(f->object, name);
    if (!found || json_is_null(found)) {
        return need ? refuse(f, name, "is missing") : 0;
    }
    *value = found;
    return 0;
}

/* A one-line string holds no control and nothing that mail or HTTP may take for the end of a
 * line; a text may hold tabs and line ends. */
static bool is_refused(int32_t c, bool lines) {
    if (c < 0x20) {
        return !(lines && (c == '\t' || c == '\n' || c == '\r'));
    }
    return !lines && (c == 0x7F || c == 0x85 || c == 0x2028 || c == 0x2029);
}

static bool is_clean(const char *s, size_t n, bool lines) {
    int32_t codepoint;
    for (size_t at = text_plain(s, n); at < n; at += text_plain(s + at, n - at)) {
        int used = text_decode(s + at, n - at, &codepoint);
        if (used < 1 || is_refused(codepoint, lines)) {
            return false;
        }
        at += (size_t)used;
    }
    return true;
}

static int read_string(const struct field *f, const char *name, size_t max_bytes,
                       bool need, bool lines, const char **out) {
    const json_t *value;
    *out = NULL;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    if (!json_is_string(value)) {
        return refuse(f, name, "must be a string");
    }
    const char *string = json_string_value(value);
    size_t length = json_string_length(value);
    if (need && length == 0) {
        return refuse(f, name, "must not be empty");
    }
    if (length > max_bytes) {
        return refuse(f, name, "must not be longer than %zu bytes", max_bytes);
    }
    if (!is_clean(string, length, lines)) {
        return refuse(f, name, "must not contain control characters%s",
                      lines ? " other than tabs and line ends" : " or line ends");
    }
    *out = string;
    return 0;
}

int json_need_string(const struct field *f, const char *name, size_t max_bytes,
                     const char **out) {
    return read_string(f, name, max_bytes, true, false, out);
}

int json_take_string(const struct field *f, const char *name, size_t max_bytes,
                     const char **out) {
    return read_string(f, name, max_bytes, false, false, out);
}

int json_need_text(const struct field *f, const char *name, size_t max_bytes,
                   const char **out) {
    return read_string(f, name, max_bytes, true, true, out);
}

int json_take_text(const struct field *f, const char *name, size_t max_bytes,
                   const char **out) {
    return read_string(f, name, max_bytes, false, true, out);
}

static int read_time(const struct field *f, const char *name, bool need, bool *has,
                     int64_t *us) {
    const json_t *value;
    *us = 0;
    *has = false;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    if (clock_parse(json_string_value(value), json_string_length(value), us) != 0) {
        return refuse(f, name,
                      "must be an RFC 3339 time with an offset, like "
                      "\"2026-11-01T10:00:00Z\"");
    }
    *has = true;
    return 0;
}

int json_need_time(const struct field *f, const char *name, int64_t *us) {
    bool has;
    return read_time(f, name, true, &has, us);
}

int json_take_time(const struct field *f, const char *name, bool *has, int64_t *us) {
    bool unused;
    return read_time(f, name, false, has ? has : &unused, us);
}

static int read_integer(const struct field *f, const char *name, bool need, int64_t min,
                        int64_t max, bool *has, int64_t *out) {
    const json_t *value;
    *out = 0;
    *has = false;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < min || number > max) {
        return refuse(f, name, "must be a whole number from %lld to %lld", (long long)min,
                      (long long)max);
    }
    *out = number;
    *has = true;
    return 0;
}

int json_need_integer(const struct field *f, const char *name, int64_t min, int64_t max,
                      int64_t *out) {
    bool has;
    return read_integer(f, name, true, min, max, &has, out);
}

int json_take_integer(const struct field *f, const char *name, int64_t min, int64_t max,
                      bool *has, int64_t *out) {
    bool unused;
    return read_integer(f, name, false, min, max, has ? has : &unused, out);
}

static int read_boolean(const struct field *f, const char *name, bool need, bool *has,
                        bool *out) {
    const json_t *value;
    *out = false;
    *has = false;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    if (!json_is_boolean(value)) {
        return refuse(f, name, "must be true or false");
    }
    *out = json_is_true(value);
    *has = true;
    return 0;
}

int json_need_boolean(const struct field *f, const char *name, bool *out) {
    bool has;
    return read_boolean(f, name, true, &has, out);
}

int json_take_boolean(const struct field *f, const char *name, bool *has, bool *out) {
    bool unused;
    return read_boolean(f, name, false, has ? has : &unused, out);
}

/* The digits at the start of s, at most `most` + 1 of them counted. */
static size_t digits(const char *s, size_t most) {
    size_t n = 0;
    while (n <= most && s[n] >= '0' && s[n] <= '9') {
        n++;
    }
    return n;
}

static bool is_money(const char *s) {
    size_t whole = s ? digits(s, 12) : 0;
    if (whole < 1 || whole > 12) {
        return false;
    }
    if (s[whole] == '\0') {
        return true;
    }
    size_t cents = s[whole] == '.' ? digits(s + whole + 1, 4) : 0;
    return cents >= 1 && cents <= 4 && s[whole + 1 + cents] == '\0';
}

static int read_money(const struct field *f, const char *name, bool need,
                      const char **out) {
    const json_t *value;
    *out = NULL;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    if (!is_money(json_string_value(value))) {
        return refuse(f, name, "must be a decimal string like \"19.90\"");
    }
    *out = json_string_value(value);
    return 0;
}

int json_need_money(const struct field *f, const char *name, const char **out) {
    return read_money(f, name, true, out);
}

int json_take_money(const struct field *f, const char *name, const char **out) {
    return read_money(f, name, false, out);
}

static int read_object(const struct field *f, const char *name, bool need,
                       const json_t **out) {
    const json_t *value;
    *out = NULL;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    if (!json_is_object(value)) {
        return refuse(f, name, "must be an object");
    }
    *out = value;
    return 0;
}

int json_need_object(const struct field *f, const char *name, const json_t **out) {
    return read_object(f, name, true, out);
}

int json_take_object(const struct field *f, const char *name, const json_t **out) {
    return read_object(f, name, false, out);
}

static int read_array(const struct field *f, const char *name, bool need,
                      size_t max_items, const json_t **out) {
    const json_t *value;
    *out = NULL;
    int code = member(f, name, need, &value);
    if (code != 0 || !value) {
        return code;
    }
    if (!json_is_array(value)) {
        return refuse(f, name, "must be an array");
    }
    if (json_array_size(value) > max_items) {
        return refuse(f, name, "must not hold more than %zu items", max_items);
    }
    *out = value;
    return 0;
}

int json_need_array(const struct field *f, const char *name, size_t max_items,
                    const json_t **out) {
    return read_array(f, name, true, max_items, out);
}

int json_take_array(const struct field *f, const char *name, size_t max_items,
                    const json_t **out) {
    return read_array(f, name, false, max_items, out);
}
