/* SPDX-License-Identifier: MIT */
/* /a/{token}: the author's own page: where the review stands and why, what happened, an
   edit, a withdrawal. GET shows, POST does (field "action": edit or withdraw). */
#ifndef WEB_AUTHOR_H
#define WEB_AUTHOR_H

struct exchange;

int author_serve(struct exchange *x);
/* /a/{token}/data: the review with every wording and decision, as JSON to take away. */
int author_data(struct exchange *x);

#endif
