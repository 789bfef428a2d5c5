/* SPDX-License-Identifier: MIT */
/* The shipped lexicon: sql/seed/abuse_term.<locale>.tsv. */
#ifndef CLI_SEED_H
#define CLI_SEED_H

#include "base/asset.h"
#include "base/error.h"
#include "base/json.h"

enum { SEED_LOCALE_MOST = 16 };

/* Of "sql/seed/abuse_term.pt.tsv": "pt". ERROR_FAILED for another kind of name. */
int seed_locale(const struct asset *asset, char locale[SEED_LOCALE_MOST],
                struct error *error);
/* An array of {"term","category","severity","match","exceptions"} as vouch.term_seed
 * takes it: lines of five columns between tabs, exceptions between bars; lines that begin
 * with # and empty ones say nothing. A new reference; NULL with error, which names the
 * line. */
json_t *seed_terms(const struct asset *asset, struct error *error);

#endif
