/* SPDX-License-Identifier: MIT */
/* How the files signal*.c share one text; nobody else's business. */
#ifndef VOUCH_MODERATION_SIGNAL_INNER_H
#define VOUCH_MODERATION_SIGNAL_INNER_H

#include "moderation/signal.h"

struct sought {
    const unsigned char *s; /* borrowed */
    size_t n;
    const char *language; /* "" when unknown */
    struct signals *found;
};

/* Keeps the find unless it overlaps an earlier one. */
void signal_add(struct sought *t, enum signal_kind kind, size_t start, size_t end);

static inline bool signal_is_letter(unsigned char c) {
    unsigned char low = c | 0x20;
    return low >= 'a' && low <= 'z';
}
static inline bool signal_is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}
static inline unsigned char signal_lower(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}
/* Whether the text at `at` begins with word, letters of ASCII in either case. */
bool signal_begins(const struct sought *t, size_t at, const char *word);
/* Whether one of words (NULL at the end) begins a word within the `back` bytes before `at`. */
bool signal_cued(const struct sought *t, size_t at, size_t back,
                 const char *const *words);

/* signal_number.c: a row of digits with what people put between them. */
enum { NUMBER_DIGITS_MAX = 40, NUMBER_GROUPS_MAX = 16 };
struct number {
    size_t start, end; /* bytes */
    size_t count;      /* digits */
    size_t groups;
    char digits[NUMBER_DIGITS_MAX + 1];
    uint8_t sizes[NUMBER_GROUPS_MAX]; /* of groups */
    bool plus;                        /* a + before it */
    bool comma;                       /* a price or a list */
    bool dashes, dots, slashes;       /* between the groups */
};
/* Reads the number that begins at *at, a digit, and moves *at behind it. */
void number_read(const struct sought *t, size_t *at, struct number *out);

void signal_numbers(struct sought *t);            /* signal_number.c */
bool signal_is_card(const struct number *number); /* signal_card.c */
bool signal_is_phone(const struct sought *t,
                     const struct number *number);  /* signal_phone.c */
void signal_ibans(struct sought *t);                /* signal_iban.c */
void signal_mails(struct sought *t);                /* signal_mail.c */
void signal_links(struct sought *t, bool *channel); /* signal_link.c */
void signal_postals(struct sought *t);              /* signal_postal.c */
/* signal_spam.c: channel: the text says where to turn to. */
void signal_spam(struct sought *t, const struct signal_words *words, bool channel);

#endif
