/* SPDX-License-Identifier: MIT */
/* /products/{id}/rating.jsonld: schema.org Product with AggregateRating and its newest
   reviews, for <script type="application/ld+json"> on the product's page. The store's own
   published reviews only; 404 and no byte without one. */
#ifndef WEB_RATING_H
#define WEB_RATING_H

struct exchange;

int rating_serve(struct exchange *x);

#endif
