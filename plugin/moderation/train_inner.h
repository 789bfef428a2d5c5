/* SPDX-License-Identifier: MIT */
/* What train.c learns from: made by train_corpus.c, judged by train_calibrate.c. */
#ifndef VOUCH_MODERATION_TRAIN_INNER_H
#define VOUCH_MODERATION_TRAIN_INNER_H

#include "moderation/train.h"

struct corpus {
    struct sample *samples;
    size_t count;
    uint32_t *features; /* of all samples, one behind the other */
    size_t *starts;     /* count + 1 */
    float (*measures)[FEATURE_MEASURES];
    uint8_t *folds;
};

int corpus_read(const struct train_plan *plan, struct corpus *corpus,
                struct error *error);
void corpus_free(struct corpus *corpus);
/* Spreads the samples over the folds, near copies (all words but one the same) together. */
int corpus_fold(struct corpus *corpus);
/* Sets slope, offset and threshold by the margins in the samples, which become probabilities. */
int train_calibrate(struct corpus *corpus, struct model *model);

#endif
