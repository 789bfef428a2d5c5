/* SPDX-License-Identifier: MIT */
/* What a text gives away besides its tone: personal data, links, advertising. Each find is certain
   enough to hold a review for, and its bytes are told. Pure; linear in the text. */
#ifndef VOUCH_MODERATION_SIGNAL_H
#define VOUCH_MODERATION_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/normalise.h"

enum { SIGNALS_MAX = 32 };

enum signal_kind {
    SIGNAL_MAIL = 0, /* a mail address, also as "name at shop dot com" */
    SIGNAL_PHONE =
        1, /* a telephone number of the text's countries, or an international one */
    SIGNAL_CARD = 2, /* a payment card: a network's prefix and length, and Luhn's digit */
    SIGNAL_IBAN = 3, /* ISO 13616: the country's length, and mod 97 */
    SIGNAL_POSTAL = 4, /* a street with a number beside a postcode */
    SIGNAL_LINK = 5,
    SIGNAL_SPAM = 6, /* the word that sells most */
    SIGNAL_KINDS = 7
};

struct signal_hit {
    uint32_t start, end; /* bytes of the original */
    uint8_t kind;        /* enum signal_kind */
};

/* In the order of the text, none overlap. */
struct signals {
    size_t count;
    struct signal_hit items[SIGNALS_MAX];
};

/* What the words of a text say, of one reading. */
struct signal_words {
    uint16_t words;     /* at most 65535 */
    uint16_t letters;   /* characters that are letters or digits, at most 65535 */
    uint16_t tells[18]; /* by language of word_table.h: words of it */
    uint16_t sells;     /* weights of distinct neighbours */
    uint16_t strong;    /* words that only ever sell */
    uint32_t at, end;   /* of the original: the word that sells most */
};

void signal_words_read(const struct reading *reading, struct signal_words *out);
/* Finds what s, n bytes, gives away; words may be of a larger text. language: "pt", or NULL. */
void signal_find(const char *s, size_t n, const char *language,
                 const struct signal_words *words, struct signals *out);

bool signal_is_personal(enum signal_kind kind);
const char *signal_name(enum signal_kind kind); /* static: "phone" */

#endif
