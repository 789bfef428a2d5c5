/* SPDX-License-Identifier: MIT */
/* Line by line: some lines are left out, and some end the answer. */
#include "care/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"

enum { LINE_MAX_BYTES = 1000, HEADER_LINES = 5, ATTRIBUTION_LINES = 3 };

struct line {
    const char *at;
    size_t length;
};

/* Spaces, and the marks of direction that mail programs put around names. */
static size_t blank_at(const char *s, size_t n) {
    static const char *const marks[] = {"\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x81\xa6",
                                        "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",
                                        "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
                                        "\xc2\xa0",     "\xef\xbb\xbf"};
    if (n > 0 && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '*'))
        return 1;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t m = strlen(marks[i]);
        if (n >= m && memcmp(s, marks[i], m) == 0)
            return m;
    }
    return 0;
}

static struct line trimmed(struct line line) {
    size_t n;
    while ((n = blank_at(line.at, line.length)) > 0) {
        line.at += n;
        line.length -= n;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t back = 1; back <= 3 && back <= line.length; back++)
            if (blank_at(line.at + line.length - back, back) == back) {
                line.length -= back;
                again = true;
                break;
            }
    }
    return line;
}

/* The next line of text, moved on behind it; false at the end. */
static bool take(struct line *text, struct line *line) {
    const char *end;
    if (!text->at)
        return false;
    end = memchr(text->at, '\n', text->length);
    *line = (struct line){text->at, end ? (size_t)(end - text->at) : text->length};
    if (end) {
        text->length -= line->length + 1;
        text->at = end + 1;
    } else {
        *text = (struct line){NULL, 0};
    }
    if (line->length > 0 && line->at[line->length - 1] == '\r')
        line->length--;
    return true;
}

static bool begins(struct line line, const char *with) {
    size_t n = strlen(with);
    return line.length >= n && strncasecmp(line.at, with, n) == 0;
}

static bool holds(struct line line, const char *what) {
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= line.length; i++)
        if (strncasecmp(line.at + i, what, n) == 0)
            return true;
    return false;
}

static bool ends(struct line line, const char *with) {
    size_t n = strlen(with);
    return line.length >= n && strncasecmp(line.at + line.length - n, with, n) == 0;
}

static bool any(struct line line, bool (*is)(struct line, const char *),
                const char *const words[]) {
    for (size_t i = 0; words[i]; i++)
        if (is(line, words[i]))
            return true;
    return false;
}

static bool has_digit(struct line line) {
    for (size_t i = 0; i < line.length; i++) {
        unsigned char c = (unsigned char)line.at[i];
        bool arabic =
            i + 1 < line.length && ((c == 0xd9 && (unsigned char)line.at[i + 1] >= 0xa0 &&
                                     (unsigned char)line.at[i + 1] <= 0xa9) ||
                                    (c == 0xdb && (unsigned char)line.at[i + 1] >= 0xb0 &&
                                     (unsigned char)line.at[i + 1] <= 0xb9));
        if ((c >= '0' && c <= '9') || arabic)
            return true;
    }
    return false;
}

/* "On Mon, 2 Nov 2026 at 10:00, Shop <a@b> wrote:", with the verb where the language has it. */
static bool is_attribution(struct line line) {
    static const char *const verbs[] = {"wrote:",
                                        "wrote",
                                        "escribi\xc3\xb3:",
                                        "escreveu:",
                                        "escribi\xc3\xb3",
                                        "escreveu",
                                        "rakst\xc4\xabja:",
                                        "rakst\xc4\xabja",
                                        "نوشت:",
                                        "نوشته است:",
                                        "نوشت",
                                        "نوشته:",
                                        "كتب:",
                                        "كتب ما يلي:",
                                        "كتبت:",
                                        "کتب:",
                                        "wrote :",
                                        "escribi\xc3\xb3 :",
                                        NULL};
    static const char *const leads[] = {"في ", "بتاريخ ", NULL};
    if (line.length > LINE_MAX_BYTES || !has_digit(line))
        return false;
    if (any(line, ends, verbs))
        return true;
    return ends(line, ":") && any(line, begins, leads) &&
           (holds(line, "كتب") || holds(line, "كتبت"));
}

static bool is_divider(struct line line) {
    static const char *const words[] = {"original message",
                                        "mensaje original",
                                        "mensagem original",
                                        "forwarded message",
                                        "mensaje reenviado",
                                        "mensagem reencaminhada",
                                        "الرسالة الأصلية",
                                        "رسالة أصلية",
                                        "پیام اصلی",
                                        "s\xc4\x81kotn\xc4\x93j\xc4\x81 zi\xc5\x86"
                                        "a",
                                        "ori\xc4\xa3in\xc4\x81l\xc4\x81 zi\xc5\x86"
                                        "a",
                                        NULL};
    bool dashes = begins(line, "--") || begins(line, "__") || begins(line, "==");
    size_t same = 0;
    while (same < line.length && line.at[same] == '_')
        same++;
    return (dashes && any(line, holds, words)) || (same >= 20 && same == line.length);
}

