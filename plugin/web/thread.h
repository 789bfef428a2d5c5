/* SPDX-License-Identifier: MIT */
/* What passes in private between an author and the store, as a part of /a/{token}. */
#ifndef WEB_THREAD_H
#define WEB_THREAD_H

#include "web/exchange.h"

/* Adds "thread" to the author's page: the messages, the proposal that waits for an answer,
   the form. 0 or -1. */
int thread_put(struct exchange *x, json_t *root);
/* The author writes (field "message"), or answers a proposal (field "answer": yes or no).
   0 or a status. */
int thread_say(struct exchange *x);
int thread_resolve(struct exchange *x);

#endif
