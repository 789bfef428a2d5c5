/* SPDX-License-Identifier: MIT */
/* A mail of any kind about an order that never was: for the console, for vouchctl preview and
   vouchctl test-mail. */
#ifndef MAIL_PREVIEW_H
#define MAIL_PREVIEW_H

#include "base/error.h"
#include "mail/letter.h"

/* store_name: "" for a made-up one. 0, or as letter_render; out is the caller's: letter_free. */
int preview_render(const struct letter_book *book, const char *kind, const char *locale,
                   const char *store_name, struct letter *out, struct error *error);

/* The link to unsubscribe that stands in it; static. */
const char *preview_unsubscribe_url(void);

#endif
