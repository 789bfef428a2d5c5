/* SPDX-License-Identifier: MIT */
/* Answers of every kind, and the header fields that all of them carry. */
#ifndef WEB_ANSWER_H
#define WEB_ANSWER_H

#include "web/exchange.h"

/* All return 0, or a status to tell instead (500 without memory). value is taken over. */
int answer_json(struct exchange *x, int status, json_t *value);
/* Bytes of that type, which is a literal. */
int answer_bytes(struct exchange *x, int status, const char *type, const char *bytes,
                 size_t n);
/* RFC 9457; pointer and detail may be NULL. */
int answer_problem(struct exchange *x, int status, const char *pointer,
                   const char *detail);
/* What went wrong, as a page or as a problem. The same bytes for the same status, whatever
   the reason. Never fails: without memory the body is empty. */
void answer_error(struct exchange *x, int status);
/* The golden set. Call it last. */
void answer_headers(struct exchange *x);
/* Sets an ETag over the body; the answer turns into 304 when the client has it. */
void answer_tag(struct exchange *x);

#endif
