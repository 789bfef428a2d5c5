/* SPDX-License-Identifier: MIT */
/* /assets/{name}: style sheets under names that hold their content's hash, so that they may
   be cached for ever. Pure. */
#ifndef WEB_STYLE_H
#define WEB_STYLE_H

#include <stddef.h>

enum {
    STYLE_REVIEWS = 2, /* what the storefront's fragment links to */
    STYLE_PAGE_SHEETS = 3,
    STYLE_SHEETS = 3,
    STYLE_NAME_MOST = 48
};

struct exchange;

/* The public name of the index-th sheet, "" when the file is missing. */
void style_name(size_t index, char out[STYLE_NAME_MOST]);
int style_serve(struct exchange *x);

#endif
