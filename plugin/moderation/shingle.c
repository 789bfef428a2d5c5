/* SPDX-License-Identifier: MIT */
/* One permutation, its range cut into bins, the least hash of each kept; an empty bin borrows from
   the next one that is not. */
#include "moderation/shingle.h"

#include "base/error.h"
#include "moderation/normalise.h"

enum { WINDOW = 8, ROWS = 4, BINS = SHINGLE_BANDS * ROWS };

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static void bins_fill(const struct reading *r, uint64_t seed, uint64_t bins[BINS]) {
    uint64_t window = 0;

    for (size_t i = 0; i < BINS; i++) {
        bins[i] = UINT64_MAX;
    }
    for (size_t i = 0; i < r->length; i++) {
        window = window << 8 | (unsigned char)r->text[i];
        if (i + 1 >= WINDOW) {
            uint64_t hash = mix(window ^ seed);
            uint64_t *bin = &bins[(hash >> 32) % BINS];
            *bin = hash < *bin ? hash : *bin;
        }
    }
    for (size_t i = 2 * BINS; i > 0; i--) {
        if (bins[(i - 1) % BINS] == UINT64_MAX) {
            bins[(i - 1) % BINS] = bins[i % BINS];
        }
    }
}

static bool is_own(const struct reading *r) {
    size_t gaps = 0;

    for (size_t i = 0; i < r->length; i++) {
        gaps += r->text[i] == ' ';
    }
    return gaps > SHINGLE_WORDS_LEAST && r->length >= SHINGLE_BYTES_LEAST;
}

bool shingle_print(const char *s, size_t n, uint64_t seed, int64_t bands[SHINGLE_BANDS]) {
    struct reading reading;
    uint64_t bins[BINS];
    bool own = normalise(s, n, &reading) == ERROR_NONE && is_own(&reading);

    if (own) {
        bins_fill(&reading, seed, bins);
    }
    for (size_t i = 0; own && i < SHINGLE_BANDS; i++) {
        uint64_t hash = i + 1;
        for (size_t k = 0; k < ROWS; k++) {
            hash = mix(hash ^ bins[i * ROWS + k]) + k;
        }
        bands[i] = (int64_t)(hash >> 1);
    }
    normalise_free(&reading);
    return own;
}
