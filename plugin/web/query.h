/* SPDX-License-Identifier: MIT */
/* Fields of queries and forms, decoded once. Pure. What is not well-formed UTF-8, holds
   NUL, or names a field twice is refused as a whole. */
#ifndef WEB_QUERY_H
#define WEB_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum { QUERY_FIELDS_MOST = 64 }; /* where a route says nothing else */

struct query_field {
    const char *name, *value; /* NUL-terminated, borrowed from the query */
};

struct query {
    struct query_field *fields;
    size_t count;
    char *storage;
};

/* Percent-decoding of n bytes into out (n + 1 bytes, may be text itself), NUL behind. The
   length, or -1: a broken escape, NUL, or no UTF-8. */
long query_decode(const char *text, size_t n, bool plus_is_space, char *out);

/* application/x-www-form-urlencoded; n 0 is no field. The fields are the caller's, released
   with query_free, which accepts what was zeroed. 0, ERROR_INVALID or ERROR_FAILED. */
int query_read(const char *text, size_t n, size_t most, struct query *query,
               struct error *error);
/* multipart/form-data with that boundary; file names and types of parts are ignored. */
int query_read_multipart(const char *text, size_t n, const char *boundary, size_t most,
                         struct query *query, struct error *error);
void query_free(struct query *query);

/* NULL when there is no such field. */
const char *query_get(const struct query *query, const char *name);

/* Everything but unreserved characters as %XX. */
void query_escape(struct buffer *out, const char *text);

#endif
