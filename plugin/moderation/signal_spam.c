/* SPDX-License-Identifier: MIT */
/* Advertising: words that sell, the more the fewer others there are, money, shouting, and a place to
   turn to. Blobs nobody can read count as such. */
#include <string.h>

#include "moderation/signal_inner.h"

enum { BLOB_LEAST = 48, WORDS_FEW = 8 };

static const double SPAM_FROM = 0.75;

struct looks {
    size_t capitals, smalls, money, exclaims,
        rows; /* rows: numbers of four digits and more */
};

static struct looks looks_of(const struct sought *t) {
    struct looks l = {0};
    size_t digits = 0;

    for (size_t i = 0; i < t->n; i++) {
        unsigned char c = t->s[i];
        l.capitals += c >= 'A' && c <= 'Z';
        l.smalls += c >= 'a' && c <= 'z';
        l.exclaims += c == '!';
        l.money +=
            c == '$' || (c == 0xC2 && i + 1 < t->n && t->s[i + 1] == 0xA3) ||
            (c == 0xE2 && i + 2 < t->n && t->s[i + 1] == 0x82 && t->s[i + 2] == 0xAC);
        digits = signal_is_digit(c) ? digits + 1 : 0;
        l.rows += digits == 5;
    }
    return l;
}

/* A row of letters of both cases and digits without a gap: encoded, not written. */
static bool blob_find(struct sought *t) {
    size_t start = 0;
    unsigned kinds = 0;

    for (size_t i = 0; i <= t->n; i++) {
        unsigned char c = i < t->n ? t->s[i] : ' ';
        if (signal_is_digit(c) || signal_is_letter(c) || c == '+' || c == '/' ||
            c == '=' || c == '-' || c == '_') {
            kinds |= signal_is_digit(c)     ? 1U
                     : c >= 'A' && c <= 'Z' ? 2U
                     : c >= 'a'             ? 4U
                                            : 0;
            continue;
        }
        if (i - start >= BLOB_LEAST && kinds == 7) {
            signal_add(t, SIGNAL_SPAM, start, i);
            return true;
        }
        start = i + 1;
        kinds = 0;
    }
    return false;
}

void signal_spam(struct sought *t, const struct signal_words *words, bool channel) {
    struct looks l;
    double few = words->words < WORDS_FEW ? WORDS_FEW : words->words;

    if (t->n >= BLOB_LEAST && blob_find(t)) {
        return;
    }
    if (words->sells < 6) {
        return;
    }
    l = looks_of(t);
    double dense = (double)words->sells / (few + 12);
    double score = 0.85 * dense + 0.16 * words->strong + 0.22 * channel +
                   0.12 * (l.money > 0) + 0.22 * (l.rows > 0) + 0.08 * (l.exclaims > 1) +
                   0.12 * (l.capitals * 3 > l.smalls && l.capitals > 10);
    if (score >= SPAM_FROM && words->end > words->at) {
        signal_add(t, SIGNAL_SPAM, words->at, words->end);
    }
}