/* Outlook's block of header fields: a sender, and soon a date or an addressee. */
static bool is_header_block(struct line line, struct line rest) {
    static const char *const from[] = {
        "from:", "de:", "من:", "از:", "no:", "s\xc5\xabt\xc4\xabt\xc4\x81js:", NULL};
    static const char *const more[] = {"sent:",
                                       "date:",
                                       "to:",
                                       "enviado:",
                                       "enviado el:",
                                       "enviada:",
                                       "enviado em:",
                                       "fecha:",
                                       "data:",
                                       "para:",
                                       "تاريخ الإرسال:",
                                       "تم الإرسال:",
                                       "التاريخ:",
                                       "إلى:",
                                       "تاریخ:",
                                       "ارسال:",
                                       "ارسال شده:",
                                       "به:",
                                       "nos\xc5\xabt\xc4\xabts:",
                                       "datums:",
                                       "kam:",
                                       NULL};
    struct line next;
    int met = 0;
    if (!any(line, begins, from))
        return false;
    for (int i = 0; i < HEADER_LINES && take(&rest, &next); i++)
        met += any(trimmed(next), begins, more);
    return met >= 2;
}

static bool is_signature(struct line raw) {
    return (raw.length == 2 && memcmp(raw.at, "--", 2) == 0) ||
           (raw.length == 3 && memcmp(raw.at, "-- ", 3) == 0);
}

static bool is_gadget(struct line line) {
    static const char *const words[] = {"sent from my ",
                                        "sent from outlook",
                                        "get outlook for",
                                        "enviado desde mi ",
                                        "enviado desde outlook",
                                        "enviado do meu ",
                                        "enviado a partir do ",
                                        "enviado via ",
                                        "obtener outlook para",
                                        "obter o outlook",
                                        "أرسلت من ",
                                        "أُرسلت من ",
                                        "مرسل من ",
                                        "تم الإرسال من ",
                                        "ارسال شده از ",
                                        "ارسال‌شده از ",
                                        "فرستاده شده از ",
                                        "فرستاده‌شده از ",
                                        "nos\xc5\xabt\xc4\xabts no ",
                                        "s\xc5\xabt\xc4\xabts no ",
                                        NULL};
    return line.length < 120 && any(line, begins, words);
}

/* An attribution may be broken over several lines, the first of which tells its date. */
static bool attribution_starts(struct line line, struct line rest) {
    char joined[3 * LINE_MAX_BYTES];
    size_t used = 0;
    struct line next = line;
    if (line.length == 0)
        return false;
    for (int i = 0; i < ATTRIBUTION_LINES; i++) {
        next = trimmed(next);
        if (next.length == 0 || next.length + used + 1 > sizeof joined ||
            next.at[0] == '>')
            return false;
        memcpy(joined + used, next.at, next.length);
        used += next.length;
        joined[used++] = ' ';
        if (is_attribution(trimmed((struct line){joined, used})) &&
            (i == 0 || has_digit(line)))
            return true;
        if (!take(&rest, &next))
            return false;
    }
    return false;
}

static bool ends_answer(struct line raw, struct line line, struct line rest) {
    return is_signature(raw) || is_divider(line) || is_header_block(line, rest) ||
           attribution_starts(line, rest);
}

static void cut_end(struct buffer *out) {
    while (out->length > 0 && strchr("\n \t", out->data[out->length - 1]))
        out->length--;
    if (out->data)
        out->data[out->length] = '\0';
}

char *quote_cut(const char *text, size_t n) {
    struct line rest = {text, n}, raw;
    struct buffer out;
    if (n > QUOTE_TEXT_MAX)
        return NULL;
    buffer_init(&out, QUOTE_TEXT_MAX + 1);
    buffer_text(&out, "");
    while (take(&rest, &raw)) {
        struct line line = trimmed(raw);
        if (line.length > 0 && line.at[0] == '>')
            continue;
        if (ends_answer(raw, line, rest))
            break;
        if (is_gadget(line) || (line.length == 0 && out.length == 0))
            continue;
        buffer_append(&out, raw.at, line.length == 0 ? 0 : raw.length);
        buffer_char(&out, '\n');
    }
    cut_end(&out);
    if (!out.failed && !out.data)
        return memory_copy("");
    return buffer_steal(&out);
}
