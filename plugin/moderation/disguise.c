/* SPDX-License-Identifier: MIT */
/* Leet, look-alike letters and stars: tables only. */
#include "moderation/disguise.h"

#include <string.h>

#include "moderation/fold_table.h"
#include "moderation/utf8.h"

/* What a digit or sign may stand for inside a word. */
static const struct {
    uint32_t codepoint;
    char letters[DISGUISE_READINGS_MAX + 1];
    uint8_t kind;
} leet[] = {
    {'0', "o", PART_DIGIT},   {'1', "il", PART_DIGIT}, {'2', "z", PART_DIGIT},
    {'3', "e", PART_DIGIT},   {'4', "a", PART_DIGIT},  {'5', "s", PART_DIGIT},
    {'6', "gb", PART_DIGIT},  {'7', "t", PART_DIGIT},  {'8', "b", PART_DIGIT},
    {'9', "gq", PART_DIGIT},  {'@', "ao", PART_SIGN},  {'$', "s", PART_SIGN},
    {'!', "il", PART_SIGN},   {'|', "il", PART_SIGN},  {'+', "t", PART_SIGN},
    {0xA1, "i", PART_SIGN},   {0xA2, "c", PART_SIGN},  {0xA3, "l", PART_SIGN},
    {0xA5, "y", PART_SIGN},   {0xA7, "s", PART_SIGN},  {0x20AC, "e", PART_SIGN},
    {0x20B5, "c", PART_SIGN}, {0xD7, "x", PART_SIGN},  {0x2020, "t", PART_SIGN},
};

static const uint32_t stars[] = {'*',    '#',    '%',    0xFF0A, 0x2217, 0x2731,
                                 0x2217, 0x204E, 0x2605, 0x2606, 0x25CF, 0x2022,
                                 0x2588, 0x25A0, 0x25AA, 0x66D,  0xFF03};

static void reading_add(struct part *p, const unsigned char *letter, size_t size) {
    if (p->readings < DISGUISE_READINGS_MAX) {
        memcpy(p->letter[p->readings], letter, size);
        p->size[p->readings++] = (uint8_t)size;
    }
}

static char latin_of(uint32_t codepoint) {
    size_t low = 0, high = fold_lookalikes;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (fold_lookalike[middle].codepoint < codepoint) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < fold_lookalikes && fold_lookalike[low].codepoint == codepoint
               ? fold_lookalike[low].latin
               : '\0';
}

/* A folded letter as itself, and as the Latin letter it resembles. */
static void letter_read(struct part *p, const unsigned char *letter, size_t size) {
    uint32_t cp = 0;
    p->kind = PART_LETTER;
    utf8_read(letter, size, &cp);
    unsigned char latin = (unsigned char)latin_of(cp);
    if (latin) {
        reading_add(p, &latin, 1);
    }
    reading_add(p, letter, size);
}

/* True when the code point is leet or a star. */
static bool sign_read(struct part *p, uint32_t codepoint) {
    for (size_t i = 0; i < sizeof leet / sizeof *leet; i++) {
        if (leet[i].codepoint == codepoint) {
            p->kind = leet[i].kind;
            for (const char *c = leet[i].letters; *c; c++) {
                reading_add(p, (const unsigned char *)c, 1);
            }
            return true;
        }
    }
    for (size_t i = 0; i < sizeof stars / sizeof *stars; i++) {
        if (stars[i] == codepoint) {
            p->kind = PART_STAR;
            return true;
        }
    }
    return false;
}

/* The letters a code point folds to; 0 when it is none. */
static size_t folded(uint32_t cp, const unsigned char *raw, size_t size,
                     const unsigned char **text) {
    unsigned entry = fold_of(cp);
    *text = raw;
    if (entry >= FOLD_MAPPED) {
        const struct fold_mapping *m = &fold_mapping[entry - FOLD_MAPPED];
        *text = fold_pool + m->offset;
        return m->length;
    }
    return entry == FOLD_LETTER || entry == FOLD_IDEOGRAPH || entry == FOLD_HANGUL ? size
                                                                                   : 0;
}

/* Adds the parts of one code point; how many. room > 0. */
static size_t parts_add(struct part *parts, size_t room, uint32_t cp,
                        const unsigned char *raw, size_t size, size_t start) {
    const unsigned char *text;
    size_t length = folded(cp, raw, size, &text), count = 0;
    struct part fresh = {.start = (uint32_t)start,
                         .end = (uint32_t)(start + size),
                         .codepoint = cp,
                         .kind = PART_GAP};
    if (length == 1 && text[0] >= '0' && text[0] <= '9') {
        parts[0] = fresh;
        sign_read(&parts[0], text[0]);
        return 1;
    }
    for (size_t i = 0; i < length && count < room; i += utf8_size(text[i])) {
        parts[count] = fresh;
        letter_read(&parts[count++], text + i, utf8_size(text[i]));
    }
    if (length == 0) {
        parts[count] = fresh;
        sign_read(&parts[count++], cp);
    }
    return count;
}

size_t disguise_read(const char *s, size_t end, size_t *at, struct part *parts) {
    const unsigned char *bytes = (const unsigned char *)s;
    size_t count = 0, i = *at;
    while (i < end && count < DISGUISE_PARTS_MAX) {
        uint32_t cp = 0;
        size_t size = utf8_read(bytes + i, end - i, &cp);
        bool dropped = size && (fold_of(cp) == FOLD_DROP);
        size_t step = size ? size : 1;
        if (dropped && count) {
            parts[count - 1].end = (uint32_t)(i + step);
        } else if (!dropped) {
            count += parts_add(parts + count, DISGUISE_PARTS_MAX - count, cp, bytes + i,
                               step, i);
        }
        i += step;
    }
    *at = i;
    return count;
}

bool disguise_hides(const struct part *part) {
    return part->kind != PART_LETTER || part->readings > 1;
}
