/* SPDX-License-Identifier: MIT */
/* See mail.h. */
#include "mail.h"
#include "decode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The line at `at` without its end; returns where the next one begins. */
static size_t mail_line(const char *raw, size_t length, size_t at, size_t *line) {
    const char *stop = memchr(raw + at, '\n', length - at);
    size_t end = stop != NULL ? (size_t)(stop - raw) : length;
    *line = end > at && raw[end - 1] == '\r' ? end - 1 - at : end - at;
    return stop != NULL ? end + 1 : length;
}

static void mail_header_raw(const char *raw, size_t length, const char *name,
                            struct text *out) {
    size_t name_length = strlen(name);
    bool inside = false;
    size_t line = 0;
    size_t next = 0;
    for (size_t at = 0; at < length; at = next) {
        next = mail_line(raw, length, at, &line);
        if (line == 0)
            return;
        if (inside && raw[at] != ' ' && raw[at] != '\t')
            return;
        if (inside) {
            text_add(out, raw + at, line);
        } else if (line > name_length && raw[at + name_length] == ':' &&
                   strncasecmp(raw + at, name, name_length) == 0) {
            size_t skip = name_length + 1;
            while (skip < line && (raw[at + skip] == ' ' || raw[at + skip] == '\t'))
                skip++;
            text_add(out, raw + at + skip, line - skip);
            inside = true;
        }
    }
}

void mail_header(const char *raw, size_t length, const char *name, struct text *out) {
    struct text value = {0};
    mail_header_raw(raw, length, name, &value);
    if (text_ok(&value))
        decode_words(value.data, value.length, out);
    text_free(&value);
}

/* A parameter of a header value: boundary="…" or charset=utf-8. */
static void mail_parameter(const char *value, const char *name, char *out, size_t size) {
    size_t name_length = strlen(name);
    out[0] = '\0';
    for (const char *at = strchr(value, ';'); at != NULL; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, name, name_length) != 0 || at[name_length] != '=')
            continue;
        at += name_length + 1;
        bool quoted = *at == '"';
        at += quoted ? 1 : 0;
        size_t length = strcspn(at, quoted ? "\"" : "; \t");
        if (length < size)
            (void)snprintf(out, size, "%.*s", (int)length, at);
        return;
    }
}

static size_t mail_body_start(const char *raw, size_t length) {
    size_t line = 0;
    size_t next = 0;
    for (size_t at = 0; at < length; at = next) {
        next = mail_line(raw, length, at, &line);
        if (line == 0)
            return next;
    }
    return length;
}

static void mail_leaf(const char *raw, size_t length, const char *type,
                      struct mail *mail) {
    struct mail_part *part = &mail->parts[mail->count++];
    struct text encoding = {0};
    struct text bytes = {0};
    char charset[32];
    size_t start = mail_body_start(raw, length);
    size_t type_length = strcspn(type, "; \t");
    (void)snprintf(part->type, sizeof part->type, "%.*s", (int)type_length, type);
    for (char *at = part->type; *at != '\0'; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    mail_parameter(type, "charset", charset, sizeof charset);
    mail_header_raw(raw, length, "Content-Transfer-Encoding", &encoding);
    decode_body(raw + start, length - start, encoding.data != NULL ? encoding.data : "",
                &bytes);
    decode_charset(bytes.data != NULL ? bytes.data : "", bytes.length, charset,
                   &part->body);
    text_free(&encoding);
    text_free(&bytes);
}

static void mail_entity(const char *raw, size_t length, int depth, struct mail *mail);

/* The parts between the boundary's lines; what stands before the first one is for
 * nobody. */
static void mail_multipart(const char *raw, size_t length, const char *boundary,
                           int depth, struct mail *mail) {
    size_t boundary_length = strlen(boundary);
    size_t from = 0;
    bool inside = false;
    size_t line = 0;
    size_t next = 0;
    for (size_t at = mail_body_start(raw, length); at < length; at = next) {
        next = mail_line(raw, length, at, &line);
        if (line < boundary_length + 2 || raw[at] != '-' || raw[at + 1] != '-' ||
            memcmp(raw + at + 2, boundary, boundary_length) != 0)
            continue;
        if (inside)
            mail_entity(raw + from, at - from, depth + 1, mail);
        bool last = line >= boundary_length + 4 &&
                    memcmp(raw + at + 2 + boundary_length, "--", 2) == 0;
        if (last)
            return;
        inside = true;
        from = next;
    }
}

static void mail_entity(const char *raw, size_t length, int depth, struct mail *mail) {
    struct text type = {0};
    char boundary[128];
    if (depth > MAIL_DEPTH || mail->count == MAIL_PARTS)
        return;
    mail_header_raw(raw, length, "Content-Type", &type);
    const char *words = text_ok(&type) && type.length > 0 ? type.data : "text/plain";
    mail_parameter(words, "boundary", boundary, sizeof boundary);
    if (strncasecmp(words, "multipart/", 10) == 0 && boundary[0] != '\0')
        mail_multipart(raw, length, boundary, depth, mail);
    else
        mail_leaf(raw, length, words, mail);
    text_free(&type);
}

void mail_read(const char *raw, size_t length, struct mail *mail) {
    *mail = (struct mail){0};
    mail_entity(raw, length, 0, mail);
}

void mail_free(struct mail *mail) {
    for (size_t i = 0; i < mail->count; i++)
        text_free(&mail->parts[i].body);
    mail->count = 0;
}

const char *mail_body(const struct mail *mail, const char *type) {
    for (size_t i = 0; i < mail->count; i++)
        if (strcmp(mail->parts[i].type, type) == 0)
            return mail->parts[i].body.data;
    return NULL;
}
