/* SPDX-License-Identifier: MIT */
/* Counts what small words tell; scripts that none of the lexicons reads tell by themselves. */
#include "moderation/language.h"

#include <string.h>

#include "moderation/utf8.h"
#include "moderation/word_table.h"

enum { TELLS_LEAST = 2, FOREIGN_LEAST = 6 };

/* Letters of scripts that no lexicon reads, and of those that one does. */
struct scripts {
    size_t latin, arabic, other;
};

/* A Latin letter is one byte, the others are counted by their first. */
static struct scripts scripts_of(const char *s, size_t n) {
    struct scripts found = {0};
    const unsigned char *at = (const unsigned char *)s;

    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        if (at[i] < 0x80) {
            found.latin += (at[i] | 0x20) >= 'a' && (at[i] | 0x20) <= 'z';
            i++;
            continue;
        }
        size_t size = utf8_read(at + i, n - i, &cp);
        i += size ? size : 1;
        if ((cp >= 0x600 && cp < 0x700) || (cp >= 0xFB50 && cp < 0xFF00)) {
            found.arabic++;
        } else if (cp >= 0x370 && !(cp >= 0x1D00 && cp < 0x2E80) &&
                   !(cp >= 0xFF00 && cp < 0x10000) && cp < 0x1D000) {
            found.other++;
        }
    }
    return found;
}

static int number_of(const char *declared) {
    size_t n = declared ? strcspn(declared, "-_.") : 0;

    for (int i = 0; i < WORD_LANGUAGES; i++) {
        if (strlen(word_languages[i]) == n &&
            memcmp(word_languages[i], declared, n) == 0) {
            return i;
        }
    }
    return -1;
}

static int tells_most(const struct signal_words *words) {
    int best = 0;

    for (int i = 1; i < WORD_LANGUAGES; i++) {
        best = words->tells[i] > words->tells[best] ? i : best;
    }
    return best;
}

struct language_guess language_of(const char *s, size_t n,
                                  const struct signal_words *words,
                                  const char *declared) {
    int best = tells_most(words), own = number_of(declared);
    unsigned most = words->tells[best], mine = own >= 0 ? words->tells[own] : 0;
    bool foreign = best >= WORD_LEXICONS;
    unsigned needed = foreign ? FOREIGN_LEAST : TELLS_LEAST;

    if (most >= needed && most >= mine + (own >= 0 ? 2 : 1) && most * 2 >= mine * 3) {
        unsigned second = 0;
        for (int i = 0; i < WORD_LEXICONS && foreign; i++) {
            second = words->tells[i] > second ? words->tells[i] : second;
        }
        if (!foreign || most >= 2 * second) {
            return (struct language_guess){word_languages[best], !foreign};
        }
    }
    if (most < needed) {
        struct scripts seen = scripts_of(s, n);
        if (seen.other > seen.latin + seen.arabic && seen.other >= FOREIGN_LEAST) {
            return (struct language_guess){"und", false};
        }
    }
    return (struct language_guess){own >= 0 ? word_languages[own] : NULL,
                                   own >= 0 && own < WORD_LEXICONS};
}
