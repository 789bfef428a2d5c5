/* SPDX-License-Identifier: MIT */
/* What a store shows of its reviews. Public, cached, the same for everybody.

   /products/{id}/reviews?limit=1..100&cursor=…&format=json|html|page&style=none
     JSON {product_id, summary{count,average,histogram[5]}, reviews[…], next}; a review is
     {review_id, rating, title, body, author, locale, verified, labels[], experience_at,
     written_at, published_at, edited, invited, incentivised, refunded}; average is null
     without reviews, author, title, body and experience_at may be null. next is the cursor
     of the following page, or null. HTML is a fragment (classes vouch-*), page a document
     of its own. Newest first; nothing filters by stars.
   /products/{id}/rating.jsonld
     schema.org Product with AggregateRating; 404 and no byte without a review. */
#ifndef WEB_STOREFRONT_H
#define WEB_STOREFRONT_H

struct exchange;

int storefront_reviews(struct exchange *x);
int storefront_rating(struct exchange *x);

#endif
