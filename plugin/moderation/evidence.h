/* SPDX-License-Identifier: MIT */
/* What the words a lexicon found in one text amount to. */
#ifndef VOUCH_MODERATION_EVIDENCE_H
#define VOUCH_MODERATION_EVIDENCE_H

#include "moderation/lexicon.h"

struct evidence {
    const struct lexicon *lexicon; /* borrowed */
    struct lexicon_hits *hits;     /* borrowed; in the order of the text, none overlap */
    double harmless;               /* product over distinct terms of 1 - weight */
    bool certain;                  /* a severe term is there, plainly written */
};

/* Scans one text, read by normalise from s, and weighs what is found. hits is the room for it. */
void evidence_read(const struct lexicon *lexicon, uint64_t locales, const char *s,
                   const struct reading *reading, struct lexicon_hits *hits,
                   struct evidence *out);

#endif
