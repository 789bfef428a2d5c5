/* SPDX-License-Identifier: MIT */
/* The reviews of a product as HTML (for storefront.c alone). */
#ifndef WEB_STOREFRONT_PAGE_H
#define WEB_STOREFRONT_PAGE_H

#include "web/exchange.h"

/* answer: the JSON answer. whole: a document of its own. */
int storefront_page(struct exchange *x, const json_t *answer, const char *product,
                    bool whole);

#endif
