/* SPDX-License-Identifier: MIT */
/* What lexicon.c compiles and lexicon_match.c, lexicon_disguise.c read; nobody else's business. */
#ifndef VOUCH_MODERATION_LEXICON_INNER_H
#define VOUCH_MODERATION_LEXICON_INNER_H

#include "moderation/automaton.h"
#include "moderation/inflection.h"
#include "moderation/lexicon.h"

enum lexicon_match { MATCH_WORD = 0, MATCH_STEM = 1, MATCH_ANYWHERE = 2 };

enum { RUN_TILDE = 0x80, RUN_MARK = 0x40, RUN_COUNT = 0x0F, LOCALE_ANY = 63 };

/* An exception, folded, and where in it the term lies. */
struct harmless {
    uint32_t text; /* in pool */
    uint16_t length, at;
};

struct term {
    uint32_t written; /* in pool: as it stands in the table */
    uint32_t text;    /* in pool: folded; the runs of its letters lie behind its NUL */
    uint32_t harmless;
    uint16_t harmless_count;
    uint8_t length; /* bytes of text */
    uint8_t letters;
    uint8_t spelled; /* letters with repetitions */
    uint8_t locale;
    uint8_t category, severity, match, inflection;
    bool marks; /* of a language in which diacritics tell words apart */
};

struct lexicon {
    struct automaton automaton;
    struct term *terms;
    size_t term_count;
    struct harmless *harmless;
    size_t harmless_count;
    char *pool;
    size_t pool_length;
    char locales[LEXICON_LOCALES_MAX][12];
    const char *const *aims[LOCALE_ANY + 1]; /* by locale; NULL without */
    size_t locale_count;
    size_t left_out;
};

static inline const char *term_text(const struct lexicon *l, const struct term *t) {
    return l->pool + t->text;
}
static inline const unsigned char *term_runs(const struct lexicon *l,
                                             const struct term *t) {
    return (const unsigned char *)l->pool + t->text + t->length + 1;
}

/* Whether term really stands at text[start, start + length): letters as often as they should be,
   word boundaries or inflection, no harmless word around it. loose: the boundaries are not
   known, because the letters were spread. */
bool lexicon_stands(const struct lexicon *l, const struct term *t,
                    const struct reading *r, size_t start, bool loose);
void lexicon_hit_add(struct lexicon_hits *hits, const struct lexicon *l,
                     const struct term *t, struct lexicon_hit where);
/* The disguised passages of one text. */
void lexicon_disguise(const struct lexicon *l, uint64_t locales, const char *s,
                      const struct reading *reading, struct lexicon_hits *hits);

#endif
