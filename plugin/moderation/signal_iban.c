/* SPDX-License-Identifier: MIT */
/* Bank accounts: ISO 13616 lengths by country, and ISO 7064 mod 97. */
#include <string.h>

#include "moderation/signal_inner.h"

enum { IBAN_LEAST = 15, IBAN_MOST = 34 };

static const struct {
    char country[3];
    uint8_t length;
} lengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16},
    {"BG", 22}, {"BH", 22}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28},
    {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24},
    {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18},
    {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23},
    {"IR", 26}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28},
    {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27},
    {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18},
    {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24},
    {"RS", 22}, {"SA", 24}, {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24},
    {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29},
    {"VA", 22}, {"VG", 24}, {"XK", 20}};

static size_t length_of(const unsigned char country[2]) {
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        if (country[0] == (unsigned char)lengths[i].country[0] &&
            country[1] == (unsigned char)lengths[i].country[1]) {
            return lengths[i].length;
        }
    }
    return 0;
}

static bool checks(const unsigned char *iban, size_t n) {
    unsigned rest = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = iban[(i + 4) % n];
        rest = signal_is_digit(c) ? (rest * 10 + (unsigned)(c - '0')) % 97
                                  : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

static unsigned char upper(unsigned char c) {
    return c >= 'a' && c <= 'z' ? (unsigned char)(c - 0x20) : c;
}

/* The end of an IBAN that begins at `at`, 0 when none does. */
static size_t iban_end(const struct sought *t, size_t at) {
    unsigned char iban[IBAN_MOST] = {upper(t->s[at]), upper(t->s[at + 1])};
    size_t n = 0, wanted = length_of(iban);

    for (; wanted && at < t->n && n < wanted; at++) {
        unsigned char c = upper(t->s[at]);
        if (c == ' ' || c == '-') {
            continue;
        }
        if (!signal_is_letter(c) && !signal_is_digit(c)) {
            return 0;
        }
        iban[n++] = c;
    }
    bool ends = at >= t->n || !(signal_is_letter(t->s[at]) || signal_is_digit(t->s[at]));
    return wanted && n == wanted && ends && checks(iban, n) ? at : 0;
}

void signal_ibans(struct sought *t) {
    for (size_t i = 0; i + IBAN_LEAST <= t->n; i++) {
        bool begins =
            i == 0 || !(signal_is_letter(t->s[i - 1]) || signal_is_digit(t->s[i - 1]));
        size_t digits = i + 2 + (t->s[i + 2] == ' ');
        if (!begins || !signal_is_letter(t->s[i]) || !signal_is_letter(t->s[i + 1]) ||
            !signal_is_digit(t->s[digits]) || !signal_is_digit(t->s[digits + 1])) {
            continue;
        }
        size_t end = iban_end(t, i);
        if (end) {
            signal_add(t, SIGNAL_IBAN, i, end);
            i = end - 1;
        }
    }
}
