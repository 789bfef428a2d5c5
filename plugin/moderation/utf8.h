/* SPDX-License-Identifier: MIT */
/* The decoder of the moderation room, inline because it runs once per character read. */
#ifndef VOUCH_MODERATION_UTF8_H
#define VOUCH_MODERATION_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s and its code point; 0 when the bytes are no UTF-8. n > 0. */
static inline size_t utf8_read(const unsigned char *s, size_t n, uint32_t *codepoint) {
    unsigned c = s[0];
    if (c < 0x80) {
        *codepoint = c;
        return 1;
    }
    if (c < 0xC2 || c > 0xF4 || n < 2 || (s[1] & 0xC0) != 0x80) {
        return 0;
    }
    if (c < 0xE0) {
        *codepoint = (c & 0x1FU) << 6 | (s[1] & 0x3FU);
        return 2;
    }
    if (n < 3 || (s[2] & 0xC0) != 0x80) {
        return 0;
    }
    if (c < 0xF0) {
        uint32_t three = (c & 0x0FU) << 12 | (s[1] & 0x3FU) << 6 | (s[2] & 0x3FU);
        *codepoint = three;
        return three < 0x800 || (three >= 0xD800 && three < 0xE000) ? 0 : 3;
    }
    if (n < 4 || (s[3] & 0xC0) != 0x80) {
        return 0;
    }
    *codepoint =
        (c & 0x07U) << 18 | (s[1] & 0x3FU) << 12 | (s[2] & 0x3FU) << 6 | (s[3] & 0x3FU);
    return *codepoint < 0x10000 || *codepoint > 0x10FFFF ? 0 : 4;
}

/* Bytes written to out. The code point is a valid one. */
static inline size_t utf8_write(uint32_t codepoint, unsigned char out[4]) {
    if (codepoint < 0x80) {
        out[0] = (unsigned char)codepoint;
        return 1;
    }
    if (codepoint < 0x800) {
        out[0] = (unsigned char)(0xC0 | codepoint >> 6);
        out[1] = (unsigned char)(0x80 | (codepoint & 0x3F));
        return 2;
    }
    if (codepoint < 0x10000) {
        out[0] = (unsigned char)(0xE0 | codepoint >> 12);
        out[1] = (unsigned char)(0x80 | (codepoint >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (codepoint & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | codepoint >> 18);
    out[1] = (unsigned char)(0x80 | (codepoint >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (codepoint >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (codepoint & 0x3F));
    return 4;
}

/* Bytes of the character that begins with this byte of well-formed UTF-8. */
static inline size_t utf8_size(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static inline int utf8_is_tail(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

#endif
