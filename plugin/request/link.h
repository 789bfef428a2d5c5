/* SPDX-License-Identifier: MIT */
/* The links in mails and on pages: keyed, the same again each time, known to the database
 * by their hash only. Pure but for the store's key. */
#ifndef REQUEST_LINK_H
#define REQUEST_LINK_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "store.h"

enum { LINK_THREAD_DIGITS = 32 };

/* Purpose, door and id: review /r/ request_id (version: link_version) · unsubscribe /u/
 * address key in hex · author /a/ review_id · confirm /c/ confirmation_id · resolution
 * /s/ case_id · alert /k/ alert_id · report /n/ report_id (version 1). A thread's (case_id) is no door but stands in
 * the address its answers are sent to, where case is lost: 32 lower-case hexadecimal digits. */
enum link_purpose {
    LINK_REVIEW = 0,
    LINK_UNSUBSCRIBE = 1,
    LINK_AUTHOR = 2,
    LINK_CONFIRM = 3,
    LINK_RESOLUTION = 4,
    LINK_ALERT = 5,
    LINK_THREAD = 6,
    LINK_REPORT = 7
};

struct link {
    enum link_purpose purpose;
    char token[44];
    uint8_t hash[32]; /* what vouch.link_token holds, and what SQL is asked with */
};

/* ERROR_UNAVAILABLE while the store has no key. */
int link_make(const struct store *store, enum link_purpose purpose, const char *id,
              int64_t version, struct link *link, struct error *error);
int link_make_number(const struct store *store, enum link_purpose purpose, int64_t id,
                     int64_t version, struct link *link, struct error *error);
/* base_url "/r/" token; the caller's, memory_free; NULL without memory. */
char *link_url(const char *base_url, const struct link *link);
/* base_url, path and a percent-encoded segment (NULL: none) behind it; likewise. */
char *link_page(const char *base_url, const char *path, const char *segment,
                const char *rest);
/* An element of vouch.mail_attempt's tokens; subject 0: none, address_key in hex or NULL. A
 * new reference, NULL without memory. */
json_t *link_token(const struct link *link, int64_t subject, const char *address_key);

#endif
