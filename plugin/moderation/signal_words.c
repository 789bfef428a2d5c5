/* SPDX-License-Identifier: MIT */
/* One walk over the words of a reading: what language they tell, and what they sell. */
#include <string.h>

#include "moderation/signal.h"
#include "moderation/word_table.h"

_Static_assert(sizeof((struct signal_words *)0)->tells / sizeof(uint16_t) ==
                   WORD_LANGUAGES,
               "a counter for each language");

enum { COUNT_MOST = 65535 };

static void word_count(struct signal_words *out, const struct word_slot *slot,
                       const struct reading *r, size_t start, size_t end,
                       unsigned *most) {
    uint32_t languages = slot->languages;

    while (languages) {
        int bit = __builtin_ctz(languages);
        out->tells[bit] = (uint16_t)(out->tells[bit] + (out->tells[bit] < COUNT_MOST));
        languages &= languages - 1;
    }
    if (!slot->sells) {
        return;
    }
    if (out->sells < COUNT_MOST - 8) {
        out->sells = (uint16_t)(out->sells + slot->sells);
        out->strong = (uint16_t)(out->strong + (slot->sells == 6));
    }
    if (slot->sells > *most) {
        *most = slot->sells;
        out->at = (uint32_t)normalise_start(r, start);
        out->end = (uint32_t)normalise_end(r, end);
    }
}

void signal_words_read(const struct reading *r, struct signal_words *out) {
    uint32_t hash = WORD_HASH_FIRST, before = 0;
    size_t start = 1;
    unsigned most = 0;

    memset(out, 0, sizeof *out);
    for (size_t i = 1; i < r->length; i++) {
        if (r->text[i] != ' ') {
            hash = word_hash(hash, (unsigned char)r->text[i]);
            continue;
        }
        if (i > start) {
            const struct word_slot *slot = hash == before ? NULL : word_find(hash);
            size_t letters = (size_t)out->letters + (i - start);
            out->letters = (uint16_t)(letters < COUNT_MOST ? letters : COUNT_MOST);
            out->words = (uint16_t)(out->words + (out->words < COUNT_MOST));
            before = hash;
            if (slot) {
                word_count(out, slot, r, start, i, &most);
            }
        }
        hash = WORD_HASH_FIRST;
        start = i + 1;
    }
}
