/* SPDX-License-Identifier: MIT */
/* Learns a model from labelled texts: logistic regression, each fifth of the texts judged by what
   the other four taught, near copies always in one fifth. Those verdicts give the calibration,
   the threshold and the report; the model is the mean of the five. The same samples give the same
   model. */
#ifndef VOUCH_MODERATION_TRAIN_H
#define VOUCH_MODERATION_TRAIN_H

#include "moderation/model.h"

enum {
    TRAIN_FOLDS = 5,
    TRAIN_BITS = 18,
    TRAIN_SAMPLES_LEAST = 20, /* of each label */
    TRAIN_SAMPLES_MOST = 1000000,
    TRAIN_TEXT_MOST = 16384,    /* of a longer one the beginning is read */
    TRAIN_BYTES_MOST = 64 << 20 /* of all texts */
};

struct sample {
    const char *text; /* borrowed, any bytes */
    size_t length;
    bool abusive;
    bool review; /* an ordinary review: hardly any may be flagged */
    /* Told by train_model, as if the sample had not been seen: */
    double probability;
    bool flagged; /* by model and lexicon, as decide() would */
    bool told;    /* by the lexicon alone */
};

struct train_plan {
    const char *locale;
    const struct lexicon *lexicon; /* what will be used beside the model; NULL: none */
    void (*progress)(void *self, size_t done, size_t all); /* NULL: none */
    void *self;
};

/* *out is the caller's, released with model_free. ERROR_INVALID with a sentence when there is too
   little to learn from. */
int train_model(const struct train_plan *plan, struct sample *samples, size_t count,
                struct model **out, struct error *error);

#endif
