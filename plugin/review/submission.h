/* SPDX-License-Identifier: MIT */
/* A review as it comes in, from an event or a form, made ready for the SQL functions that
 * store and decide it: addresses and ids as keys, and what moderation found in the words. */
#ifndef REVIEW_SUBMISSION_H
#define REVIEW_SUBMISSION_H

#include "base/error.h"
#include "base/json.h"
#include "moderation/decide.h"
#include "settings.h"
#include "store.h"

/* All borrowed, already checked for length and controls; NULL is absent. */
struct submission {
    const char *external_id; /* the store's own id of the review */
    const char *product_id, *order_id, *line_id;
    const char *title, *body, *name, *locale;
    const char *customer_id; /* the store authenticated this person */
    const char *email;
    const char *client_address; /* where the author was; kept as a keyed hash only */
    int rating;                 /* 1..5; 0: unchanged (edits). Moderation never sees it */
};

/* *body is the caller's: the jsonb argument of vouch.review_submit and its sisters.
 * ERROR_INVALID for an address that is none. A text that cannot be examined (no memory) is
 * an error, never a clean bill. */
int submission_body(const struct store *store, struct settings *settings,
                    const struct submission *submission, json_t **body,
                    struct error *error);
/* What words are judged by; borrowed as long as settings is held. */
int submission_rules(struct settings *settings, struct rules *rules, struct error *error);
/* Fetches the settings and makes lexicon and models ready ahead of the first review, which
 * then has its whole deadline for itself. Cheap when nothing changed. */
int submission_warm(const struct store *store, int64_t deadline_us, struct error *error);
/* Adds "address_key" (and "email") to body when email is not NULL, "customer_key" and
 * "customer_id" when customer_id is not NULL. pointer names the address's field. */
int submission_person(const struct store *store, json_t *body, const char *email,
                      const char *customer_id, const char *pointer, struct error *error);

#endif
