/* SPDX-License-Identifier: MIT */
/* The two ways events go. Out: rows of shop.event_out, handed to vouch_emit after
 * their commit and again at every sweep until answered. In: a thread that takes,
 * keeps, acks. */
#ifndef SHOP_EVENT_H
#define SHOP_EVENT_H

#include "store.h"

#include <jansson.h>

/* Emits one recorded event; the code of vouch_emit. reply: its JSON, a new reference, or
 * NULL; may be a NULL pointer. */
int event_emit(struct store *store, const char *id, json_t **reply);

/* Emits everything recorded and not answered yet. */
void event_sweep(struct store *store);

struct event_thread;
int event_start(struct store *store, struct event_thread **thread);
void event_stop(struct event_thread *thread); /* accepts NULL */

#endif
