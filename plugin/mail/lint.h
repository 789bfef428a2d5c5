/* SPDX-License-Identifier: MIT */
/* What a store's own mail template must not do, whatever its language: leave out the way to
   unsubscribe, name what no mail knows, tie an offer to praise (16 CFR 465.4), or, while codes are
   given, lead to places that forbid incentives. Pure: text in, faults out. */
#ifndef MAIL_LINT_H
#define MAIL_LINT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "mail/template.h"

/* One part of a row of mail_template. */
struct lint_part {
    const char *kind;
    const char *part; /* "subject", "text" or "html" */
    const char *source;
    const struct template *template; /* what source compiles to */
    bool codes;                      /* the store gives discount codes */
    bool optout;                     /* has to hold the link to unsubscribe itself */
    /* Whether t.<name> is a string of this kind; borrowed. */
    bool (*known_word)(const void *self, const char *name);
    const void *self;
};

/* Appends {"part","line","rule","text"} for each fault; rule is unsubscribe, variable, praise or
   incentive, line 0 where it is about the whole part. 0, or ERROR_FAILED without memory. */
int lint_check(const struct lint_part *part, json_t *faults);

/* Whether one sentence of text (HTML or plain) ties an offer to praise. */
bool lint_praise(const char *text);

#endif
