/* SPDX-License-Identifier: MIT */
/* Reading text as people do. The plain reading of a text is its letters and digits, folded
   (case, compatibility forms, diacritics, harakat, tatweel, Arabic and Persian variants, invisible
   characters), a run of one letter written once, everything else one space. Passages that look
   disguised are listed for disguise.h. Linear in the text, at most 24 bytes of memory a byte. */
#ifndef VOUCH_MODERATION_NORMALISE_H
#define VOUCH_MODERATION_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NORMALISE_MAX = 1 << 20, NORMALISE_RUN_MAX = 7 };

/* What else is known of a character, in the cell of its first byte. */
#define CELL_START 0x00FFFFFFU /* offset in the original */
#define CELL_RUN_SHIFT                                                                   \
    24 /* how often the letter was repeated, at most NORMALISE_RUN_MAX */
#define CELL_RUN 0x07000000U
#define CELL_TILDE 0x08000000U /* it was written with a tilde: ñ is a letter of its own */
#define CELL_MARK                                                                        \
    0x10000000U /* it was written with a diacritic, or Latin with a stroke */

struct suspect {
    uint32_t start, end; /* of the original */
    uint32_t spaced;     /* 1: letters spread by spaces; 0: one passage without a space */
};

struct reading {
    char *text;      /* UTF-8, NUL-terminated, a space before and behind */
    uint32_t *cells; /* one per byte of text and one for its end */
    size_t length;
    struct suspect *suspects;
    size_t suspect_count;
    bool marks; /* some letter was written with a diacritic */
};

/* Reads the first NORMALISE_MAX bytes of s, any bytes; what is no UTF-8 counts as a space.
   0, or ERROR_FAILED without memory. Release with normalise_free, also after a failure. */
int normalise(const char *s, size_t n, struct reading *out);
void normalise_free(struct reading *reading);

/* The original bytes behind text[start..end), both at the beginning of a character. */
static inline size_t normalise_start(const struct reading *r, size_t start) {
    return r->cells[start] & CELL_START;
}
static inline size_t normalise_end(const struct reading *r, size_t end) {
    return r->cells[end] & CELL_START;
}
static inline unsigned normalise_run(const struct reading *r, size_t at) {
    return (r->cells[at] & CELL_RUN) >> CELL_RUN_SHIFT;
}

#endif
