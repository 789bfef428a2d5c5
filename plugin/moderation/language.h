/* SPDX-License-Identifier: MIT */
/* In which language a text really is, as far as its words tell: whose lexicon and model apply. */
#ifndef VOUCH_MODERATION_LANGUAGE_H
#define VOUCH_MODERATION_LANGUAGE_H

#include <stdbool.h>

#include "moderation/normalise.h"
#include "moderation/signal.h"

struct language_guess {
    const char *language; /* static: "pt"; NULL: the words do not tell */
    bool known;           /* there is a lexicon for it */
};

/* declared: of the review, or NULL; it has the benefit of the doubt. s, n: the text. */
struct language_guess language_of(const char *s, size_t n,
                                  const struct signal_words *words, const char *declared);

#endif
