/* SPDX-License-Identifier: MIT */
/* Addresses by RFC 5321/5322/6532, less what no store's buyer has and injections are made
 * of; and their normal form. */
#include "base/address.h"

#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

#define LOCAL_MOST_BYTES 64
#define LABEL_MOST 63          /* characters */
#define NORMAL_MOST_BYTES 4096 /* folding makes a character up to 18 */

static bool is_joiner(int32_t c) {
    return c == 0x200C || c == 0x200D;
}

static bool is_alnum(int32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* atext of RFC 5322; beyond ASCII what has a shape: no control, space or format character. */
static bool is_atom(int32_t c) {
    if (c < 0x80) {
        return is_alnum(c) || (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c));
    }
    return strchr("LMNPS", text_category(c)[0]) || is_joiner(c);
}

/* The length of the dot-atom that s begins with, 0 when there is none. */
static size_t dot_atom(const char *s, size_t n) {
    int32_t c, before = '.';
    size_t at = 0;
    while (at < n && s[at] != '@') {
        int used = text_decode(s + at, n - at, &c);
        bool dot = used == 1 && c == '.';
        if (used < 1 || (dot ? before == '.' : !is_atom(c))) {
            return 0;
        }
        before = c;
        at += (size_t)used;
    }
    return before == '.' ? 0 : at;
}

/* The same for a quoted string of atom characters and dots, its quotes counted. */
static size_t quoted(const char *s, size_t n) {
    int32_t c;
    size_t at = 1;
    while (at < n && s[at] != '"') {
        at += s[at] == '\\';
        int used = text_decode(s + at, n - at, &c);
        if (used < 1 || !(c == '.' || is_atom(c))) {
            return 0;
        }
        at += (size_t)used;
    }
    return at < n && at > 1 ? at + 1 : 0;
}

static size_t local_length(const char *s, size_t n) {
    size_t length = n > 0 && s[0] == '"' ? quoted(s, n) : dot_atom(s, n);
    return length > LOCAL_MOST_BYTES ? 0 : length;
}

/* IDNA's letters, and the few signs that it allows in context. */
static bool is_label_character(int32_t c) {
    if (c < 0x80) {
        return is_alnum(c) || c == '-';
    }
    return text_is_letter(c) || text_is_mark(c) || text_is_digit(c) || is_joiner(c) ||
           c == 0xB7 || c == 0x375 || c == 0x5F3 || c == 0x5F4 || c == 0x30FB;
}

static bool label_valid(const char *s, size_t n, bool last) {
    int32_t c;
    size_t characters = 0;
    bool numeric = true;
    for (size_t at = 0; at < n; characters++) {
        int used = text_decode(s + at, n - at, &c);
        if (used < 1 || !is_label_character(c)) {
            return false;
        }
        numeric = numeric && c >= '0' && c <= '9';
        at += (size_t)used;
    }
    return characters > 0 && characters <= LABEL_MOST && s[0] != '-' && s[n - 1] != '-' &&
           !(last && numeric);
}

static size_t label_length(const char *s, size_t n) {
    const char *dot = memchr(s, '.', n);
    return dot ? (size_t)(dot - s) : n;
}

static bool domain_valid(const char *s, size_t n) {
    size_t at = 0, labels = 0;
    while (at <= n) {
        size_t length = label_length(s + at, n - at);
        bool last = at + length == n;
        if (!label_valid(s + at, length, last)) {
            return false;
        }
        labels++;
        at += length + 1;
    }
    return labels >= 2;
}

bool address_valid(const char *address, size_t n) {
    if (!address || n == 0 || n > ADDRESS_MOST_BYTES) {
        return false;
    }
    size_t local = local_length(address, n);
    return local > 0 && local + 1 < n && address[local] == '@' &&
           domain_valid(address + local + 1, n - local - 1);
}

/* RFC 3492: the digit's value, or 36. */
static uint32_t punycode_digit(char c) {
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0') + 26;
    }
    c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    return c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a') : 36;
}

static uint32_t punycode_adapt(uint32_t delta, uint32_t count, bool first) {
    uint32_t k = 0;
    delta = first ? delta / 700 : delta / 2;
    for (delta += delta / count; delta > 455; k += 36) {
        delta /= 35;
    }
    return k + 36 * delta / (delta + 38);
}

