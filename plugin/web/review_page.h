/* SPDX-License-Identifier: MIT */
/* /reviews/{id}: a published review and the store's reply on a page of their own, to be
   shared (Open Graph). 404 while it is not published. */
#ifndef WEB_REVIEW_PAGE_H
#define WEB_REVIEW_PAGE_H

struct exchange;

int review_page_serve(struct exchange *x);

#endif
