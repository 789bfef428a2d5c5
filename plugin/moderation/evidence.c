/* SPDX-License-Identifier: MIT */
/* Weighs what a lexicon found in one text. */
#include "moderation/evidence.h"

#include <stdlib.h>

/* How far one word of a severity makes a text abusive: a mild one alone never does. */
static const double weights[] = {
    [0] = 0, [LEXICON_MILD] = 0.12, [LEXICON_STRONG] = 0.8, [LEXICON_SEVERE] = 0.97};

static const double WEIGHT_MILD_INSULT = 0.25; /* three different ones are enough */

enum { WORDS_SHORT = 60 };

static int hit_order(const void *left, const void *right) {
    const struct lexicon_hit *a = left, *b = right;
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    return a->end != b->end ? (a->end > b->end ? -1 : 1)
                            : (int)b->severity - (int)a->severity;
}

/* Joins overlapping hits into the most severe; how many are left. hits sorted. */
static size_t hits_merge(struct lexicon_hit *hits, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct lexicon_hit *last = kept ? &hits[kept - 1] : NULL;
        if (!last || hits[i].start >= last->end) {
            hits[kept++] = hits[i];
            continue;
        }
        uint32_t start = last->start;
        uint32_t end = last->end > hits[i].end ? last->end : hits[i].end;
        if (hits[i].severity > last->severity) {
            *last = hits[i];
        }
        last->start = start;
        last->end = end;
    }
    return kept;
}

static bool seen_before(const struct lexicon_hit *hits, size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (hits[j].term == hits[i].term) {
            return true;
        }
    }
    return false;
}

/* A mild insult aimed at a person weighs as a strong one, and so does a mild word that is
   disguised: whoever hides a word knows what it is. Arabic's mild words are everyday ones, and
   its letters are stretched and spread for looks. What is not severe weighs less the longer the
   text around it is: one oath in a page on a film is no abuse. */
static double hit_weight(const struct lexicon_hit *hit, size_t words) {
    bool mild = hit->severity == LEXICON_MILD, insult = hit->category == LEXICON_INSULT;
    double weight = mild && insult ? WEIGHT_MILD_INSULT : weights[hit->severity];
    if (mild && (hit->meant || (insult && hit->aimed))) {
        weight = weights[LEXICON_STRONG];
    }
    bool fades = words > WORDS_SHORT && hit->severity < LEXICON_SEVERE;
    return fades ? weight * (double)WORDS_SHORT / (double)words : weight;
}

static size_t words_in(const struct reading *reading) {
    size_t gaps = 0;
    for (size_t i = 0; i < reading->length; i++) {
        gaps += reading->text[i] == ' ';
    }
    return gaps;
}

void evidence_read(const struct lexicon *lexicon, uint64_t locales, const char *s,
                   const struct reading *reading, struct lexicon_hits *hits,
                   struct evidence *out) {
    hits->count = 0;
    *out = (struct evidence){lexicon, hits, 1, false};
    lexicon_scan(lexicon, locales, s, reading, hits);
    if (hits->count == 0) {
        return;
    }
    qsort(hits->items, hits->count, sizeof *hits->items, hit_order);
    hits->count = hits_merge(hits->items, hits->count);
    size_t words = words_in(reading);
    for (size_t i = 0; i < hits->count; i++) {
        const struct lexicon_hit *hit = &hits->items[i];
        if (!seen_before(hits->items, i)) {
            out->harmless *= 1 - hit_weight(hit, words);
        }
        out->certain |= hit->severity == LEXICON_SEVERE && !hit->disguised;
    }
}
