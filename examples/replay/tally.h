/* SPDX-License-Identifier: MIT */
/* What became of the events, counted from the replies of vouch_emit alone. */
#ifndef TALLY_H
#define TALLY_H

#include "olist.h"

#include <stdbool.h>
#include <stdint.h>

/* The last answer about one review. */
struct answer {
    int64_t review_id;
    const char *product;
    size_t turn; /* how many answers came before this one */
    bool published, verified;
    char reasons[64]; /* "unverified, abusive" */
};

struct tally {
    size_t events[MOMENT_KINDS]; /* accepted, by kind */
    size_t lines, delivered_lines;
    size_t spooled, refused, unreadable;
    struct answer *answer;
    size_t answers, room;
    double seconds;
};

/* One accepted event; result is its object in "results", or NULL (spooled). */
void tally_add(struct tally *tally, const struct olist *olist,
               const struct moment *moment, int code, const json_t *result);

/* Prints it all on stdout. summary_of gives a product's published summary, a new reference
 * or NULL. */
void tally_print(struct tally *tally, const struct olist *olist,
                 json_t *(*summary_of)(void *context, const char *product),
                 void *context);
void tally_free(struct tally *tally);

#endif
