/* SPDX-License-Identifier: MIT */
/* Who is judged by whom: a text and its near copies (a repost, the same sentence with one word
   disguised) are never on both sides. */
#include "moderation/train_inner.h"

#include "base/memory.h"

enum { WORDS_MOST = 512, WORDS_LEAST = 4 };

struct slot {
    uint64_t sum;
    uint32_t sample; /* one more than its number; 0: free */
};

struct folding {
    uint32_t *parents;
    struct slot *slots;
    size_t mask;
};

static uint32_t group_of(struct folding *f, uint32_t i) {
    while (f->parents[i] != i) {
        f->parents[i] = f->parents[f->parents[i]];
        i = f->parents[i];
    }
    return i;
}

static uint64_t hash_more(uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * UINT64_C(0x100000001B3);
}

static uint64_t hash_end(uint64_t hash) {
    hash = (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* The words between spaces, as written. */
static size_t words_hash(const struct sample *s, uint64_t out[WORDS_MOST]) {
    size_t n = 0;
    uint64_t hash = 0;
    for (size_t i = 0; i <= s->length && n < WORDS_MOST; i++) {
        unsigned char c = i < s->length ? (unsigned char)s->text[i] : ' ';
        if (c > ' ') {
            hash = hash_more(hash ? hash : UINT64_C(0xCBF29CE484222325), c);
        } else if (hash) {
            out[n++] = hash_end(hash);
            hash = 0;
        }
    }
    return n;
}

static void sum_join(struct folding *f, uint64_t sum, uint32_t sample) {
    size_t at = hash_end(sum) & f->mask;
    while (f->slots[at].sample && f->slots[at].sum != sum) {
        at = (at + 1) & f->mask;
    }
    if (f->slots[at].sample) {
        f->parents[group_of(f, sample)] = group_of(f, f->slots[at].sample - 1);
    } else {
        f->slots[at] = (struct slot){sum, sample + 1};
    }
}

/* Texts with all words but one in common share one of these sums. */
static void sample_join(struct folding *f, const struct sample *s, uint32_t i,
                        uint64_t words[WORDS_MOST]) {
    size_t n = words_hash(s, words);
    uint64_t all = 0;
    for (size_t k = 0; k < n; k++) {
        all += words[k];
    }
    for (size_t k = 0; k < n && n >= WORDS_LEAST; k++) {
        sum_join(f, all - words[k], i);
    }
    sum_join(f, all, i);
}

static size_t sums_count(const struct corpus *c) {
    size_t sums = 0;
    for (size_t i = 0; i < c->count; i++) {
        size_t words = c->samples[i].length / 2 + 1;
        sums += 1 + (words < WORDS_MOST ? words : WORDS_MOST);
    }
    return sums;
}

/* The fold that has fewest of the label so far. */
static uint8_t fold_least(const size_t filled[TRAIN_FOLDS]) {
    uint8_t least = 0;
    for (uint8_t i = 1; i < TRAIN_FOLDS; i++) {
        least = filled[i] < filled[least] ? i : least;
    }
    return least;
}

static void groups_spread(struct folding *f, struct corpus *c) {
    size_t filled[2][TRAIN_FOLDS] = {{0}};
    for (uint32_t i = 0; i < c->count; i++) {
        c->folds[i] = TRAIN_FOLDS;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t group = group_of(f, i);
        if (c->folds[group] == TRAIN_FOLDS) {
            c->folds[group] = fold_least(filled[c->samples[i].abusive]);
        }
        c->folds[i] = c->folds[group];
        filled[c->samples[i].abusive][c->folds[i]]++;
    }
}

int corpus_fold(struct corpus *c) {
    struct folding f = {.mask = 1};
    size_t most = 2 * sums_count(c);
    while (f.mask < most) {
        f.mask = 2 * f.mask + 1;
    }
    uint64_t *words = memory_get(WORDS_MOST * sizeof *words);
    f.parents = memory_get(c->count * sizeof *f.parents);
    f.slots = memory_zero(f.mask + 1, sizeof *f.slots);
    int code = words && f.parents && f.slots ? 0 : ERROR_FAILED;
    for (uint32_t i = 0; i < c->count && !code; i++) {
        f.parents[i] = i;
        sample_join(&f, &c->samples[i], i, words);
    }
    if (!code) {
        groups_spread(&f, c);
    }
    memory_free(words);
    memory_free(f.parents);
    memory_free(f.slots);
    return code;
}
