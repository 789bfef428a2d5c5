/* SPDX-License-Identifier: MIT */
/* See decode.h. */
#include "decode.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static int decode_hex(char digit) {
    static const char digits[] = "0123456789abcdef";
    const char *at = digit != '\0' ? strchr(digits, digit | 0x20) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* In a word (RFC 2047) an underscore is a space, and there are no line ends. */
static void decode_quoted(const char *bytes, size_t length, bool word, struct text *out) {
    for (size_t at = 0; at < length; at++) {
        size_t left = length - at;
        if (word && bytes[at] == '_') {
            text_put(out, " ");
        } else if (bytes[at] != '=') {
            text_add(out, bytes + at, 1);
        } else if (left > 1 && bytes[at + 1] == '\n') {
            at += 1;
        } else if (left > 2 && bytes[at + 1] == '\r' && bytes[at + 2] == '\n') {
            at += 2;
        } else if (left > 2 && decode_hex(bytes[at + 1]) >= 0 &&
                   decode_hex(bytes[at + 2]) >= 0) {
            char byte =
                (char)(decode_hex(bytes[at + 1]) * 16 + decode_hex(bytes[at + 2]));
            text_add(out, &byte, 1);
            at += 2;
        } else {
            text_put(out, "=");
        }
    }
}

static void decode_base64(const char *bytes, size_t length, struct text *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/";
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t at = 0; at < length; at++) {
        const char *digit = bytes[at] != '\0' ? strchr(digits, bytes[at]) : NULL;
        if (digit == NULL)
            continue;
        bits = (bits << 6 | (uint32_t)(digit - digits)) & 0xffffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            char byte = (char)(bits >> count & 0xff);
            text_add(out, &byte, 1);
        }
    }
}

void decode_body(const char *bytes, size_t length, const char *encoding,
                 struct text *out) {
    if (strncasecmp(encoding, "quoted-printable", 16) == 0)
        decode_quoted(bytes, length, false, out);
    else if (strncasecmp(encoding, "base64", 6) == 0)
        decode_base64(bytes, length, out);
    else
        text_add(out, bytes, length);
}

void decode_charset(const char *bytes, size_t length, const char *charset,
                    struct text *out) {
    bool latin = strcasecmp(charset, "iso-8859-1") == 0;
    if (!latin) {
        text_clean(out, bytes, length);
        return;
    }
    for (size_t at = 0; at < length; at++) {
        uint8_t byte = (uint8_t)bytes[at];
        char two[2] = {(char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f))};
        if (byte < 0x80)
            text_add(out, bytes + at, 1);
        else
            text_add(out, two, 2);
    }
}

/* One word =?utf-8?Q?text?= at the start; returns its length, or 0 when there is none. */
static size_t decode_word(const char *value, size_t length, struct text *out) {
    if (length < 8 || value[0] != '=' || value[1] != '?')
        return 0;
    const char *end = value + length;
    const char *kind = memchr(value + 2, '?', length - 2);
    if (kind == NULL || end - kind < 5 || kind[2] != '?')
        return 0;
    const char *words = kind + 3;
    const char *stop = memchr(words, '?', (size_t)(end - words));
    if (stop == NULL || stop + 1 == end || stop[1] != '=')
        return 0;
    if ((kind[1] | 0x20) == 'q')
        decode_quoted(words, (size_t)(stop - words), true, out);
    else
        decode_base64(words, (size_t)(stop - words), out);
    return (size_t)(stop + 2 - value);
}

/* White space between two words is not shown, and a character may be cut between them: so
 * the bytes are joined first and read as UTF-8 afterwards. */
void decode_words(const char *value, size_t length, struct text *out) {
    struct text bytes = {0};
    text_add(&bytes, "", 0);
    size_t before =
        0; /* length of `bytes` behind the last word, where only spaces followed */
    bool after_word = false;
    for (size_t at = 0; at < length;) {
        size_t kept = bytes.length;
        if (after_word && value[at] == '=')
            bytes.length = before;
        size_t word = decode_word(value + at, length - at, &bytes);
        if (word > 0) {
            at += word;
            before = bytes.length;
            after_word = true;
            continue;
        }
        bytes.length = kept;
        after_word = after_word && (value[at] == ' ' || value[at] == '\t');
        text_add(&bytes, value + at++, 1);
    }
    if (text_ok(&bytes))
        text_clean(out, bytes.data, bytes.length);
    text_free(&bytes);
}
