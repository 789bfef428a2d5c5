/* SPDX-License-Identifier: MIT */
/* Links: a scheme, www, or a domain with a path behind it. The mere name of a shop ("amazon.com") is
   none, but a place to turn to. */
#include <string.h>

#include "moderation/signal_inner.h"

enum { HOST_MAX = 253 };

/* Endings that are domains and hardly ever the first word of a sentence somebody forgot to part. */
static const char *const endings[] = {
    "com", "net", "org",  "info", "biz",  "io",    "shop", "store",  "online", "site",
    "xyz", "top", "club", "app",  "link", "click", "live", "vip",    "pro",    "ly",
    "gl",  "gg",  "tv",   "cc",   "ru",   "cn",    "br",   "pt",     "es",     "mx",
    "ar",  "cl",  "co",   "pe",   "lv",   "uk",    "us",   "ir",     "sa",     "ae",
    "eg",  "eu",  "de",   "fr",   "it",   "me",    "bet",  "casino", "win",    NULL};

static bool is_host(unsigned char c) {
    return signal_is_letter(c) || signal_is_digit(c) || c == '-' || c == '.';
}

static bool ends_well(const struct sought *t, size_t dot, size_t end) {
    for (const char *const *e = endings; *e; e++) {
        if (strlen(*e) == end - dot - 1 && signal_begins(t, dot + 1, *e)) {
            return true;
        }
    }
    return false;
}

static size_t path_end(const struct sought *t, size_t at) {
    while (at < t->n && t->s[at] > ' ' && !strchr("\"<>", t->s[at])) {
        at++;
    }
    while (at > 0 && strchr(".,;:!?)]'", t->s[at - 1])) {
        at--;
    }
    return at;
}

/* Bytes of a beginning that only links have; 0: none here. */
static size_t scheme_at(const struct sought *t, size_t at) {
    static const char *const schemes[] = {"http://", "https://", "hxxp://",   "hxxps://",
                                          "www.",    "ftp://",   "http:\\\\", "t.me/",
                                          "wa.me/",  "bit.ly/",  NULL};
    for (const char *const *s = schemes; *s; s++) {
        if (signal_begins(t, at, *s)) {
            return strlen(*s);
        }
    }
    return 0;
}

/* By its first two letters; most words are out. */
static bool scheme_may(const struct sought *t, size_t at, unsigned char first) {
    unsigned char second = at + 1 < t->n ? signal_lower(t->s[at + 1]) : 0;

    return (first == 'h' && (second == 't' || second == 'x')) ||
           (first == 'w' && (second == 'w' || second == 'a')) ||
           (first == 't' && second == '.') || (first == 'f' && second == 't') ||
           (first == 'b' && second == 'i');
}

/* The domain around the dot at `dot`, if it is one. */
static void domain_take(struct sought *t, size_t dot, bool *channel, size_t *next) {
    size_t start = dot, end = dot, last = dot;

    while (start > 0 && dot - start < HOST_MAX && is_host(t->s[start - 1])) {
        start--;
    }
    while (end < t->n && end - dot < HOST_MAX && is_host(t->s[end])) {
        last = t->s[end] == '.' ? end : last;
        end++;
    }
    while (end > dot && t->s[end - 1] == '.') {
        end--;
        for (last = end; last > dot && t->s[last] != '.'; last--) {
        }
    }
    *next = end > dot ? end : dot + 1;
    bool part = (start > 0 && (t->s[start - 1] == '@' || t->s[start - 1] >= 0x80)) ||
                (end < t->n && t->s[end] >= 0x80);
    if (part || dot - start < 2 || !ends_well(t, last, end)) {
        return;
    }
    *channel = true;
    if (end + 1 < t->n && t->s[end] == '/' && t->s[end + 1] > ' ') {
        *next = path_end(t, end);
        signal_add(t, SIGNAL_LINK, start, *next);
    }
}

void signal_links(struct sought *t, bool *channel) {
    for (size_t i = 0; i < t->n;) {
        unsigned char c = signal_lower(t->s[i]);
        bool begins =
            i == 0 || !(signal_is_letter(t->s[i - 1]) || signal_is_digit(t->s[i - 1]));
        size_t scheme = begins && scheme_may(t, i, c) ? scheme_at(t, i) : 0;
        size_t next = i + 1;
        if (scheme && i + scheme < t->n && t->s[i + scheme] > ' ') {
            next = path_end(t, i + scheme);
            next = next > i ? next : i + scheme;
            signal_add(t, SIGNAL_LINK, i, next);
        } else if (c == '.' && i > 0 && i + 1 < t->n && is_host(t->s[i - 1]) &&
                   signal_is_letter(t->s[i + 1])) {
            domain_take(t, i, channel, &next);
        }
        i = next;
    }
}
