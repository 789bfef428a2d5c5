/* SPDX-License-Identifier: MIT */
/* Masking by runs: a run of characters that an address's local part may hold is either the
 * beginning of an address, or copied piece by piece. */
#include "base/log_mask.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define RAW_BYTES 1024  /* of a message before masking */
#define TOKEN_LENGTH 43 /* 32 bytes in base64url */

struct line {
    char *text;
    size_t used;
    bool full;
};

static void line_add(struct line *line, const char *bytes, size_t n) {
    line->full = line->full || n >= LOG_MESSAGE_BYTES - line->used;
    if (!line->full) {
        memcpy(line->text + line->used, bytes, n);
        line->used += n;
    }
}

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(char c) {
    return is_alnum(c) || c == '-' || c == '_';
}

/* Greedy on purpose: everything but spaces, controls and what ends a word in mail. */
static bool is_local(char c) {
    unsigned char byte = (unsigned char)c;
    return byte > ' ' && byte != 0x7F && !strchr("\"(),:;<>@[]", c);
}

static bool is_domain(char c) {
    return is_token(c) || c == '.' || c == '@' || c == '%' || (unsigned char)c >= 0x80;
}

static size_t span(const char *s, bool (*is)(char c)) {
    size_t n = 0;
    while (s[n] != '\0' && is(s[n])) {
        n++;
    }
    return n;
}

static size_t domain_span(const char *s) {
    if (s[0] == '[') {
        size_t n = strcspn(s, "]");
        return s[n] == ']' ? n + 1 : n;
    }
    size_t n = span(s, is_domain);
    while (n > 0 && s[n - 1] == '.') {
        n--;
    }
    return n;
}

/* The bytes of the address that s begins with, 0 when it begins with none. */
static size_t address_span(const char *s) {
    size_t local = span(s, is_local);
    if (s[0] == '"') {
        local = strcspn(s + 1, "\"") + 1;
        local += s[local] == '"';
    }
    if (local > 0 && s[local] == '@') {
        return local + 1 + domain_span(s + local + 1);
    }
    if (s[0] == '"') {
        return 0;
    }
    for (size_t i = 1; i + 2 < local; i++) {
        if (memcmp(s + i, "%40", 3) == 0) {
            return local;
        }
    }
    return 0;
}

/* The bytes of the token that s begins with: random base64url has both cases, names of
 * tables and functions have one. */
static size_t token_span(const char *s) {
    size_t n = span(s, is_token);
    bool upper = false, lower = false;
    for (size_t i = 0; i < n; i++) {
        upper = upper || (s[i] >= 'A' && s[i] <= 'Z');
        lower = lower || (s[i] >= 'a' && s[i] <= 'z');
    }
    return n >= TOKEN_LENGTH && upper && lower ? n : 0;
}

/* Controls, other line ends, and what turns the direction of a terminal's line around. */
static bool is_escaped(int32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* One character; the bytes it took. */
static size_t add_character(struct line *line, const char *s, size_t n) {
    int32_t c;
    int used = text_decode(s, n, &c);
    if (used < 1) {
        line_add(line, "?", 1);
        return 1;
    }
    if (is_escaped(c)) {
        char escape[16];
        int length = snprintf(escape, sizeof escape, c < 0x100 ? "\\x%02x" : "\\u%04x",
                              (unsigned)c);
        line_add(line, escape, (size_t)length);
    } else {
        line_add(line, s, (size_t)used);
    }
    return (size_t)used;
}

/* A run without an address, tokens masked. */
static void add_run(struct line *line, const char *s, size_t n) {
    for (size_t at = 0; at < n;) {
        bool begins = at == 0 || !is_token(s[at - 1]);
        size_t token = begins ? token_span(s + at) : 0;
        if (token > 0) {
            line_add(line, "[token]", 7);
            at += token;
        } else {
            at += add_character(line, s + at, n - at);
        }
    }
}

void log_message(char out[LOG_MESSAGE_BYTES], const char *format, va_list list) {
    char raw[RAW_BYTES];
    int wanted = vsnprintf(raw, sizeof raw, format, list);
    size_t n = wanted < 0 ? 0 : strlen(raw);
    if (wanted >= (int)sizeof raw) { /* half an address would not look like one */
        while (n > 0 && is_local(raw[n - 1])) {
            n--;
        }
    }
    raw[n] = '\0';
    struct line line = {.text = out};
    for (size_t at = 0; at < n && !line.full;) {
        size_t address = address_span(raw + at);
        size_t run = address > 0 ? address : span(raw + at, is_local);
        if (address > 0) {
            line_add(&line, "[address]", 9);
        } else if (run > 0) {
            add_run(&line, raw + at, run);
        } else {
            run = add_character(&line, raw + at, n - at);
        }
        at += run;
    }
    out[line.used] = '\0';
}
