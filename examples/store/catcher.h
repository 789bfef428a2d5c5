/* SPDX-License-Identifier: MIT */
/* A mail server that keeps every mail and sends none: SMTP (RFC 5321) on the loopback,
 * with PIPELINING, 8BITMIME, SMTPUTF8 and SIZE. For trying things out, never for the
 * world. */
#ifndef SHOP_CATCHER_H
#define SHOP_CATCHER_H

#include "store.h"

struct catcher;

/* Listens on 127.0.0.1:port with one thread; mails become files in store->folder and rows
 * of shop.mail, both before the 250. */
int catcher_start(struct store *store, int port, struct catcher **catcher);
void catcher_stop(struct catcher *catcher); /* accepts NULL */

#endif
