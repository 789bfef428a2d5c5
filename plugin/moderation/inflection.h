/* SPDX-License-Identifier: MIT */
/* What may stand before and behind a stem within one word, by language. Works on folded text. */
#ifndef VOUCH_MODERATION_INFLECTION_H
#define VOUCH_MODERATION_INFLECTION_H

#include <stdbool.h>
#include <stddef.h>

enum inflection { INFLECTION_ENDINGS = 0, INFLECTION_ARABIC = 1, INFLECTION_PERSIAN = 2 };

/* locale is a language subtag such as "ar"; borrowed. */
enum inflection inflection_of(const char *locale);
/* Whether a diacritic makes another word: Latvian "zupa" is soup, "žūpa" is a drunkard. */
bool inflection_marks(const char *locale);
/* before and after: the rest of the word on either side, possibly empty. Any ending of at most
   twelve letters where words are inflected by endings; listed particles in Arabic and Persian. */
bool inflection_allows(enum inflection kind, const char *before, size_t before_length,
                       const char *after, size_t after_length);

#endif
