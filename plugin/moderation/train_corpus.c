/* SPDX-License-Identifier: MIT */
/* Samples as features. */
#include <string.h>

#include "base/memory.h"
#include "moderation/train_inner.h"

enum { FEATURES_FIRST = 1 << 16 };

struct gathering {
    struct feature_sink sink;
    struct corpus *corpus;
    size_t count, room;
    bool failed;
};

static void gather_take(struct feature_sink *sink, const uint32_t *hashes, size_t count) {
    struct gathering *g = (struct gathering *)sink;
    if (!g->failed && g->count + count > g->room) {
        size_t room = 2 * (g->room + count) + FEATURES_FIRST;
        uint32_t *grown = memory_grow(g->corpus->features, room * sizeof *grown);
        g->failed = !grown;
        g->corpus->features = grown ? grown : g->corpus->features;
        g->room = grown ? room : g->room;
    }
    for (size_t i = 0; i < count && !g->failed; i++) {
        g->corpus->features[g->count++] = hashes[i] >> (32 - TRAIN_BITS);
    }
}

static int sample_read(const struct train_plan *plan, struct gathering *g, size_t i,
                       struct lexicon_hits *hits) {
    struct sample *s = &g->corpus->samples[i];
    struct evidence found, *evidence = plan->lexicon ? &found : NULL;
    struct reading reading;
    size_t n = s->length < TRAIN_TEXT_MOST ? s->length : TRAIN_TEXT_MOST;
    int code = normalise(s->text, n, &reading);
    if (!code) {
        if (evidence) {
            evidence_read(plan->lexicon, lexicon_locales(plan->lexicon, plan->locale),
                          s->text, &reading, hits, evidence);
        }
        s->flagged = evidence && found.certain;
        s->told = evidence && found.harmless <= 0.5;
        feature_read(&reading, evidence, &g->sink);
        feature_measure(&reading, evidence, g->corpus->measures[i]);
        g->corpus->starts[i + 1] = g->count;
        code = g->failed ? ERROR_FAILED : 0;
    }
    normalise_free(&reading);
    return code;
}

static int samples_check(struct corpus *c, struct error *error) {
    size_t abusive = 0, bytes = 0;
    for (size_t i = 0; i < c->count; i++) {
        abusive += c->samples[i].abusive;
        bytes += c->samples[i].length;
    }
    if (c->count > TRAIN_SAMPLES_MOST || bytes > TRAIN_BYTES_MOST) {
        return error_set(error, ERROR_INVALID, "",
                         "at most %d texts of %d MiB together can be learned from",
                         TRAIN_SAMPLES_MOST, TRAIN_BYTES_MOST >> 20);
    }
    if (abusive < TRAIN_SAMPLES_LEAST || c->count - abusive < TRAIN_SAMPLES_LEAST) {
        return error_set(error, ERROR_INVALID, "",
                         "at least %d texts of each label are needed to learn from",
                         TRAIN_SAMPLES_LEAST);
    }
    return 0;
}

int corpus_read(const struct train_plan *plan, struct corpus *c, struct error *error) {
    struct gathering g = {.sink = {gather_take}, .corpus = c};
    struct lexicon_hits *hits = memory_get(sizeof *hits);
    int code = samples_check(c, error);
    if (!code) {
        c->starts = memory_zero(c->count + 1, sizeof *c->starts);
        c->measures = memory_zero(c->count, sizeof *c->measures);
        c->folds = memory_zero(c->count, 1);
        code =
            hits && c->starts && c->measures && c->folds ? corpus_fold(c) : ERROR_FAILED;
    }
    for (size_t i = 0; i < c->count && !code; i++) {
        code = sample_read(plan, &g, i, hits);
    }
    memory_free(hits);
    return code;
}

void corpus_free(struct corpus *c) {
    memory_free(c->features);
    memory_free(c->starts);
    memory_free(c->measures);
    memory_free(c->folds);
}
