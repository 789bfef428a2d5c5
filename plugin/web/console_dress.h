/* SPDX-License-Identifier: MIT */
/* From what the tables hold to what people read. Pure. */
#ifndef WEB_CONSOLE_DRESS_H
#define WEB_CONSOLE_DRESS_H

#include "web/exchange.h"

/* Walks through objects and arrays and adds beside each member what a template can show:
   codes ("state", "reasons", …) NAME_text; times NAME_at → NAME_on; seconds left NAME_s →
   NAME_left; "rating" → "stars", "stars_text"; "marks" → title_parts, body_parts,
   name_parts: [{text, mark, category_text}]; "bars": [{name, value}] → see
   console_chart. 0 or -1. */
int console_dress(const struct exchange *x, json_t *value);

#endif
