/* SPDX-License-Identifier: MIT */
/* Postal addresses where they are certain: a word for a street, a house number, and a postcode of
   the country close by. */
#include <string.h>

#include "moderation/signal_inner.h"

enum { NEAR = 80 };

/* In a postcode pattern # is a digit, @ a letter, ? an optional space or dash. */
static const struct {
    char language[3];
    const char *postcode;
    const char *streets[10];
} places[] = {
    {"en",
     "#####",
     {"street", "st.", "st ", "avenue", "ave", "road", "rd", "lane", "drive", NULL}},
    {"en",
     "@#?#@@",
     {"street", "st.", "st ", "avenue", "close", "road", "rd", "lane", "drive", NULL}},
    {"en",
     "@##?#@@",
     {"street", "st.", "st ", "avenue", "close", "road", "rd", "lane", "drive", NULL}},
    {"en",
     "@@#?#@@",
     {"street", "st.", "st ", "avenue", "close", "road", "rd", "lane", "drive", NULL}},
    {"en",
     "@@##?#@@",
     {"street", "st.", "st ", "avenue", "close", "road", "rd", "lane", "drive", NULL}},
    {"es",
     "#####",
     {"calle", "c/", "avda", "avenida", "plaza", "paseo", "camino", "colonia", NULL}},
    {"pt",
     "#####?###",
     {"rua", "avenida", "av.", "av ", "travessa", "alameda", "estrada", "bairro", NULL}},
    {"pt",
     "####-###",
     {"rua", "avenida", "av.", "av ", "travessa", "largo", "estrada",
      "pra\xC3\xA7"
      "a",
      NULL}},
    {"lv",
     "lv-####",
     {"iela", "ielas", "bulv\xC4\x81ris", "prospekts", "gatve", "ce\xC4\xBC\xC5\xA1",
      NULL}},
    {"fa",
     "##########",
     {"\xD8\xAE\xDB\x8C\xD8\xA7\xD8\xA8\xD8\xA7\xD9\x86",
      "\xDA\xA9\xD9\x88\xDA\x86\xD9\x87", "\xD9\xBE\xD9\x84\xD8\xA7\xDA\xA9", NULL}},
    {"ar",
     "#####",
     {"\xD8\xB4\xD8\xA7\xD8\xB1\xD8\xB9", "\xD8\xA7\xD9\x84\xD8\xAD\xD9\x8A", NULL}},
};

static bool alnum(const struct sought *t, size_t at) {
    return at < t->n && (signal_is_letter(t->s[at]) || signal_is_digit(t->s[at]));
}

/* The end of a postcode at `at`, 0 when it is none. */
static size_t postcode_end(const struct sought *t, size_t at, const char *pattern) {
    if (at > 0 && (alnum(t, at - 1) || t->s[at - 1] == '.' || t->s[at - 1] == ',')) {
        return 0;
    }
    for (; *pattern; pattern++) {
        unsigned char c = at < t->n ? signal_lower(t->s[at]) : 0;
        if (*pattern == '?') {
            at += c == ' ' || c == '-';
        } else if (*pattern == '#'   ? !signal_is_digit(c)
                   : *pattern == '@' ? !signal_is_letter(c)
                                     : c != (unsigned char)*pattern) {
            return 0;
        } else {
            at++;
        }
    }
    return alnum(t, at) ? 0 : at;
}

/* Where the street begins before `end`, or after `from`; t->n when there is none with a number. */
static size_t street_start(const struct sought *t, size_t from, size_t end,
                           const char *const *streets) {
    for (size_t i = from; i < end; i++) {
        if (i > 0 && (alnum(t, i - 1) || t->s[i - 1] >= 0x80)) {
            continue;
        }
        for (const char *const *street = streets; *street; street++) {
            size_t length = strlen(*street), near = i > 12 ? i - 12 : 0;
            if (!signal_begins(t, i, *street)) {
                continue;
            }
            for (size_t k = near; k < i + length + 32 && k < end; k++) {
                if (signal_is_digit(t->s[k])) {
                    while (k > 0 && k < i && signal_is_digit(t->s[k - 1])) {
                        k--;
                    }
                    return k < i ? k : i;
                }
            }
        }
    }
    return t->n;
}

/* The address whose postcode begins at `at`, if any; where to go on. */
static size_t place_take(struct sought *t, size_t p, size_t at) {
    size_t end = postcode_end(t, at, places[p].postcode);
    size_t from = at > NEAR ? at - NEAR : 0;
    size_t start = end ? street_start(t, from, at, places[p].streets) : t->n;

    if (start >= t->n) {
        return at + 1;
    }
    signal_add(t, SIGNAL_POSTAL, start, end);
    return end;
}

void signal_postals(struct sought *t) {
    uint32_t here = 0;

    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        here |=
            !*t->language || strcmp(places[p].language, t->language) == 0 ? 1U << p : 0;
    }
    for (size_t i = 0; i + 5 <= t->n;) {
        size_t next = i + 1;
        bool begins = alnum(t, i) && (i == 0 || !alnum(t, i - 1));
        /* Every postcode has a digit among its first four characters. */
        bool digit =
            begins && (signal_is_digit(t->s[i]) || signal_is_digit(t->s[i + 1]) ||
                       signal_is_digit(t->s[i + 2]) || signal_is_digit(t->s[i + 3]));
        for (uint32_t left = digit ? here : 0; left && next == i + 1; left &= left - 1) {
            next = place_take(t, (size_t)__builtin_ctz(left), i);
        }
        i = next;
    }
}
