/* SPDX-License-Identifier: MIT */
/* The abusive words of a store's settings, compiled once per snapshot and then only read.
   A term is {"locale","term","category","severity","match","exceptions":[]}: locale a language
   ("pt", "pt-BR" is "pt") or "*"; category insult, profanity, hate, sexual or threat; severity 1
   mild, 2 strong, 3 severe; match "word" (the whole word), "stem" (the word and its inflected
   forms) or "anywhere" (inside words too). Case, diacritics (but ñ), repetition and disguise need no
   terms of their own. An exception is a word or phrase that holds the term and is harmless,
   with any ending. */
#ifndef VOUCH_MODERATION_LEXICON_H
#define VOUCH_MODERATION_LEXICON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "moderation/normalise.h"

enum {
    LEXICON_TERMS_MAX = 200000,
    LEXICON_TERM_BYTES_MAX = 200, /* as written, and folded */
    LEXICON_LOCALES_MAX = 63,
    LEXICON_HITS_MAX = 256
};

enum lexicon_category {
    LEXICON_INSULT = 0,
    LEXICON_PROFANITY = 1,
    LEXICON_HATE = 2,
    LEXICON_SEXUAL = 3,
    LEXICON_THREAT = 4,
    LEXICON_CATEGORIES = 5
};

enum lexicon_severity { LEXICON_MILD = 1, LEXICON_STRONG = 2, LEXICON_SEVERE = 3 };

struct lexicon;

struct lexicon_hit {
    uint32_t term;
    uint32_t start, end; /* bytes of the original */
    uint8_t category;    /* enum lexicon_category */
    uint8_t severity;    /* enum lexicon_severity */
    bool disguised;      /* read through leet, look-alikes, stars or spread letters */
    bool meant;          /* disguised by one who knows the word; in Arabic never sure */
    bool aimed;          /* at a person: behind "you", "يا" or the like */
};

/* At most LEXICON_HITS_MAX; what a text holds beyond them changes nothing. */
struct lexicon_hits {
    size_t count;
    struct lexicon_hit items[LEXICON_HITS_MAX];
};

/* terms: array of rows. A row that makes no sense is left out, so that one slip in a table does
   not switch moderation off: lexicon_left_out counts them and error, if any, tells the first;
   the result is 0 all the same. ERROR_INVALID when terms is no array, ERROR_FAILED without
   memory. *out is the caller's, released with lexicon_free. */
int lexicon_compile(const json_t *terms, struct lexicon **out, struct error *error);
void lexicon_free(struct lexicon *lexicon);
size_t lexicon_left_out(const struct lexicon *lexicon);
size_t lexicon_bytes(const struct lexicon *lexicon); /* memory held */

/* The terms that apply to a text in this language: its own and those of "*". NULL is "*" only. */
uint64_t lexicon_locales(const struct lexicon *lexicon, const char *locale);
/* Those of every language. */
uint64_t lexicon_locales_all(const struct lexicon *lexicon);
/* Whether there are terms of this language; locale may be NULL. */
bool lexicon_speaks(const struct lexicon *lexicon, const char *locale);
/* Adds the terms found in one text, read by normalise from s, to hits. Linear in the text. */
void lexicon_scan(const struct lexicon *lexicon, uint64_t locales, const char *s,
                  const struct reading *reading, struct lexicon_hits *hits);

/* As it stands in the table; borrowed from the lexicon. */
const char *lexicon_term(const struct lexicon *lexicon, uint32_t term);
const char *lexicon_category_name(enum lexicon_category category); /* static */

#endif
