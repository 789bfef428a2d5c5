/* SPDX-License-Identifier: MIT */
/* The bodies of a mail's parts. */
#include "mail/mime_body.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "mail/mime.h"

enum { BODY_LINE = 76 };

static void canonical(struct buffer *to, const char *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        size_t plain = strcspn(s + i, "\r\n");
        buffer_append(to, s + i, plain);
        buffer_append(to, "\r\n", 2);
        i += plain;
        if (i < n)
            i += s[i] == '\r' && i + 1 < n && s[i + 1] == '\n' ? 2 : 1;
    }
}

static bool must_escape(unsigned char c) {
    return (c < 0x20 && c != '\t') || c >= 0x7f || c == '=';
}

/* Mostly ASCII stays readable. */
static bool wants_base64(const char *s, size_t n) {
    size_t high = 0, i = 0;
    for (; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, s + i, sizeof eight);
        high += (size_t)__builtin_popcountll(eight & UINT64_C(0x8080808080808080));
    }
    for (; i < n; i++)
        high += (unsigned char)s[i] >= 0x80;
    return high > n / 3;
}

/* A dot or "From " that would begin a line is written so that no relay touches it. */
static bool is_escaped(const char *line, size_t n, size_t i, size_t column) {
    unsigned char c = (unsigned char)line[i];
    if (must_escape(c) || (i + 1 == n && (c == ' ' || c == '\t')))
        return true;
    return column == 0 && (c == '.' || (n - i >= 5 && memcmp(line + i, "From ", 5) == 0));
}

/* Octets at s that stand as they are, wherever in a line but at its ends. */
static size_t plain_run(const char *s, size_t n, size_t most) {
    size_t run = 0;
    if (n > most)
        n = most;
    while (run < n && !must_escape((unsigned char)s[run]))
        run++;
    return run;
}

/* Writes line[i]; the column behind it. */
static size_t quoted_octet(struct buffer *out, const char *line, size_t n, size_t i,
                           size_t column) {
    static const char hex[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)line[i];
    const char escaped[3] = {'=', hex[c >> 4], hex[c & 15]};
    bool escape = is_escaped(line, n, i, column);
    if (column + (escape ? 3 : 1) >= BODY_LINE) {
        buffer_append(out, "=\r\n", 3);
        column = 0;
        escape = is_escaped(line, n, i, column);
    }
    buffer_append(out, escape ? escaped : line + i, escape ? 3 : 1);
    return column + (escape ? 3 : 1);
}

static void quoted_line(struct buffer *out, const char *line, size_t n) {
    size_t column = 0;
    for (size_t i = 0; i < n; i++) {
        size_t run =
            column > 0 ? plain_run(line + i, n - i - 1, BODY_LINE - 1 - column) : 0;
        buffer_append(out, line + i, run);
        i += run;
        column = quoted_octet(out, line, n, i, column + run);
    }
}

static void quoted(struct buffer *out, const char *s, size_t n) {
    const char *end = s + n;
    while (s < end) {
        const char *stop = memchr(s, '\r', (size_t)(end - s)); /* lines are canonical */
        if (!stop)
            break;
        quoted_line(out, s, (size_t)(stop - s));
        buffer_text(out, "\r\n");
        s = stop + 2;
    }
}

static void base64(struct buffer *out, const char *s, size_t n) {
    char *text = crypto_base64(s, n);
    size_t length = text ? strlen(text) : 0;
    if (!text)
        out->failed = true;
    for (size_t i = 0; i < length; i += BODY_LINE) {
        size_t left = length - i;
        if (i > 0)
            buffer_text(out, "\r\n");
        buffer_append(out, text + i, left < BODY_LINE ? left : BODY_LINE);
    }
    memory_free(text);
}

void mime_body_part(struct buffer *out, const char *kind, const char *text, size_t n) {
    struct buffer lines;
    buffer_init(&lines, 2 * MIME_BODY_MAX + 2);
    canonical(&lines, text, n);
    if (!buffer_ok(&lines)) {
        out->failed = true;
        goto out;
    }
    bool encode = wants_base64(lines.data, lines.length);
    buffer_format(out, "Content-Type: text/%s; charset=utf-8\r\n", kind);
    buffer_format(out, "Content-Transfer-Encoding: %s\r\n\r\n",
                  encode ? "base64" : "quoted-printable");
    (encode ? base64 : quoted)(out, lines.data, lines.length);
out:
    buffer_free(&lines);
}
