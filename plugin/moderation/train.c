/* SPDX-License-Identifier: MIT */
/* Learns the five models and averages them: adaptive gradient descent with early stopping, a
   feature moving the more easily the more unevenly the labels share it. */
#include "moderation/train.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "moderation/train_inner.h"

enum { ROUNDS_MOST = 16, PATIENCE = 2, WEIGHT_MOST = 32000 };

static const float RATE = 0.1F, MEASURE_RATE = 0.2F;
static const float KEPT = 0.999F; /* of each weight, after a round: L2 */
static const float SLOPE_FIRST = 1e-4F;

struct learner {
    const struct corpus *corpus;
    float *weights, *slopes; /* 2^TRAIN_BITS; slopes: sums of squared gradients */
    float *best;
    float measures[FEATURE_MEASURES], measure_slopes[FEATURE_MEASURES];
    float best_measures[FEATURE_MEASURES];
    float *priors; /* how far a weight may go */
    uint32_t *order;
    size_t order_count;
    uint64_t random;
};

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static uint32_t random_next(uint64_t *state) {
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)(z >> 32);
}

static double margin_of(const float *weights, const float *measures,
                        const struct corpus *c, size_t i) {
    const uint32_t *f = c->features + c->starts[i];
    size_t n = c->starts[i + 1] - c->starts[i];
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += (double)weights[f[k]];
    }
    sum = n ? sum / sqrt((double)n) : 0;
    for (size_t k = 0; k < FEATURE_MEASURES; k++) {
        sum += (double)measures[k] * (double)c->measures[i][k];
    }
    return sum;
}

static void measures_learn(struct learner *l, const float *measured, float g) {
    for (size_t k = 0; k < FEATURE_MEASURES; k++) {
        float step = g * measured[k];
        l->measure_slopes[k] += step * step;
        l->measures[k] -= MEASURE_RATE * step / sqrtf(l->measure_slopes[k] + 1);
    }
}

static void sample_learn(struct learner *l, size_t i) {
    const struct corpus *c = l->corpus;
    const uint32_t *f = c->features + c->starts[i];
    size_t n = c->starts[i + 1] - c->starts[i];
    double is = c->samples[i].abusive ? 1 : 0;
    float g = (float)(sigmoid(margin_of(l->weights, l->measures, c, i)) - is);
    float share = n ? g / sqrtf((float)n) : 0;
    for (size_t k = 0; k < n; k++) {
        float step = share * l->priors[f[k]];
        l->slopes[f[k]] += step * step;
        l->weights[f[k]] -=
            RATE * step * l->priors[f[k]] / sqrtf(l->slopes[f[k]] + SLOPE_FIRST);
    }
    measures_learn(l, c->measures[i], g);
}

static void order_shuffle(struct learner *l) {
    for (size_t i = l->order_count; i > 1; i--) {
        size_t j = random_next(&l->random) % i;
        uint32_t other = l->order[i - 1];
        l->order[i - 1] = l->order[j];
        l->order[j] = other;
    }
}

static double loss_of(const struct learner *l, unsigned fold) {
    const struct corpus *c = l->corpus;
    double loss = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->folds[i] == fold) {
            double m = margin_of(l->weights, l->measures, c, i);
            loss += log1p(exp(c->samples[i].abusive ? -m : m));
        }
    }
    return loss;
}

static void weights_decay(struct learner *l) {
    for (size_t i = 0; i < (size_t)1 << TRAIN_BITS; i++) {
        l->weights[i] *= KEPT;
    }
}

static void best_keep(struct learner *l) {
    memcpy(l->best, l->weights, sizeof *l->weights << TRAIN_BITS);
    memcpy(l->best_measures, l->measures, sizeof l->measures);
}

/* How often each feature is in texts of a label, in slopes and weights for now. */
static void features_count(struct learner *l, double total[2]) {
    const struct corpus *c = l->corpus;
    total[0] = total[1] = (double)((size_t)1 << TRAIN_BITS);
    for (size_t o = 0; o < l->order_count; o++) {
        size_t i = l->order[o];
        bool abusive = c->samples[i].abusive;
        float *counts = abusive ? l->weights : l->slopes;
        for (size_t k = c->starts[i]; k < c->starts[i + 1]; k++) {
            counts[c->features[k]]++;
        }
        total[abusive] += (double)(c->starts[i + 1] - c->starts[i]);
    }
}

/* Of naive Bayes: how much more often one label has it. weights and slopes are 0. */
static void priors_set(struct learner *l) {
    double total[2];
    features_count(l, total);
    for (size_t i = 0; i < (size_t)1 << TRAIN_BITS; i++) {
        double ratio = log(((double)l->weights[i] + 1) / total[1]) -
                       log(((double)l->slopes[i] + 1) / total[0]);
        l->priors[i] = (float)fabs(ratio);
        l->weights[i] = l->slopes[i] = 0;
    }
}

