/* SPDX-License-Identifier: MIT */
/* /c/{token}: that a review is theirs, an edit, a withdrawal. GET asks, POST does it. */
#ifndef WEB_CONFIRM_H
#define WEB_CONFIRM_H

struct exchange;

int confirm_serve(struct exchange *x);

#endif
