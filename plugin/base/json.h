/* SPDX-License-Identifier: MIT */
/* JSON into jansson's values, strictly read; all rooms use json_t directly. One json_t
 * belongs to one thread at a time (sharing for reading alone is safe). jansson keeps its
 * own allocator: the host may be using it too. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define JSON_MOST_BYTES ((size_t)1 << 20) /* what json_read reads at most */
#define JSON_MOST_DEPTH 32                /* arrays and objects within each other */

/* Seeds jansson's hash; before the first own thread. Thread-safe, may be repeated. */
void json_start(void);

/* A new reference, or NULL with error (ERROR_INVALID; ERROR_FAILED without memory). Any
 * JSON value in valid UTF-8 of at most 1 MiB and depth 32; no duplicate keys, no NUL (raw
 * or escaped), no trailing bytes, no BOM, no number out of range. detail says line and
 * column, pointer leads to the place as far as it was read. */
json_t *json_read(const char *text, size_t length, struct error *error)
    __attribute__((warn_unused_result));
/* The same with another limit in bytes, a multiple of 1 MiB. */
json_t *json_read_most(const char *text, size_t length, size_t most, struct error *error)
    __attribute__((warn_unused_result));
/* Compact, NUL-terminated; the caller's, memory_free; NULL without memory or for NULL. */
char *json_write(const json_t *value) __attribute__((warn_unused_result));
/* out = base "/" name, name escaped by RFC 6901, cut to fit; out is of 160 bytes. */
void json_point(char out[160], const char *base, const char *name);
/* The same for an array's index. */
void json_point_at(char out[160], const char *base, size_t index);

/* Where members are read from. object: NULL counts as empty, another kind than an object
 * is refused. base: the object's own pointer ("/data/order", "" at the root). error may
 * be NULL. All readers return 0 or ERROR_INVALID with pointer base/name and a sentence
 * naming field and rule; outputs are set to NULL/false/0 first. A member null counts as
 * missing. */
struct field {
    const json_t *object;
    const char *base;
    struct error *error;
};

/* *_need_*: missing is an error, and so is an empty string. *_take_*: missing is 0 with
 * *out NULL (or *has false); has may be NULL.
 * Strings are borrowed from the object, at most max_bytes, NUL-free. The string variant
 * is one line: no C0, DEL, U+0085, U+2028, U+2029. The text variant may hold \t \n \r. */
int json_need_string(const struct field *f, const char *name, size_t max_bytes,
                     const char **out);
int json_take_string(const struct field *f, const char *name, size_t max_bytes,
                     const char **out);
int json_need_text(const struct field *f, const char *name, size_t max_bytes,
                   const char **out);
int json_take_text(const struct field *f, const char *name, size_t max_bytes,
                   const char **out);
/* A string by clock_parse. */
int json_need_time(const struct field *f, const char *name, int64_t *us);
int json_take_time(const struct field *f, const char *name, bool *has, int64_t *us);
/* A JSON integer (4, not 4.0 or "4") within min..max. */
int json_need_integer(const struct field *f, const char *name, int64_t min, int64_t max,
                      int64_t *out);
int json_take_integer(const struct field *f, const char *name, int64_t min, int64_t max,
                      bool *has, int64_t *out);
int json_need_boolean(const struct field *f, const char *name, bool *out);
int json_take_boolean(const struct field *f, const char *name, bool *has, bool *out);
/* A decimal string ^\d{1,12}(\.\d{1,4})?$, borrowed. */
int json_need_money(const struct field *f, const char *name, const char **out);
int json_take_money(const struct field *f, const char *name, const char **out);
/* Borrowed. */
int json_need_object(const struct field *f, const char *name, const json_t **out);
int json_take_object(const struct field *f, const char *name, const json_t **out);
int json_need_array(const struct field *f, const char *name, size_t max_items,
                    const json_t **out);
int json_take_array(const struct field *f, const char *name, size_t max_items,
                    const json_t **out);

#endif