static void fold_begin(struct learner *l, unsigned fold) {
    memset(l->weights, 0, sizeof *l->weights << TRAIN_BITS);
    memset(l->slopes, 0, sizeof *l->slopes << TRAIN_BITS);
    memset(l->measures, 0, sizeof l->measures);
    memset(l->measure_slopes, 0, sizeof l->measure_slopes);
    l->random = fold + 1;
    l->order_count = 0;
    for (size_t i = 0; i < l->corpus->count; i++) {
        if (l->corpus->folds[i] != fold) {
            l->order[l->order_count++] = (uint32_t)i;
        }
    }
    priors_set(l);
    best_keep(l);
}

static void fold_learn(struct learner *l, unsigned fold, const struct train_plan *plan) {
    double best = loss_of(l, fold);
    unsigned since = 0;
    for (unsigned round = 0; round < ROUNDS_MOST && since < PATIENCE; round++) {
        order_shuffle(l);
        for (size_t i = 0; i < l->order_count; i++) {
            sample_learn(l, l->order[i]);
        }
        weights_decay(l);
        double loss = loss_of(l, fold);
        since = loss < best ? 0 : since + 1;
        if (loss < best) {
            best = loss;
            best_keep(l);
        }
        if (plan->progress) {
            plan->progress(plan->self, fold * ROUNDS_MOST + round + 1,
                           TRAIN_FOLDS * ROUNDS_MOST);
        }
    }
}

/* The mean of the five so far goes to sums; the samples of the fold are judged. */
static void fold_end(struct learner *l, unsigned fold, float *sums, float *measures) {
    for (size_t i = 0; i < (size_t)1 << TRAIN_BITS; i++) {
        sums[i] += l->best[i] / TRAIN_FOLDS;
    }
    for (size_t i = 0; i < FEATURE_MEASURES; i++) {
        measures[i] += l->best_measures[i] / TRAIN_FOLDS;
    }
    for (size_t i = 0; i < l->corpus->count; i++) {
        if (l->corpus->folds[i] == fold) {
            l->corpus->samples[i].probability =
                margin_of(l->best, l->best_measures, l->corpus, i);
        }
    }
}

static void model_round(const float *sums, struct model *m) {
    float most = 0;
    for (size_t i = 0; i < (size_t)1 << TRAIN_BITS; i++) {
        most = fmaxf(most, fabsf(sums[i]));
    }
    m->scale = most > 0 ? most / WEIGHT_MOST : 1;
    for (size_t i = 0; i < (size_t)1 << TRAIN_BITS; i++) {
        m->weights[i] = (int16_t)lrintf(sums[i] / m->scale);
    }
}

static int learn_all(const struct train_plan *plan, struct corpus *corpus,
                     struct model *m) {
    struct learner l = {.corpus = corpus};
    float *sums = memory_zero((size_t)1 << TRAIN_BITS, sizeof *sums);
    l.weights = memory_get(sizeof *l.weights << TRAIN_BITS);
    l.slopes = memory_get(sizeof *l.slopes << TRAIN_BITS);
    l.best = memory_get(sizeof *l.best << TRAIN_BITS);
    l.order = memory_get(corpus->count * sizeof *l.order);
    l.priors = memory_get(sizeof *l.priors << TRAIN_BITS);
    bool room = sums && l.weights && l.slopes && l.best && l.priors && l.order;
    int code = room ? 0 : ERROR_FAILED;
    for (unsigned fold = 0; fold < TRAIN_FOLDS && !code; fold++) {
        fold_begin(&l, fold);
        fold_learn(&l, fold, plan);
        fold_end(&l, fold, sums, m->measures);
    }
    if (!code) {
        model_round(sums, m);
        code = train_calibrate(corpus, m);
    }
    memory_free(sums);
    memory_free(l.weights);
    memory_free(l.slopes);
    memory_free(l.best);
    memory_free(l.priors);
    memory_free(l.order);
    return code;
}

int train_model(const struct train_plan *plan, struct sample *samples, size_t count,
                struct model **out, struct error *error) {
    struct corpus corpus = {.samples = samples, .count = count};
    *out = NULL;
    struct model *m = model_new(plan->locale, TRAIN_BITS);
    int code = m ? corpus_read(plan, &corpus, error)
                 : error_set(error, ERROR_INVALID, "", "the locale is no language");
    if (!code) {
        code = learn_all(plan, &corpus, m);
    }
    corpus_free(&corpus);
    if (code) {
        model_free(m);
        return error_set(error, code, "", "no memory to learn in");
    }
    *out = m;
    return ERROR_NONE;
}
