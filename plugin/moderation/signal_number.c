/* SPDX-License-Identifier: MIT */
/* Numbers as people write them: digits of three scripts, in groups. */
#include <string.h>

#include "moderation/signal_inner.h"
#include "moderation/utf8.h"

enum { GAP_MOST = 3 };

/* The digit at s[at], its bytes; -1 when it is none. */
static int digit_at(const struct sought *t, size_t at, size_t *size) {
    uint32_t cp = 0;

    *size = 1;
    if (at >= t->n) {
        return -1;
    }
    if (t->s[at] < 0x80) {
        return signal_is_digit(t->s[at]) ? t->s[at] - '0' : -1;
    }
    *size = utf8_read(t->s + at, t->n - at, &cp);
    if (*size == 0) {
        *size = 1;
        return -1;
    }
    return cp >= 0x660 && cp <= 0x669     ? (int)(cp - 0x660)
           : cp >= 0x6F0 && cp <= 0x6F9   ? (int)(cp - 0x6F0)
           : cp >= 0xFF10 && cp <= 0xFF19 ? (int)(cp - 0xFF10)
                                          : -1;
}

/* Bytes of what may stand between two groups; 0: nothing that may. */
static size_t gap_at(const struct sought *t, size_t at, struct number *number) {
    static const char *const wide[] = {"\xC2\xA0",     "\xE2\x80\x8B", "\xE2\x80\x8C",
                                       "\xE2\x80\x8D", "\xE2\x80\x91", "\xE2\x80\x93"};
    unsigned char c = at < t->n ? t->s[at] : 0;

    number->dashes |= c == '-';
    number->dots |= c == '.';
    number->slashes |= c == '/';
    if (c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')') {
        return 1;
    }
    for (size_t i = 0; c >= 0x80 && i < sizeof wide / sizeof *wide; i++) {
        size_t length = strlen(wide[i]);
        if (t->n - at >= length && memcmp(t->s + at, wide[i], length) == 0) {
            return length;
        }
    }
    return 0;
}

/* Where the next group begins, or 0. */
static size_t group_next(const struct sought *t, size_t at, struct number *number) {
    struct number seen = *number;
    size_t size;

    for (int i = 0; i < GAP_MOST; i++) {
        size_t gap = gap_at(t, at, &seen);
        if (gap == 0) {
            return 0;
        }
        at += gap;
        if (digit_at(t, at, &size) >= 0) {
            *number = seen;
            return at;
        }
    }
    return 0;
}

static bool plus_before(const struct sought *t, size_t at) {
    while (at > 0 && (t->s[at - 1] == '(' || t->s[at - 1] == ' ')) {
        at--;
    }
    return at > 0 && t->s[at - 1] == '+';
}

void number_read(const struct sought *t, size_t *at, struct number *out) {
    size_t i = *at, size, next;
    int digit;

    memset(out, 0, sizeof *out);
    out->start = i;
    out->plus = plus_before(t, i);
    out->comma = i > 0 && t->s[i - 1] == ',';
    for (;;) {
        uint8_t group = 0;
        while ((digit = digit_at(t, i, &size)) >= 0) {
            if (out->count < NUMBER_DIGITS_MAX) {
                out->digits[out->count] = (char)('0' + digit);
            }
            out->count++;
            group = (uint8_t)(group < 255 ? group + 1 : group);
            i += size;
        }
        if (out->groups < NUMBER_GROUPS_MAX) {
            out->sizes[out->groups] = group;
        }
        out->groups++;
        out->end = i;
        next = group_next(t, i, out);
        if (next == 0) {
            break;
        }
        i = next;
    }
    out->comma |= out->end + 1 < t->n && t->s[out->end] == ',' &&
                  signal_is_digit(t->s[out->end + 1]);
    *at = out->end;
}

/* Part of a word, a code or a price. */
static bool is_attached(const struct sought *t, const struct number *number) {
    unsigned char before = number->start ? t->s[number->start - 1] : ' ';
    unsigned char after = number->end < t->n ? t->s[number->end] : ' ';

    return signal_is_letter(before) || signal_is_letter(after) || before == '_' ||
           before == '$' || after == '%' || before == '#' || before == '=';
}

void signal_numbers(struct sought *t) {
    struct number number;
    size_t size;

    for (size_t i = 0; i < t->n;) {
        if (digit_at(t, i, &size) < 0) {
            i += size;
            continue;
        }
        number_read(t, &i, &number);
        if (number.count < 7 || number.count >= NUMBER_DIGITS_MAX ||
            number.groups > NUMBER_GROUPS_MAX || is_attached(t, &number)) {
            continue;
        }
        if (signal_is_card(&number)) {
            signal_add(t, SIGNAL_CARD, number.start, number.end);
        } else if (signal_is_phone(t, &number)) {
            size_t start = number.start;
            while (start > 0 && (t->s[start - 1] == '(' || t->s[start - 1] == '+')) {
                start--;
            }
            signal_add(t, SIGNAL_PHONE, start, number.end);
        }
    }
}
