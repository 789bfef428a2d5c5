/* SPDX-License-Identifier: MIT */
/* /s/{token}: whether a proposed resolution solves the matter, later whether all is still
   well. GET asks, POST answers (field "answer": yes or no, "message"). */
#ifndef WEB_RESOLUTION_H
#define WEB_RESOLUTION_H

struct exchange;

int resolution_serve(struct exchange *x);

#endif
