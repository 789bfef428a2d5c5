/* SPDX-License-Identifier: MIT */
/* The margin of a text is the sum of its weights over the root of their number: so is the step. */
#include "moderation/learn.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

struct learning {
    struct feature_sink sink;
    int16_t *weights;
    int shift;
    int step;
};

static void none_take(struct feature_sink *sink, const uint32_t *hashes, size_t count) {
    (void)sink;
    (void)hashes;
    (void)count;
}

static void step_take(struct feature_sink *sink, const uint32_t *hashes, size_t count) {
    struct learning *l = (struct learning *)sink;
    for (size_t i = 0; i < count; i++) {
        int16_t *weight = &l->weights[hashes[i] >> l->shift];
        int moved = *weight + l->step;
        *weight = (int16_t)(moved > INT16_MAX    ? INT16_MAX
                            : moved < -INT16_MAX ? -INT16_MAX
                                                 : moved);
    }
}

struct model *learn_copy(const struct model *model) {
    struct model *copy = model_new(model->locale, model->bits);
    if (copy) {
        int16_t *weights = copy->weights;
        memcpy(weights, model->weights, sizeof *weights << model->bits);
        *copy = *model;
        copy->weights = weights;
    }
    return copy;
}

static void learn_step(struct model *model, const struct reading *reading,
                       const struct evidence *evidence, bool abusive) {
    struct feature_sink none = {none_take};
    size_t n = feature_read(reading, evidence, &none);
    double error = (abusive ? 1 : 0) - model_score(model, reading, evidence);
    double slope = model->slope > 0.1 ? model->slope : 0.1;
    double step = n ? error / (slope * sqrt((double)n) * (double)model->scale) : 0;
    struct learning l = {{step_take}, model->weights, 32 - model->bits, 0};
    if (isfinite(step)) {
        l.step = step > INT16_MAX    ? INT16_MAX
                 : step < -INT16_MAX ? -INT16_MAX
                                     : (int)lround(step);
        feature_read(reading, evidence, &l.sink);
    }
}

int learn_text(struct model *model, const struct lexicon *lexicon, const char *text,
               size_t length, bool abusive) {
    struct lexicon_hits *hits = memory_get(sizeof *hits);
    struct reading reading;
    struct evidence found;
    int code = hits ? 0 : ERROR_FAILED;
    if (!code) {
        code = normalise(text, length, &reading);
        if (!code && lexicon) {
            evidence_read(lexicon, lexicon_locales(lexicon, model->locale), text,
                          &reading, hits, &found);
        }
        if (!code) {
            learn_step(model, &reading, lexicon ? &found : NULL, abusive);
        }
        normalise_free(&reading);
    }
    memory_free(hits);
    return code;
}
