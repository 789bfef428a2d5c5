/* SPDX-License-Identifier: MIT */
/* How every kind of mail in the queue is written, from what the database tells of it: the
 * same links and the same code each time a mail is tried. */
#ifndef REQUEST_COMPOSE_H
#define REQUEST_COMPOSE_H

#include <stddef.h>

#include "mail/dispatch.h"

/* For dispatch_open. */
extern const struct dispatch_kind compose_kinds[];
extern const size_t compose_kinds_count;

/* The store's mail templates with the shipped ones, compiled once a snapshot. Borrowed as long
 * as settings is held. */
int compose_book(struct settings *settings, const struct letter_book **book,
                 struct error *error);

#endif
