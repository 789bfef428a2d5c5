/* SPDX-License-Identifier: MIT */
/* Mail addresses, with the sign or the word for it. */
#include <string.h>

#include "moderation/signal_inner.h"

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253 };

static bool is_local(unsigned char c) {
    return signal_is_letter(c) || signal_is_digit(c) || (c && strchr("._%+-", c)) ||
           c >= 0x80;
}

static bool is_label(unsigned char c) {
    return signal_is_letter(c) || signal_is_digit(c) || c == '-' || c >= 0x80;
}

/* How people write a sign so that machines do not see it: bytes at `at`, 0 when it is not there. */
static size_t spelled(const struct sought *t, size_t at, const char *const *ways) {
    for (; *ways; ways++) {
        if (signal_begins(t, at, *ways)) {
            return strlen(*ways);
        }
    }
    return 0;
}

static const char *const at_signs[] = {"@",    " @ ",        "(at)",         " (at) ",
                                       "[at]", " [at] ",     "(arroba)",     " arroba ",
                                       " at ", " (arroba) ", "\xEF\xBC\xA0", NULL};
static const char *const dots[] = {".",        " . ",     "(dot)",   " (dot) ", "[dot]",
                                   " dot ",    "(ponto)", " ponto ", "(punto)", " punto ",
                                   " punkts ", "[.]",     "(.)",     NULL};

/* The end of the domain that begins at `at`: two labels at least, the last of letters; else 0. */
static size_t domain_end(const struct sought *t, size_t at) {
    size_t end = 0, labels = 0;

    for (size_t from = at; from < t->n && from - at < DOMAIN_MAX;) {
        size_t i = from;
        bool letters = true;
        while (i < t->n && is_label(t->s[i])) {
            letters = letters && !signal_is_digit(t->s[i]);
            i++;
        }
        if (i == from) {
            break;
        }
        labels++;
        end = labels >= 2 && letters && i - from >= 2 ? i : end;
        size_t dot = spelled(t, i, dots);
        if (dot == 0) {
            break;
        }
        from = i + dot;
    }
    return end;
}

void signal_mails(struct sought *t) {
    for (size_t i = 1; i < t->n; i++) {
        size_t sign = 0, start = i;
        unsigned char c = t->s[i], next = i + 1 < t->n ? t->s[i + 1] : 0;
        bool space = c == ' ' && next && strchr("@([aA", next);
        if (space || c == '@' || c == '(' || c == '[' || c == 0xEF) {
            sign = spelled(t, i, at_signs);
        }
        if (sign == 0) {
            continue;
        }
        while (start > 0 && i - start < LOCAL_MAX && is_local(t->s[start - 1])) {
            start--;
        }
        while (start < i && (t->s[start] & 0xC0) == 0x80) {
            start++;
        }
        size_t end = start < i ? domain_end(t, i + sign) : 0;
        /* "at" is a word: only with a dot that is spelled as well. */
        bool word =
            end && signal_begins(t, i, " at ") && !memmem(t->s + i, end - i, " dot ", 5);
        if (end && !word) {
            signal_add(t, SIGNAL_MAIL, start, end);
            i = end - 1;
        }
    }
}
