/* SPDX-License-Identifier: MIT */
/* Header lines. An encoded word ends at a code point's end and never exceeds 75 octets. */
#include "mail/mime_header.h"

#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/mime.h"

enum {
    HEADER_LINE = 78,
    HEADER_LINE_ENCODED = 76,
    HEADER_WORD = 75,
    HEADER_WORD_FRAME = 12, /* =?UTF-8?B?…?= */
    HEADER_WORD_LEAST = HEADER_WORD_FRAME + 12,
    HEADER_PLAIN_WORD =
        60, /* fits behind any header's name: no line holds a name alone */
    HEADER_QUOTED_MAX = 60
};

static bool is_line_or_control(int32_t c) {
    return c < 0x20 || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool mime_header_valid(const char *value) {
    size_t n = strlen(value);
    if (n > MIME_VALUE_MAX || !text_valid(value, n))
        return false;
    for (size_t i = 0; i < n;) {
        int32_t c = 0;
        int step = text_decode(value + i, n - i, &c);
        if (step <= 0 || is_line_or_control(c))
            return false;
        i += (size_t)step;
    }
    return true;
}

/* Where the line stands that out ends with. */
static size_t column(const struct buffer *out) {
    size_t n = 0;
    while (n < out->length && out->data[out->length - n - 1] != '\n')
        n++;
    return n;
}

static bool is_plain_byte(unsigned char c) {
    return c >= 0x20 && c < 0x7f;
}

/* Can stand as it is: ASCII words with one space between them, each of which can be folded
 * away, and nothing that reads as an encoded word. */
static bool is_plain(const char *s) {
    size_t word = 0, n = strlen(s);
    if (n > 0 && (s[0] == ' ' || s[n - 1] == ' '))
        return false;
    for (size_t i = 0; i < n; i++) {
        word = s[i] == ' ' ? 0 : word + 1;
        if (!is_plain_byte((unsigned char)s[i]) || word > HEADER_PLAIN_WORD ||
            (s[i] == ' ' && s[i + 1] == ' ') || (s[i] == '=' && s[i + 1] == '?'))
            return false;
    }
    return true;
}

static void put_plain(struct buffer *out, const char *s) {
    size_t at = column(out);
    while (*s) {
        size_t n = strcspn(s, " ");
        if (at + 1 + n > HEADER_LINE) {
            buffer_text(out, "\r\n");
            at = 0;
        }
        buffer_char(out, ' ');
        buffer_append(out, s, n);
        at += 1 + n;
        s += n + (s[n] == ' ');
    }
}

static bool is_q_safe(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!*+-/ ", c));
}

/* Octets of s[0..n) in the Q encoding. */
static size_t q_cost(const char *s, size_t n) {
    size_t cost = 0;
    for (size_t i = 0; i < n; i++)
        cost += is_q_safe((unsigned char)s[i]) ? 1 : 3;
    return cost;
}

static size_t b_cost(size_t n) {
    return (n + 2) / 3 * 4;
}

static void put_q(struct buffer *out, const char *s, size_t n) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        const char escaped[3] = {'=', hex[c >> 4], hex[c & 15]};
        if (c == ' ')
            buffer_char(out, '_');
        else
            buffer_append(out, is_q_safe(c) ? s + i : escaped, is_q_safe(c) ? 1 : 3);
    }
}

static void put_b(struct buffer *out, const char *s, size_t n) {
    char *text = crypto_base64(s, n);
    if (!text)
        out->failed = true;
    buffer_text(out, text);
    memory_free(text);
}

/* How many octets of s, whole code points, fit into one word of at most room octets. */
static size_t fit_word(const char *s, size_t n, bool q, size_t room) {
    size_t most = (room < HEADER_WORD ? room : HEADER_WORD) - HEADER_WORD_FRAME;
    size_t taken = 0, cost = 0;
    while (taken < n) {
        int32_t c = 0;
        int step = text_decode(s + taken, n - taken, &c);
        size_t bytes = step > 0 ? (size_t)step : 1;
        cost = q ? cost + q_cost(s + taken, bytes) : b_cost(taken + bytes);
        if (cost > most)
            break;
        taken += bytes;
    }
    return taken;
}

static void put_encoded(struct buffer *out, const char *s) {
    size_t n = strlen(s), at = column(out);
    bool q = q_cost(s, n) <= b_cost(n);
    while (n > 0 && buffer_ok(out)) {
        if (at + 1 + HEADER_WORD_LEAST > HEADER_LINE_ENCODED) {
            buffer_text(out, "\r\n");
            at = 0;
        }
        size_t taken = fit_word(s, n, q, HEADER_LINE_ENCODED - at - 1);
        buffer_text(out, q ? " =?UTF-8?Q?" : " =?UTF-8?B?");
        (q ? put_q : put_b)(out, s, taken);
        buffer_text(out, "?=");
        s += taken;
        n -= taken;
        at = HEADER_LINE_ENCODED; /* one word a line */
    }
}

void mime_header_text(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, "%s:", name);
    if (!is_plain(value))
        put_encoded(out, value);
    else if (*value)
        put_plain(out, value);
    else
        buffer_char(out, ' ');
    buffer_text(out, "\r\n");
}

static bool is_atoms(const char *s) {
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (!is_q_safe(c) && !strchr("#$%&'=?^_`{|}~", c))
            return false;
    }
    return true;
}

static void put_quoted(struct buffer *out, const char *s) {
    buffer_text(out, " \"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buffer_char(out, '\\');
        buffer_char(out, *s);
    }
    buffer_char(out, '"');
}

void mime_header_address(struct buffer *out, const char *name, const char *display,
                         const char *address) {
    buffer_format(out, "%s:", name);
    if (display && *display && is_plain(display) && is_atoms(display))
        put_plain(out, display);
    else if (display && is_plain(display) && strlen(display) <= HEADER_QUOTED_MAX &&
             *display)
        put_quoted(out, display);
    else if (display && *display)
        put_encoded(out, display);
    bool bare = !display || !*display;
    if (column(out) + strlen(address) + (bare ? 1 : 3) > HEADER_LINE_ENCODED)
        buffer_text(out, "\r\n");
    buffer_format(out, bare ? " %s\r\n" : " <%s>\r\n", address);
}

void mime_header_token(struct buffer *out, const char *name, const char *value,
                       bool brackets, bool may_fold) {
    buffer_format(out, "%s:", name);
    if (may_fold && column(out) + strlen(value) + 3 > HEADER_LINE)
        buffer_text(out, "\r\n");
    buffer_format(out, brackets ? " <%s>\r\n" : " %s\r\n", value);
}

/* strftime would ask the locale. */
void mime_header_date(struct buffer *out, int64_t wall_us) {
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm t = {0};
    if (!gmtime_r(&seconds, &t)) {
        out->failed = true;
        return;
    }
    buffer_format(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[t.tm_wday],
                  t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
                  t.tm_sec);
}
