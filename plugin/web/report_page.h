/* SPDX-License-Identifier: MIT */
/* The pages of a report as data (for report.c alone). */
#ifndef WEB_REPORT_PAGE_H
#define WEB_REPORT_PAGE_H

#include "web/exchange.h"

enum report_field {
    REPORT_EXPLANATION,
    REPORT_URL,
    REPORT_NAME,
    REPORT_EMAIL,
    REPORT_CATEGORY,
    REPORT_FIELDS
};
enum { REPORT_BYTES_MOST = 10000, REPORT_SHOWN_MOST = 5000 };

/* What was typed: cleaned, "" when empty. fault: a key of the catalogue, NULL: fine. */
struct report_draft {
    char *text[REPORT_FIELDS];
    const char *fault[REPORT_FIELDS];
    bool good_faith, unconfirmed;
};

extern const char *const report_names[REPORT_FIELDS]; /* of the form's fields */

/* view: of vouch.report_view. draft NULL: a fresh form. */
int report_form_page(struct exchange *x, int status, const json_t *view,
                     const struct report_draft *draft);
int report_thanks_page(struct exchange *x);
/* view: of vouch.report_status. sent: an objection has just been taken. */
int report_status_page(struct exchange *x, int status, const json_t *view, bool sent);
/* Whether it is one that the form offers. */
bool report_category(const char *category);

#endif
