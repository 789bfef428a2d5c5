/* SPDX-License-Identifier: MIT */
/* How a mail would look with a template that is not saved yet. */
#ifndef WEB_CONSOLE_PREVIEW_H
#define WEB_CONSOLE_PREVIEW_H

#include "web/exchange.h"

/* page: an object whose "template" is a row of mail_template; gains "kind", "subject",
   "text" and "html" of such a mail about an order that never was. ERROR_INVALID says what
   is wrong with the template. */
int console_preview(const struct exchange *x, json_t *page, struct error *error);

#endif
