/* SPDX-License-Identifier: MIT */
/* /assets/{name}: style sheets and scripts under names that hold their content's hash, so that they may
   be cached for ever. Pure. */
#ifndef WEB_STYLE_H
#define WEB_STYLE_H

#include <stddef.h>

enum {
    STYLE_REVIEWS = 2, /* what the storefront's fragment links to */
    STYLE_SHEETS = 6,
    STYLE_NAME_MOST = 48
};

enum style_use { STYLE_IN_PAGE = 1, STYLE_IN_CONSOLE = 2, STYLE_AS_SCRIPT = 4 };

struct exchange;

/* Which pages link it, of enum style_use. */
unsigned style_use(size_t index);
/* The public name of the index-th sheet, "" when the file is missing. */
void style_name(size_t index, char out[STYLE_NAME_MOST]);
int style_serve(struct exchange *x);

#endif
