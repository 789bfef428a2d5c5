/* SPDX-License-Identifier: MIT */
/* Words that aim what follows at a person: "you", "seu", "يا". A mild insult behind one is none
   any more. Works on folded text. */
#ifndef VOUCH_MODERATION_AIM_H
#define VOUCH_MODERATION_AIM_H

#include <stdbool.h>
#include <stddef.h>

/* The words of a language ("en"), NULL when it has none here; static. */
const char *const *aim_words(const char *locale);
/* Whether one of words is among the three words before text[start]; text[0] is a space. */
bool aim_found(const char *const *words, const char *text, size_t start);

#endif
