/* SPDX-License-Identifier: MIT */
/* The reviews of a product as HTML (for storefront.c and review_page.c). */
#ifndef WEB_STOREFRONT_PAGE_H
#define WEB_STOREFRONT_PAGE_H

#include "web/storefront.h"

/* answer: the JSON answer; product: {name, url?}. whole: a document of its own. */
int storefront_page(struct exchange *x, const json_t *answer, const json_t *product,
                    const struct storefront_asked *asked, bool whole);
/* One review as the template item is given it; a new reference, NULL on failure. */
json_t *storefront_shown(const struct exchange *x, const json_t *review);

#endif
