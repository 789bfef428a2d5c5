/* SPDX-License-Identifier: MIT */
/* The form and the thanks as pages (for form.c alone). */
#ifndef WEB_FORM_PAGE_H
#define WEB_FORM_PAGE_H

#include "web/entry.h"

/* entries: one a line of view, or NULL when nothing was sent yet. none: no stars were
   chosen at all. */
int form_page(struct exchange *x, int status, const json_t *view,
              const struct entry *entries, bool none);
/* answers: what vouch.form_submit gave. */
int form_thanks(struct exchange *x, const json_t *view, const json_t *answers);

#endif
