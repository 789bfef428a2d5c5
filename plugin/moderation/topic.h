/* SPDX-License-Identifier: MIT */
/* What a text is about, by the words of topic_term. Plays no part in any decision. Immutable
   once compiled; any thread may read. */
#ifndef VOUCH_MODERATION_TOPIC_H
#define VOUCH_MODERATION_TOPIC_H

#include "base/error.h"
#include "base/json.h"

enum {
    TOPIC_DELIVERY = 0,
    TOPIC_PACKAGING = 1,
    TOPIC_QUALITY = 2,
    TOPIC_DESCRIPTION = 3,
    TOPIC_SIZE = 4,
    TOPIC_PRICE = 5,
    TOPIC_SERVICE = 6,
    TOPIC_OTHER = 7,
    TOPICS = 8,
    TOPIC_ROWS_MAX = 20000,
    TOPIC_LOCALES_MAX = 32
};

struct topics;

/* rows: [[locale, term, topic, "word"|"stem"], …]; locale a language or "*". A row that makes
   no sense is left out. 0, or ERROR_FAILED without memory. *out is released with topics_free. */
int topics_compile(const json_t *rows, struct topics **out, struct error *error);
void topics_free(struct topics *topics);

/* A bit for each topic of title and body (each may be NULL) read in this language, NULL: in
   every one. TOPIC_OTHER when there are words but none is known, 0 when there are none.
   Negative: ERROR_FAILED without memory. */
int topics_find(const struct topics *topics, const char *locale, const char *title,
                const char *body);
const char *topic_name(int topic); /* static */

#endif
