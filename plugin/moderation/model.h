/* SPDX-License-Identifier: MIT */
/* A learned judge of one language: a linear model over hashed features, whose score is the
   probability that people would call the text abusive. Read-only once made; safe from any thread. */
#ifndef VOUCH_MODERATION_MODEL_H
#define VOUCH_MODERATION_MODEL_H

#include "base/buffer.h"
#include "base/error.h"
#include "moderation/feature.h"

enum {
    MODEL_BITS_LEAST = 8, /* 2^bits weights */
    MODEL_BITS_MOST = 20,
    MODEL_LOCALE_BYTES = 12,
    MODEL_BYTES_MAX = (1 << MODEL_BITS_MOST) * 2 + 256
};

struct model {
    char locale[MODEL_LOCALE_BYTES]; /* a language: "pt" */
    int bits;
    float scale;                      /* a weight is this times its number */
    float measures[FEATURE_MEASURES]; /* weights of feature_measure */
    double slope, offset;             /* calibration of the margin */
    double threshold;                 /* from this probability on a text is held */
    bool overrules; /* it knows the lexicon's words well enough to say when they are harmless */
    int16_t *weights;
};

/* bytes as model_write wrote them. ERROR_INVALID when they are damaged, of another version or
   no model. *out is the caller's, released with model_free. */
int model_read(const void *bytes, size_t n, struct model **out, struct error *error);
/* Appends; ask buffer_ok. */
void model_write(const struct model *model, struct buffer *out);
/* Room for 2^bits weights, all 0; NULL without memory. */
struct model *model_new(const char *locale, int bits);
void model_free(struct model *model);

/* Whether the model is of the language of a text: "pt" and "pt-BR" are one. locale may be NULL. */
bool model_speaks(const struct model *model, const char *locale);
/* The probability, 0..1. evidence NULL: no lexicon. */
double model_score(const struct model *model, const struct reading *reading,
                   const struct evidence *evidence);

#endif
