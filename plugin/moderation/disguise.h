/* SPDX-License-Identifier: MIT */
/* A disguised passage taken apart into signs and what each may stand for. */
#ifndef VOUCH_MODERATION_DISGUISE_H
#define VOUCH_MODERATION_DISGUISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISGUISE_PARTS_MAX = 64, DISGUISE_READINGS_MAX = 3 };

enum part_kind {
    PART_LETTER = 0,
    PART_DIGIT = 1, /* may be a letter: 3 as e */
    PART_SIGN = 2,  /* may be a letter: $ as s */
    PART_STAR = 3,  /* stands for any letter, or for none */
    PART_GAP = 4
};

struct part {
    uint32_t start, end; /* bytes of the original */
    uint32_t codepoint;
    uint8_t kind;
    uint8_t readings;
    uint8_t size[DISGUISE_READINGS_MAX];
    unsigned char letter[DISGUISE_READINGS_MAX][4]; /* folded, UTF-8 */
};

/* Reads at most DISGUISE_PARTS_MAX parts from s[*at..end) and moves *at behind them. */
size_t disguise_read(const char *s, size_t end, size_t *at, struct part *parts);
/* Whether the part hides something: anything but a letter read as itself. */
bool disguise_hides(const struct part *part);

#endif
