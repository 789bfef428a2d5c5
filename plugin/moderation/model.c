/* SPDX-License-Identifier: MIT */
/* Scores a text, and keeps a model as bytes: a header of little-endian numbers, the weights, and
   a checksum over all of it. */
#include "moderation/model.h"

#include <math.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"

enum { MODEL_VERSION = 1, SUM_BYTES = 8 };
enum {
    HEAD_VERSION = 8, /* byte offsets, behind the name */
    HEAD_FEATURES = 9,
    HEAD_BITS = 10,
    HEAD_OVERRULES = 11,
    HEAD_LOCALE = 12,
    HEAD_SCALE = 24,
    HEAD_SLOPE = 28,
    HEAD_OFFSET = 36,
    HEAD_THRESHOLD = 44,
    HEAD_MEASURES = 52,
    HEAD_BYTES = 52 + 4 * FEATURE_MEASURES
};

static const char name[8] = {'V', 'o', 'u', 'c', 'h', 'M', 'o', 'd'};

static void number_write(unsigned char *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(value >> 8 * i);
    }
}

static uint64_t number_read(const unsigned char *in, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)in[i] << 8 * i;
    }
    return value;
}

static void float_write(unsigned char *out, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    number_write(out, bits, sizeof bits);
}

static float float_read(const unsigned char *in) {
    uint32_t bits = (uint32_t)number_read(in, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void double_write(unsigned char *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    number_write(out, bits, sizeof bits);
}

static double double_read(const unsigned char *in) {
    uint64_t bits = number_read(in, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct model *model_new(const char *locale, int bits) {
    size_t n = strcspn(locale, "-_.");
    struct model *m = NULL;
    if (n > 0 && n < MODEL_LOCALE_BYTES) {
        m = memory_zero(1, sizeof *m);
    }
    if (m) {
        memcpy(m->locale, locale, n);
        m->bits = bits;
        m->weights = memory_zero((size_t)1 << bits, sizeof *m->weights);
    }
    if (m && !m->weights) {
        model_free(m);
        m = NULL;
    }
    return m;
}

void model_free(struct model *model) {
    if (model) {
        memory_free(model->weights);
        memory_free(model);
    }
}

static void checksum(const void *bytes, size_t n, unsigned char out[SUM_BYTES]) {
    uint8_t digest[32];
    crypto_sha256(bytes, n, digest);
    memcpy(out, digest, SUM_BYTES);
}

void model_write(const struct model *model, struct buffer *out) {
    unsigned char head[HEAD_BYTES] = {0}, sum[SUM_BYTES];
    size_t from = out->length;
    memcpy(head, name, sizeof name);
    head[HEAD_VERSION] = MODEL_VERSION;
    head[HEAD_FEATURES] = FEATURE_VERSION;
    head[HEAD_BITS] = (unsigned char)model->bits;
    head[HEAD_OVERRULES] = model->overrules;
    memcpy(head + HEAD_LOCALE, model->locale, MODEL_LOCALE_BYTES);
    float_write(head + HEAD_SCALE, model->scale);
    double_write(head + HEAD_SLOPE, model->slope);
    double_write(head + HEAD_OFFSET, model->offset);
    double_write(head + HEAD_THRESHOLD, model->threshold);
    for (size_t i = 0; i < FEATURE_MEASURES; i++) {
        float_write(head + HEAD_MEASURES + 4 * i, model->measures[i]);
    }
    buffer_append(out, head, sizeof head);
    for (size_t i = 0; i < (size_t)1 << model->bits; i++) {
        unsigned char two[2];
        number_write(two, (uint16_t)model->weights[i], sizeof two);
        buffer_append(out, two, sizeof two);
    }
    if (buffer_ok(out)) {
        checksum(out->data + from, out->length - from, sum);
        buffer_append(out, sum, sizeof sum);
    }
}

/* What scoring relies on. */
static bool head_fits(const struct model *m) {
    bool fits = m->locale[0] && !m->locale[MODEL_LOCALE_BYTES - 1] &&
                isfinite(m->scale) && isfinite(m->slope) && isfinite(m->offset) &&
                m->threshold >= 0 && m->threshold <= 1;
    for (size_t i = 0; i < FEATURE_MEASURES; i++) {
        fits = fits && isfinite(m->measures[i]);
    }
    return fits;
}

static const char *bytes_fault(const unsigned char *in, size_t n) {
    unsigned char sum[SUM_BYTES];
    if (n < HEAD_BYTES + SUM_BYTES || memcmp(in, name, sizeof name) != 0) {
        return "this is no model";
    }
    if (in[HEAD_VERSION] != MODEL_VERSION || in[HEAD_FEATURES] != FEATURE_VERSION) {
        return "the model is of another version; train it again";
    }
    if (in[HEAD_BITS] < MODEL_BITS_LEAST || in[HEAD_BITS] > MODEL_BITS_MOST ||
        n != HEAD_BYTES + SUM_BYTES + ((size_t)2 << in[HEAD_BITS])) {
        return "the model is cut short";
    }
    checksum(in, n - SUM_BYTES, sum);
    return memcmp(sum, in + n - SUM_BYTES, SUM_BYTES) == 0 ? NULL
                                                           : "the model is damaged";
}

static void head_read(const unsigned char *in, struct model *m) {
    memcpy(m->locale, in + HEAD_LOCALE, MODEL_LOCALE_BYTES);
    m->overrules = in[HEAD_OVERRULES] != 0;
    m->scale = float_read(in + HEAD_SCALE);
    m->slope = double_read(in + HEAD_SLOPE);
    m->offset = double_read(in + HEAD_OFFSET);
    m->threshold = double_read(in + HEAD_THRESHOLD);
    for (size_t i = 0; i < FEATURE_MEASURES; i++) {
        m->measures[i] = float_read(in + HEAD_MEASURES + 4 * i);
    }
}

int model_read(const void *bytes, size_t n, struct model **out, struct error *error) {
    const unsigned char *in = bytes;
    const char *fault = bytes_fault(in, n);
    *out = NULL;
    if (fault) {
        return error_set(error, ERROR_INVALID, "", "%s", fault);
    }
    struct model *m = model_new("xx", in[HEAD_BITS]);
    if (!m) {
        return error_set(error, ERROR_FAILED, "", "no memory for the model");
    }
    head_read(in, m);
    for (size_t i = 0; i < (size_t)1 << m->bits; i++) {
        m->weights[i] = (int16_t)number_read(in + HEAD_BYTES + 2 * i, 2);
    }
    if (!head_fits(m)) {
        model_free(m);
        return error_set(error, ERROR_INVALID, "", "the model is damaged");
    }
    *out = m;
    return ERROR_NONE;
}

bool model_speaks(const struct model *model, const char *locale) {
    size_t n = locale ? strcspn(locale, "-_.") : 0;
    return n > 0 && strlen(model->locale) == n && memcmp(model->locale, locale, n) == 0;
}

struct summing {
    struct feature_sink sink;
    const int16_t *weights;
    int shift;
    int64_t sum;
};

static void sum_take(struct feature_sink *sink, const uint32_t *hashes, size_t count) {
    struct summing *s = (struct summing *)sink;
    const int16_t *weights = s->weights;
    int shift = s->shift, one = 0, other = 0; /* FEATURE_BLOCK of them fit */
    size_t i = 0;
    for (; i + 1 < count; i += 2) {
        one += weights[hashes[i] >> shift];
        other += weights[hashes[i + 1] >> shift];
    }
    if (i < count) {
        one += weights[hashes[i] >> shift];
    }
    s->sum += one + other;
}

double model_score(const struct model *model, const struct reading *reading,
                   const struct evidence *evidence) {
    struct summing s = {{sum_take}, model->weights, 32 - model->bits, 0};
    float measures[FEATURE_MEASURES];
    size_t n = feature_read(reading, evidence, &s.sink);
    double margin = n ? (double)s.sum * (double)model->scale / sqrt((double)n) : 0;
    feature_measure(reading, evidence, measures);
    for (size_t i = 0; i < FEATURE_MEASURES; i++) {
        margin += (double)model->measures[i] * (double)measures[i];
    }
    return 1 / (1 + exp(-(model->slope * margin + model->offset)));
}
