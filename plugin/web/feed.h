/* SPDX-License-Identifier: MIT */
/* /feeds/product-ratings.xml: every published review in Google's product review feed 2.4,
   in pieces that the host appends to each other by "next". ?since=RFC 3339 gives those
   that became visible or changed since; what was taken down meanwhile is only missing from
   the next full feed. No stars are asked for. */
#ifndef WEB_FEED_H
#define WEB_FEED_H

struct exchange;

int feed_serve(struct exchange *x);

#endif
