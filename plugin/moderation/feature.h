/* SPDX-License-Identifier: MIT */
/* What a model sees of a text: hashes of its character n-grams (2 to 4, inside words, the gaps at
   their ends included), of its words and pairs of words, and of the terms a lexicon found; and a
   few measures of what the lexicon found. The same text gives the same features everywhere. */
#ifndef VOUCH_MODERATION_FEATURE_H
#define VOUCH_MODERATION_FEATURE_H

#include <stddef.h>
#include <stdint.h>

#include "moderation/evidence.h"
#include "moderation/normalise.h"

/* Grows whenever the same text gives other features: older models are refused then. */
enum { FEATURE_VERSION = 2 };
enum { FEATURE_BLOCK = 512, FEATURE_MEASURES = 16 };

/* Takes hashes a block at a time; the upper bits are the better ones. */
struct feature_sink {
    void (*take)(struct feature_sink *sink, const uint32_t *hashes, size_t count);
};

/* How many hashes were handed to sink. evidence NULL: no lexicon. */
size_t feature_read(const struct reading *reading, const struct evidence *evidence,
                    struct feature_sink *sink);
/* Each 0..1. */
void feature_measure(const struct reading *reading, const struct evidence *evidence,
                     float out[FEATURE_MEASURES]);

#endif