/* One generalized integer added to *i; false when malformed or too large. */
static bool punycode_integer(const char *s, size_t n, size_t *at, uint32_t bias,
                             uint32_t *i) {
    uint64_t value = *i, weight = 1;
    for (uint32_t k = 36; *at < n; k += 36) {
        uint32_t digit = punycode_digit(s[(*at)++]);
        uint32_t threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        value += digit * weight;
        if (digit > 35 || value > UINT32_MAX) {
            return false;
        }
        if (digit < threshold) {
            *i = (uint32_t)value;
            return true;
        }
        weight *= 36 - threshold;
        if (weight > UINT32_MAX) {
            return false;
        }
    }
    return false;
}

/* What stands behind "xn--" into code points; their number, or 0 when malformed. */
static size_t punycode_decode(const char *s, size_t n, int32_t out[LABEL_MOST]) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        count = s[i] == '-' ? i : count;
    }
    if (n > LABEL_MOST) {
        return 0;
    }
    for (; at < count; at++) {
        out[at] = s[at];
    }
    at += count > 0; /* the last hyphen ends the ASCII part */
    uint32_t code = 128, bias = 72, i = 0;
    for (; at < n; i++) {
        uint32_t before = i;
        if (count == LABEL_MOST || !punycode_integer(s, n, &at, bias, &i)) {
            return 0;
        }
        uint32_t size = (uint32_t)count + 1;
        bias = punycode_adapt(i - before, size, before == 0);
        code += i / size;
        i %= size;
        if (code > 0x10FFFF || !is_label_character((int32_t)code)) {
            return 0;
        }
        memmove(&out[i + 1], &out[i], (count - i) * sizeof *out);
        out[i] = (int32_t)code;
        count++;
    }
    return count;
}

/* A label, decoded when it is an "xn--" one that stands for more than ASCII. */
static void append_label(struct buffer *out, const char *s, size_t n) {
    int32_t points[LABEL_MOST];
    bool coded = n > 4 && (s[0] == 'x' || s[0] == 'X') && (s[1] == 'n' || s[1] == 'N') &&
                 s[2] == '-' && s[3] == '-';
    size_t count = coded ? punycode_decode(s + 4, n - 4, points) : 0;
    for (size_t i = 0; i < count; i++) {
        char bytes[4];
        int used = text_encode(points[i], bytes);
        buffer_append(out, bytes, used > 0 ? (size_t)used : 0);
    }
    if (count == 0) {
        buffer_append(out, s, n);
    }
}

static char *normal_domain(const char *s, size_t n) {
    struct buffer out;
    buffer_init(&out, NORMAL_MOST_BYTES);
    for (size_t at = 0; at <= n;) {
        size_t length = label_length(s + at, n - at);
        append_label(&out, s + at, length);
        at += length + 1;
        if (at <= n) {
            buffer_char(&out, '.');
        }
    }
    char *folded = buffer_ok(&out) ? text_fold(out.data, out.length) : NULL;
    buffer_free(&out);
    return folded;
}

/* Without quotes, case and "+tag". */
static char *normal_local(const char *s, size_t n) {
    char bare[LOCAL_MOST_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '"' && s[i] != '\\') {
            bare[length++] = s[i];
        }
    }
    char *folded = text_fold(bare, length);
    char *tag = folded && folded[0] != '\0' ? strchr(folded + 1, '+') : NULL;
    if (tag) {
        *tag = '\0';
    }
    return folded;
}

static void drop_dots(char *s) {
    char *to = s;
    for (; *s != '\0'; s++) {
        if (*s != '.') {
            *to++ = *s;
        }
    }
    *to = '\0';
}

char *address_normal(const char *address) {
    size_t n = address ? strnlen(address, ADDRESS_MOST_BYTES + 1) : 0;
    if (!address_valid(address, n)) {
        return NULL;
    }
    size_t at = local_length(address, n);
    char *local = normal_local(address, at);
    char *domain = normal_domain(address + at + 1, n - at - 1);
    struct buffer out;
    buffer_init(&out, NORMAL_MOST_BYTES);
    if (local && domain) {
        bool google =
            strcmp(domain, "gmail.com") == 0 || strcmp(domain, "googlemail.com") == 0;
        if (google) {
            drop_dots(local);
        }
        buffer_text(&out, local);
        buffer_char(&out, '@');
        buffer_text(&out, google ? "gmail.com" : domain);
    } else {
        buffer_free(&out);
        out.failed = true;
    }
    memory_free(local);
    memory_free(domain);
    return buffer_steal(&out);
}
