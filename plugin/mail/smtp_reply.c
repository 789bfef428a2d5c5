/* SPDX-License-Identifier: MIT */
/* One reply of a mail relay; nothing it holds is trusted. */
#include "mail/smtp_reply.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

void smtp_reply_clear(struct smtp_reply *reply) {
    memset(reply, 0, sizeof *reply);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hidden(int32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

void smtp_reply_print(char *to, size_t size, const char *from, size_t n) {
    size_t at = strlen(to);
    for (size_t i = 0; i < n;) {
        int32_t c = 0;
        int bytes = text_decode(from + i, n - i, &c);
        size_t step = bytes > 0 ? (size_t)bytes : 1;
        if (at + step >= size)
            break;
        if (bytes < 0 || is_hidden(c))
            to[at++] = bytes < 0 ? '?' : ' ';
        else
            memcpy(to + at, from + i, step);
        if (bytes > 0 && !is_hidden(c))
            at += step;
        i += step;
    }
    to[at] = '\0';
}

/* Up to max digits; how many. */
static size_t count_digits(const char *s, size_t max) {
    size_t n = 0;
    while (n < max && is_digit(s[n]))
        n++;
    return n;
}

/* Length of "class.subject.detail" at s, its class that of the code; else 0. */
static size_t enhanced_length(const char *s, int code) {
    if (s[0] != '0' + code / 100 || s[1] != '.')
        return 0;
    size_t subject = count_digits(s + 2, 3);
    if (subject == 0 || s[2 + subject] != '.')
        return 0;
    size_t detail = count_digits(s + 3 + subject, 3);
    size_t length = 3 + subject + detail;
    bool ends = s[length] == ' ' || s[length] == '\0';
    return detail > 0 && ends ? length : 0;
}

const char *smtp_reply_words(const struct smtp_reply *reply) {
    return reply->line + (reply->line[3] ? 4 : 3);
}

static void keep_words(struct smtp_reply *reply) {
    const char *words = smtp_reply_words(reply);
    size_t status = enhanced_length(words, reply->code);
    if (status && !reply->enhanced[0])
        memcpy(reply->enhanced, words, status);
    words += status;
    while (*words == ' ')
        words++;
    if (reply->text[0])
        smtp_reply_print(reply->text, sizeof reply->text, " ", 1);
    smtp_reply_print(reply->text, sizeof reply->text, words, strlen(words));
}

static enum smtp_reply_event end_line(struct smtp_reply *reply) {
    const char *line = reply->line;
    size_t kept = reply->length < SMTP_REPLY_KEPT ? reply->length : SMTP_REPLY_KEPT;
    if (kept > 0 && reply->length <= SMTP_REPLY_KEPT && line[kept - 1] == '\r')
        kept--;
    reply->line[kept] = '\0';
    for (size_t i = 0; i < kept; i++)
        if (line[i] == '\0')
            reply->line[i] = ' ';
    reply->length = 0;
    reply->lines++;
    if (count_digits(line, 3) != 3 || line[0] < '2' || line[0] > '5' ||
        (line[3] != ' ' && line[3] != '-' && line[3] != '\0'))
        return SMTP_REPLY_BAD;
    int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (reply->lines > 1 && code != reply->code)
        return SMTP_REPLY_BAD;
    reply->code = code;
    keep_words(reply);
    if (line[3] != '-')
        return SMTP_REPLY_END;
    return reply->lines < SMTP_REPLY_LINES_MAX ? SMTP_REPLY_LINE : SMTP_REPLY_BAD;
}

enum smtp_reply_event smtp_reply_feed(struct smtp_reply *reply, const char *bytes,
                                      size_t n, size_t *used) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            *used = i + 1;
            return end_line(reply);
        }
        if (reply->length < SMTP_REPLY_KEPT)
            reply->line[reply->length] = bytes[i];
        if (++reply->length > SMTP_REPLY_LINE_MAX) {
            *used = i + 1;
            return SMTP_REPLY_BAD;
        }
    }
    *used = n;
    return SMTP_REPLY_MORE;
}
