/* SPDX-License-Identifier: MIT */
/* What every code point below FOLD_LIMIT is to a reader: nothing, a gap, a letter, or other letters. */
#ifndef VOUCH_MODERATION_FOLD_TABLE_H
#define VOUCH_MODERATION_FOLD_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { FOLD_LIMIT = 0x30000, FOLD_BLOCK = 64 };

enum fold_kind {
    FOLD_SEPARATOR = 0,
    FOLD_DROP = 1,
    FOLD_SPACE = 2,
    FOLD_LETTER = 3,
    FOLD_SYMBOL = 4,    /* an emoji: a word by itself */
    FOLD_IDEOGRAPH = 5, /* a letter of a script written without gaps between words */
    FOLD_HANGUL = 6,    /* a syllable, taken apart by arithmetic */
    FOLD_LOOKALIKE = 7, /* a letter of another script that may be read as a Latin one */
    FOLD_LATIN = 8,
    FOLD_DIGIT = 9,
    FOLD_MAPPED = 16 /* from here on: fold_mapping[entry - FOLD_MAPPED] */
};

struct fold_mapping {
    uint16_t offset; /* in fold_pool */
    uint8_t length;  /* at most three times the bytes it stands for */
    uint8_t kind;
};

struct fold_lookalike {
    uint32_t codepoint;
    char latin;
};

extern const uint16_t fold_index[FOLD_LIMIT / FOLD_BLOCK];
extern const uint16_t fold_entry[][FOLD_BLOCK];
extern const struct fold_mapping fold_mapping[];
extern const unsigned char fold_pool[];
extern const struct fold_lookalike fold_lookalike[]; /* sorted */
extern const size_t fold_lookalikes;

static inline uint16_t fold_of(uint32_t codepoint) {
    if (codepoint >= FOLD_LIMIT) {
        return FOLD_SEPARATOR;
    }
    return fold_entry[fold_index[codepoint / FOLD_BLOCK]][codepoint % FOLD_BLOCK];
}

#endif
