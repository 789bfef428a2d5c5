/* SPDX-License-Identifier: MIT */
/* A short print of a text by which near copies are found: MinHash over all rows of eight bytes of its
   plain reading, so that case, spaces, accents and disguises make no difference. */
#ifndef VOUCH_MODERATION_SHINGLE_H
#define VOUCH_MODERATION_SHINGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHINGLE_BANDS = 6, SHINGLE_WORDS_LEAST = 8, SHINGLE_BYTES_LEAST = 48 };

/* Texts alike for nine tenths share at least two of the bands nearly always, for a half hardly
   ever. seed: keeps others from guessing texts by their prints. False when the text is too short
   to be anybody's own, or without memory. */
bool shingle_print(const char *s, size_t n, uint64_t seed, int64_t bands[SHINGLE_BANDS]);

#endif
