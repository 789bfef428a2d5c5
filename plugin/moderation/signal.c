/* SPDX-License-Identifier: MIT */
/* Looks for each kind where the bytes of a text make it possible at all. */
#include "moderation/signal.h"

#include <string.h>

#include "moderation/signal_inner.h"

enum { HAS_DIGIT = 1, HAS_AT = 2, HAS_DOT = 4, HAS_SLASH = 8, HAS_FOREIGN = 16 };

static const char *const names[SIGNAL_KINDS] = {[SIGNAL_MAIL] = "mail_address",
                                                [SIGNAL_PHONE] = "phone",
                                                [SIGNAL_CARD] = "payment_card",
                                                [SIGNAL_IBAN] = "bank_account",
                                                [SIGNAL_POSTAL] = "postal_address",
                                                [SIGNAL_LINK] = "link",
                                                [SIGNAL_SPAM] = "spam"};

bool signal_is_personal(enum signal_kind kind) {
    return kind <= SIGNAL_POSTAL;
}

const char *signal_name(enum signal_kind kind) {
    return names[kind];
}

void signal_add(struct sought *t, enum signal_kind kind, size_t start, size_t end) {
    struct signals *found = t->found;
    size_t at = found->count;

    for (size_t i = 0; i < found->count; i++) {
        if (start < found->items[i].end && end > found->items[i].start) {
            return;
        }
    }
    if (found->count == SIGNALS_MAX) {
        return;
    }
    for (; at > 0 && found->items[at - 1].start > start; at--) {
        found->items[at] = found->items[at - 1];
    }
    found->items[at] = (struct signal_hit){(uint32_t)start, (uint32_t)end, (uint8_t)kind};
    found->count++;
}

bool signal_begins(const struct sought *t, size_t at, const char *word) {
    for (; *word; word++, at++) {
        if (at >= t->n || signal_lower(t->s[at]) != (unsigned char)*word) {
            return false;
        }
    }
    return true;
}

bool signal_cued(const struct sought *t, size_t at, size_t back,
                 const char *const *words) {
    size_t from = at > back ? at - back : 0;

    for (size_t i = from; i < at; i++) {
        unsigned char before = i ? t->s[i - 1] : ' ';
        if (signal_is_letter(before) || (before >= 0x80 && t->s[i] >= 0x80)) {
            continue;
        }
        for (const char *const *word = words; *word; word++) {
            if (signal_begins(t, i, *word)) {
                return true;
            }
        }
    }
    return false;
}

static unsigned kinds_of(const unsigned char *s, size_t n) {
    static const unsigned char has[256] = {
        ['0'] = HAS_DIGIT,    ['1'] = HAS_DIGIT,    ['2'] = HAS_DIGIT,
        ['3'] = HAS_DIGIT,    ['4'] = HAS_DIGIT,    ['5'] = HAS_DIGIT,
        ['6'] = HAS_DIGIT,    ['7'] = HAS_DIGIT,    ['8'] = HAS_DIGIT,
        ['9'] = HAS_DIGIT,    ['@'] = HAS_AT,       ['.'] = HAS_DOT,
        ['/'] = HAS_SLASH,    ['('] = HAS_AT,       ['['] = HAS_AT,
        [0xD9] = HAS_FOREIGN, [0xDB] = HAS_FOREIGN, [0xEF] = HAS_FOREIGN};
    unsigned kinds = 0;

    for (size_t i = 0; i < n; i++) {
        kinds |= has[s[i]];
    }
    return kinds;
}

void signal_find(const char *s, size_t n, const char *language,
                 const struct signal_words *words, struct signals *out) {
    struct sought t = {(const unsigned char *)s, n, language ? language : "", out};
    unsigned kinds = kinds_of(t.s, n);
    bool channel = false;

    out->count = 0;
    if (kinds & HAS_DIGIT) {
        signal_ibans(&t);
    }
    if (kinds & (HAS_DIGIT | HAS_FOREIGN)) {
        signal_numbers(&t);
        signal_postals(&t);
    }
    if ((kinds & HAS_AT) || memmem(s, n, " dot ", 5) || memmem(s, n, " arroba ", 8)) {
        signal_mails(&t);
    }
    if (kinds & (HAS_DOT | HAS_SLASH | HAS_AT)) {
        signal_links(&t, &channel);
    }
    for (size_t i = 0; i < out->count && !channel; i++) {
        channel = out->items[i].kind == SIGNAL_LINK || out->items[i].kind <= SIGNAL_PHONE;
    }
    signal_spam(&t, words, channel);
}
