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

static bool is_code(unsigned char c) {
    return signal_is_digit(c) || signal_is_letter(c) || (c && strchr("+/=-_", c));
}

/* Both cases and digits: encoded, not written. */
static bool is_blob(const struct sought *t, size_t start, size_t end) {
    unsigned kinds = 0;

    for (size_t i = start; i < end; i++) {
        unsigned char c = t->s[i];
        kinds |= signal_is_digit(c)     ? 1U
                 : !signal_is_letter(c) ? 0
                 : c == signal_lower(c) ? 4U
                                        : 2U;
    }
    return kinds == 7;
}

/* A long row without a gap: looked for from its end, so that words are jumped over. */
static bool blob_find(struct sought *t) {
    for (size_t start = 0; start + BLOB_LEAST <= t->n;) {
        size_t at = start + BLOB_LEAST, end = at;
        while (at > start && is_code(t->s[at - 1])) {
            at--;
        }
        if (at > start) {
            start = at;
            continue;
        }
        while (end < t->n && is_code(t->s[end])) {
            end++;
        }
        if (is_blob(t, start, end)) {
            signal_add(t, SIGNAL_SPAM, start, end);
            return true;
        }
        start = end + 1;
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
