/* SPDX-License-Identifier: MIT */
/* What a store shows of its reviews. Public, cached, the same for everybody.

   /products/{id}/reviews?limit=1..100&cursor=…&stars=1,2&language=lv&verified=true
                         &format=json|html|page&style=none
     JSON {product_id, summary{count,average,histogram[5]}, reviews[…], next}; a review is
     {review_id, rating, title, body, author, locale, verified, labels[], experience_at,
     written_at, published_at, edited, invited, incentivised, refunded, reply}; average is
     null without reviews; author, title, body, experience_at and reply may be null; reply
     is {body, replied_at}. next is the cursor of the following page, or null. The summary
     is of all reviews, whatever is filtered. HTML is a fragment (classes vouch-*), page a
     document of its own. Newest first. */
#ifndef WEB_STOREFRONT_H
#define WEB_STOREFRONT_H

#include "web/cursor.h"
#include "web/exchange.h"

enum { STOREFRONT_EITHER = 0, STOREFRONT_YES = 1, STOREFRONT_NO = 2 };

struct storefront_asked {
    bool after;
    struct cursor cursor; /* the last one of the page before */
    int64_t limit;
    unsigned stars;   /* bits 1 to 5; 0: all */
    char language[9]; /* "": all */
    int verified;
};

int storefront_reviews(struct exchange *x);
/* The rows for one more than limit; *found is the caller's. 0 or a status. */
int storefront_ask(const struct exchange *x, const struct storefront_asked *asked,
                   json_t **found);

#endif
