/* SPDX-License-Identifier: MIT */
/* The Olist tables as a stream of Vouch events.
 *
 * What becomes of what (the decisions, and their reasons, are in README.md):
 *   order               order.placed, .paid, .shipped, .delivered, .cancelled, one each
 *   review of an order  one review.submitted per different product of that order
 */
#ifndef OLIST_H
#define OLIST_H

#include <jansson.h>
#include <stddef.h>

struct olist;

enum moment_kind {
    MOMENT_PLACED = 0,
    MOMENT_PAID = 1,
    MOMENT_SHIPPED = 2,
    MOMENT_DELIVERED = 3,
    MOMENT_CANCELLED = 4,
    MOMENT_REVIEW = 5,
    MOMENT_KINDS = 6
};

/* One event to be: what happened when, to which order or review. */
struct moment {
    const char *time; /* as in the tables, "2017-08-30 21:12:28" */
    enum moment_kind kind;
    size_t row;  /* of the order, or of the review */
    size_t line; /* MOMENT_REVIEW: the first line that holds the product */
};

/* What the tables hold that cannot become an event. */
struct olist_left {
    size_t orders_without_lines, orders_without_buyer, orders_without_time;
    size_t reviews_without_order, reviews_without_time, reviews_without_stars;
};

/* Reads a folder. On failure NULL, with a sentence in why. The caller's, olist_free. */
struct olist *olist_read(const char *folder, char *why, size_t size);
void olist_free(struct olist *olist);

/* All events in the order in which they happened; borrowed, the caller may reorder them. */
struct moment *olist_moments(struct olist *olist, size_t *count);
const struct olist_left *olist_left(const struct olist *olist);

/* A new CloudEvent, or NULL when the tables hold something that is not UTF-8. */
json_t *olist_event(const struct olist *olist, const struct moment *moment);

const char *olist_type(enum moment_kind kind);
const char *olist_product(const struct olist *olist, const struct moment *moment);
size_t olist_line_count(const struct olist *olist, const struct moment *moment);

#endif
