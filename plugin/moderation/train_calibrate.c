/* SPDX-License-Identifier: MIT */
/* From margins to probabilities (Platt), and the probability from which on a text is held: about
   the best F1 at which hardly any ordinary review is. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "moderation/train_inner.h"

enum { STEPS_MOST = 100, TOLD_LEAST = 200 };

static const double REVIEWS_MOST = 0.007; /* of the reviews among the samples */

static const double F1_SPARED = 0.002; /* for a higher threshold: fewer false alarms */

struct slope {
    double g[2], h[3]; /* gradient; Hessian aa, ab, bb */
};

static struct slope slope_at(const struct corpus *c, const double ab[2],
                             const double target[2]) {
    struct slope s = {{0, 0}, {1e-6, 0, 1e-6}};
    for (size_t i = 0; i < c->count; i++) {
        double x = c->samples[i].probability;
        double p = 1 / (1 + exp(-(ab[0] * x + ab[1])));
        double d = p - target[c->samples[i].abusive], v = p * (1 - p);
        s.g[0] += d * x;
        s.g[1] += d;
        s.h[0] += v * x * x;
        s.h[1] += v * x;
        s.h[2] += v;
    }
    return s;
}

static void calibrate(const struct corpus *c, double ab[2]) {
    double abusive = 0;
    for (size_t i = 0; i < c->count; i++) {
        abusive += c->samples[i].abusive;
    }
    double other = (double)c->count - abusive;
    const double target[2] = {1 / (other + 2), (abusive + 1) / (abusive + 2)};
    ab[0] = 1;
    ab[1] = 0;
    for (int step = 0; step < STEPS_MOST; step++) {
        struct slope s = slope_at(c, ab, target);
        double det = s.h[0] * s.h[2] - s.h[1] * s.h[1];
        double da = (s.h[2] * s.g[0] - s.h[1] * s.g[1]) / det;
        double db = (s.h[0] * s.g[1] - s.h[1] * s.g[0]) / det;
        double most = fmax(fabs(da), fabs(db)), damp = most > 1 ? 1 / most : 1;
        if (!isfinite(most) || most < 1e-9) {
            break;
        }
        ab[0] -= damp * da;
        ab[1] -= damp * db;
    }
}

static int sample_order(const void *left, const void *right) {
    const struct sample *const *a = left, *const *b = right;
    if ((*a)->probability != (*b)->probability) {
        return (*a)->probability > (*b)->probability ? -1 : 1;
    }
    return *a < *b ? -1 : *a > *b;
}

struct cut {
    double f1, at;
};

/* The texts of the highest probabilities that may be flagged without flagging reviews. */
static size_t cut_most(const struct sample *const *sorted, size_t count) {
    double reviews = 0, flagged = 0;
    for (size_t i = 0; i < count; i++) {
        reviews += sorted[i]->review;
    }
    double most = fmax(REVIEWS_MOST * reviews, 1);
    for (size_t i = 0; i < count; i++) {
        flagged += sorted[i]->review;
        if (flagged > most) {
            return i;
        }
    }
    return count;
}

/* The first cut that is at least as good as `enough`, else the best. */
static struct cut cut_find(const struct sample *const *sorted, size_t count,
                           double enough) {
    struct cut best = {-1, 1};
    double abusive = 0, tp = 0, fp = 0;
    size_t most = cut_most(sorted, count);
    for (size_t i = 0; i < count; i++) {
        abusive += sorted[i]->abusive;
    }
    for (size_t i = 0; i < most && best.f1 < enough; i++) {
        tp += sorted[i]->abusive;
        fp += !sorted[i]->abusive && !sorted[i]->review;
        double f1 = 2 * tp / (tp + fp + abusive), p = sorted[i]->probability;
        double next = i + 1 < count ? sorted[i + 1]->probability : 0;
        if (f1 > best.f1 && next < p) {
            best = (struct cut){f1, (p + next) / 2};
        }
    }
    return best;
}

static void samples_flag(struct corpus *c, struct model *m) {
    size_t told = 0;
    for (size_t i = 0; i < c->count; i++) {
        told += c->samples[i].told;
    }
    m->overrules = told >= TOLD_LEAST;
    for (size_t i = 0; i < c->count; i++) {
        struct sample *s = &c->samples[i];
        s->flagged |= s->probability >= m->threshold || (s->told && !m->overrules);
    }
}

int train_calibrate(struct corpus *c, struct model *m) {
    double ab[2];
    const struct sample **sorted = memory_get(c->count * sizeof *sorted);
    if (!sorted) {
        return ERROR_FAILED;
    }
    calibrate(c, ab);
    m->slope = ab[0];
    m->offset = ab[1];
    for (size_t i = 0; i < c->count; i++) {
        c->samples[i].probability =
            1 / (1 + exp(-(ab[0] * c->samples[i].probability + ab[1])));
        sorted[i] = &c->samples[i];
    }
    qsort(sorted, c->count, sizeof *sorted, sample_order);
    double best = cut_find(sorted, c->count, 2).f1;
    m->threshold = cut_find(sorted, c->count, best - F1_SPARED).at;
    samples_flag(c, m);
    memory_free(sorted);
    return 0;
}
