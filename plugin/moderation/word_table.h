/* SPDX-License-Identifier: MIT */
/* Small words that tell in which language a text is, and words that sell, found by their hash. */
#ifndef VOUCH_MODERATION_WORD_TABLE_H
#define VOUCH_MODERATION_WORD_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* The first WORD_LEXICONS languages are those with a lexicon of their own. */
enum { WORD_SLOTS = 4096, WORD_LANGUAGES = 18, WORD_LEXICONS = 6, WORD_PROBES = 16 };

struct word_slot {
    uint32_t hash;      /* 0: free */
    uint32_t languages; /* bits */
    uint8_t sells;      /* 0, 1 little, 3 some, 6 strong */
};

extern const char *const word_languages[WORD_LANGUAGES];
extern const struct word_slot word_slots[WORD_SLOTS];

#define WORD_HASH_FIRST 0x811C9DC5U
static inline uint32_t word_hash(uint32_t hash, unsigned char byte) {
    return (hash ^ byte) * 0x01000193U;
}

/* NULL when the word is none of them. */
static inline const struct word_slot *word_find(uint32_t hash) {
    uint32_t at = (hash >> 12) % WORD_SLOTS;
    for (int i = 0; i < WORD_PROBES && word_slots[at].hash; i++) {
        if (word_slots[at].hash == hash) {
            return &word_slots[at];
        }
        at = (at + 1) % WORD_SLOTS;
    }
    return NULL;
}

#endif
