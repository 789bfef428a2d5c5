/* SPDX-License-Identifier: MIT */
/* Features: one pass over the words of a reading. */
#include "moderation/feature.h"

#include <math.h>
#include <string.h>

#include "moderation/utf8.h"

enum { GRAM_MOST = 4, WORD_MOST = 62, WORD_GRAMS = 3 + 3 * (WORD_MOST + 1) };

static const uint32_t STEP = 0x9E3779B1U;
static const uint32_t SALT_WORD = 0x51ED270BU, SALT_PAIR = 0x2545F491U,
                      SALT_TERM = 0x7F4A7C15U, SALT_GRAM = 0x3C6EF372U;

struct writer {
    struct feature_sink *sink;
    size_t written;
    size_t count;
    uint32_t before; /* the word before, 0: none */
    uint32_t block[FEATURE_BLOCK];
};

/* One character more: what is before it moves up, so that the upper bits depend on all. */
static inline uint32_t hash_step(uint32_t hash, uint32_t codepoint) {
    return (hash + codepoint) * STEP;
}

static void writer_flush(struct writer *w) {
    w->sink->take(w->sink, w->block, w->count);
    w->written += w->count;
    w->count = 0;
}

/* Room for what one word or term gives. */
static inline void writer_need(struct writer *w) {
    if (w->count + WORD_GRAMS > FEATURE_BLOCK) {
        writer_flush(w);
    }
}

/* cps: a gap, the word, a gap. */
static void word_grams(struct writer *w, const uint32_t *cps, size_t n) {
    uint32_t hashes[WORD_MOST + 2], *out = w->block + w->count;
    for (size_t i = 0; i < n; i++) {
        hashes[i] = hash_step(SALT_GRAM, cps[i]);
    }
    for (size_t k = 1; k < GRAM_MOST && k < n; k++) {
        for (size_t i = 0; i + k < n; i++) {
            hashes[i] = hash_step(hashes[i], cps[i + k]);
            out[i] = hashes[i];
        }
        out += n - k;
    }
    w->count = (size_t)(out - w->block);
}

static void word_put(struct writer *w, const uint32_t *cps, size_t n) {
    uint32_t hash = SALT_WORD;
    for (size_t i = 1; i + 1 < n; i++) {
        hash = hash_step(hash, cps[i]);
    }
    writer_need(w);
    w->block[w->count++] = hash; /* a word counts twice as much as a part of one */
    w->block[w->count++] = hash;
    if (w->before) {
        w->block[w->count++] = hash_step(w->before ^ SALT_PAIR, hash);
    }
    w->before = hash;
    word_grams(w, cps, n);
}

/* Decodes one word, or the first WORD_MOST characters of it, at text[*at]. */
static size_t word_read(const struct reading *r, size_t *at,
                        uint32_t cps[WORD_MOST + 2]) {
    size_t n = 0, i = *at;
    cps[n++] = ' ';
    while (i < r->length && r->text[i] != ' ' && n <= WORD_MOST) {
        uint32_t cp = (unsigned char)r->text[i];
        size_t size = 1;
        if (cp >= 0x80) {
            size = utf8_read((const unsigned char *)r->text + i, r->length - i, &cp);
        }
        i += size ? size : 1;
        cps[n++] = cp;
    }
    cps[n++] = ' ';
    *at = i;
    return n;
}

/* A term counts as itself wherever and however it was written, and with how it was written. */
static void terms_put(struct writer *w, const struct evidence *e) {
    for (size_t i = 0; i < e->hits->count; i++) {
        const struct lexicon_hit *hit = &e->hits->items[i];
        uint32_t hash = SALT_TERM, how = hit->disguised ? 2 : 1;
        for (const char *p = lexicon_term(e->lexicon, hit->term); *p; p++) {
            hash = hash_step(hash, (unsigned char)*p);
        }
        writer_need(w);
        w->block[w->count++] = hash_step(hash, 0);
        w->block[w->count++] = hash_step(hash, how);
    }
}

size_t feature_read(const struct reading *reading, const struct evidence *evidence,
                    struct feature_sink *sink) {
    struct writer w;
    uint32_t cps[WORD_MOST + 2];
    w.sink = sink;
    w.written = w.count = 0;
    w.before = 0;
    for (size_t i = 0; i < reading->length;) {
        if (reading->text[i] == ' ') {
            i++;
            continue;
        }
        word_put(&w, cps, word_read(reading, &i, cps));
    }
    if (evidence) {
        terms_put(&w, evidence);
    }
    writer_flush(&w);
    return w.written;
}

static void measure_hit(const struct lexicon_hit *hit, float out[FEATURE_MEASURES]) {
    bool mild = hit->severity == LEXICON_MILD;
    out[3 + hit->severity] = 1; /* 4, 5, 6 */
    if (!mild && hit->category < LEXICON_CATEGORIES) {
        out[7 + hit->category] = 1; /* 7 to 11 */
    }
    if (hit->disguised) {
        out[mild ? 12 : 13] = 1;
    }
    if (hit->aimed) {
        out[14] = 1;
    }
}

void feature_measure(const struct reading *reading, const struct evidence *evidence,
                     float out[FEATURE_MEASURES]) {
    memset(out, 0, FEATURE_MEASURES * sizeof *out);
    out[0] = 1;
    out[15] = (float)(log1p((double)reading->length) / 14);
    if (!evidence || evidence->hits->count == 0) {
        return;
    }
    double sure = -log(evidence->harmless > 1e-4 ? evidence->harmless : 1e-4) / 9.3;
    out[1] = (float)(1 - evidence->harmless);
    out[2] = (float)sure;
    out[3] = evidence->harmless <= 0.5;
    for (size_t i = 0; i < evidence->hits->count; i++) {
        measure_hit(&evidence->hits->items[i], out);
    }
}
