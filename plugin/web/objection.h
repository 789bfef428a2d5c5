/* SPDX-License-Identifier: MIT */
/* The part of a page where a decision is objected to: by the author, and by who reported. */
#ifndef WEB_OBJECTION_H
#define WEB_OBJECTION_H

#include "web/exchange.h"

enum { OBJECTION_BYTES_MOST = 10000, OBJECTION_SHOWN_MOST = 5000 };

/* Sends the form's field "objection" to a function of (store, token, {"body"}). 0, 400 for a
   text that is none, 404 for a link that is none, or another status. */
int objection_send(struct exchange *x, const char *sql);
/* Adds "objection" to root: what there was, the form while one is possible, what is wrong
   with the one just sent. appeal: {possible, until, over, all[{state,body,…}]}. 0 or -1. */
int objection_data(const struct exchange *x, json_t *root, const json_t *appeal);

#endif
