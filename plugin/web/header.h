/* SPDX-License-Identifier: MIT */
/* Header fields: requests' in lower case and bounded, answers' checked as they are
   written. Pure. */
#ifndef WEB_HEADER_H
#define WEB_HEADER_H

#include <stdbool.h>

#include "base/json.h"

enum { HEADER_COUNT_MOST = 128, HEADER_BYTES_MOST = 32 * 1024 };

#define HEADER_CSP                                                                       \
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "    \
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/* given: an object of strings, or NULL. *headers: a new object with names in lower case,
   NULL on failure. 0, or the HTTP status that refuses it: 400, 431, 500. */
int header_read(const json_t *given, json_t **headers);
/* "" when there is none. Borrowed. */
const char *header_get(const json_t *headers, const char *name);

/* Name a lower-case token, value printable ASCII; anything else is refused with -1 and
   leaves headers as they are. */
int header_set(json_t *headers, const char *name, const char *value);

/* How much the client wants type ("text/html") by this Accept, 0..1000; 1000 for "". */
int header_accept(const char *accept, const char *type);
/* The bare type of a Content-Type is this one, in any case. */
bool header_type_is(const char *content_type, const char *type);
/* The value of parameter name in a Content-Type, into out; false when missing or longer. */
bool header_parameter(const char *content_type, const char *name, char *out, size_t size);

#endif
