/* SPDX-License-Identifier: MIT */
/* One pass over the lines. Header fields are the only grammar: those of the report, of its
 * parts, of its status groups and of the returned mail are read alike. */
#include "mail/dsn.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    DSN_NAME_SIZE = 64,
    DSN_VALUE_SIZE = 1024, /* longer fields are cut */
    DSN_BOUNDARY_SIZE = 80 /* RFC 2046: 70 characters */
};

struct reader {
    const char *at, *end;
    char boundary[DSN_BOUNDARY_SIZE];
    char name[DSN_NAME_SIZE], value[DSN_VALUE_SIZE]; /* the field read last */
};

struct line {
    const char *text;
    size_t length;
};

/* The next line without its end; false behind the last. */
static bool line_peek(const struct reader *r, struct line *line, const char **next) {
    const char *feed;
    if (r->at >= r->end)
        return false;
    feed = memchr(r->at, '\n', (size_t)(r->end - r->at));
    line->text = r->at;
    line->length = (size_t)((feed ? feed : r->end) - r->at);
    *next = feed ? feed + 1 : r->end;
    if (line->length > 0 && line->text[line->length - 1] == '\r')
        line->length--;
    return true;
}

static bool line_starts(const struct line *line, const char *with) {
    size_t n = strlen(with);
    return line->length >= n && strncasecmp(line->text, with, n) == 0;
}

static bool is_boundary(const struct reader *r, const struct line *line) {
    size_t n = strlen(r->boundary);
    return n > 0 && line->length >= n + 2 && line->text[0] == '-' &&
           line->text[1] == '-' && memcmp(line->text + 2, r->boundary, n) == 0;
}

/* Up to size - 1 bytes behind those there already, in one line of printable characters. */
static void put(char *out, size_t size, const char *text, size_t n) {
    size_t length = strlen(out);
    for (size_t i = 0; i < n && length + 1 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\t' || (c >= 0x20 && c != 0x7F))
            out[length++] = text[i] == '\t' ? ' ' : text[i];
    }
    out[length] = '\0';
}

/* The next header field, unfolded; false at the blank line that ends them (passed over),
 * at a boundary, at what is no field (both left), and at the end. */
static bool field_next(struct reader *r) {
    struct line line;
    const char *next, *colon;
    if (!line_peek(r, &line, &next) || is_boundary(r, &line))
        return false;
    if (line.length == 0) {
        r->at = next;
        return false;
    }
    colon = memchr(line.text, ':', line.length);
    if (!colon || colon == line.text || memchr(line.text, ' ', (size_t)(colon - line.text)))
        return false;
    r->name[0] = r->value[0] = '\0';
    put(r->name, sizeof r->name, line.text, (size_t)(colon - line.text));
    put(r->value, sizeof r->value, colon + 1, line.length - (size_t)(colon + 1 - line.text));
    for (r->at = next; line_peek(r, &line, &next) && line.length > 0 &&
                       (*line.text == ' ' || *line.text == '\t');
         r->at = next)
        put(r->value, sizeof r->value, line.text, line.length);
    return true;
}

static bool field_is(const struct reader *r, const char *name) {
    return strcasecmp(r->name, name) == 0;
}

/* What stands in angle brackets, else the value itself, without spaces around. */
static void put_address(char *out, size_t size, const char *value) {
    const char *open = strchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
    const char *from = close ? open + 1 : value;
    size_t n = close ? (size_t)(close - from) : strlen(from);
    while (n > 0 && *from == ' ')
        from++, n--;
    while (n > 0 && from[n - 1] == ' ')
        n--;
    out[0] = '\0';
    if (n < size && !memchr(from, ' ', n))
        put(out, size, from, n);
}

/* "rfc822; <anna@example.test>": what is behind the type. */
static const char *behind_type(const char *value) {
    const char *semicolon = strchr(value, ';');
    return semicolon ? semicolon + 1 : value;
}

/* "5.1.1" at this place, as many characters; 0: none. */
static size_t status_length(const char *s) {
    size_t n, at = 1;
    if (!strchr("245", *s) || *s == '\0')
        return 0;
    for (int part = 0; part < 2; part++) {
        if (s[at] != '.')
            return 0;
        n = strspn(s + at + 1, "0123456789");
        if (n < 1 || n > 3)
            return 0;
        at += 1 + n;
    }
    return s[at] == '.' ? 0 : at;
}

/* The first status in a text that stands by itself, not within an address or a number. */
static bool put_status(char out[DSN_WORD_SIZE], const char *text) {
    for (const char *s = text; *s; s++) {
        size_t n = s == text || strchr(" ;:#(-", s[-1]) ? status_length(s) : 0;
        if (n > 0) {
            (void)snprintf(out, DSN_WORD_SIZE, "%.*s", (int)n, s);
            return true;
        }
    }
    return false;
}

static struct dsn_recipient *recipient_new(struct dsn *dsn) {
    if (dsn->count == DSN_RECIPIENTS_MOST)
        return NULL;
    return &dsn->recipients[dsn->count++];
}

struct group {
    char original[DSN_ADDRESS_SIZE], final[DSN_ADDRESS_SIZE];
    char action[DSN_WORD_SIZE], status[DSN_WORD_SIZE], diagnosed[DSN_WORD_SIZE];
};

static void group_field(const struct reader *r, struct group *g) {
    if (field_is(r, "Original-Recipient") || field_is(r, "Original-Rcpt-To"))
        put_address(g->original, sizeof g->original, behind_type(r->value));
    else if (field_is(r, "Final-Recipient"))
        put_address(g->final, sizeof g->final, behind_type(r->value));
    else if (field_is(r, "Status"))
        (void)put_status(g->status, r->value);
    else if (field_is(r, "Diagnostic-Code"))
        (void)put_status(g->diagnosed, r->value);
    else if (field_is(r, "Action")) {
        size_t from = strspn(r->value, " ");
        put(g->action, sizeof g->action, r->value + from, strcspn(r->value + from, " ;("));
        for (char *c = g->action; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    }
}

/* Exim and others say 5.0.0 where the other side's own words say more. */
static const char *group_status(const struct group *g) {
    bool vague = *g->status == '\0' || strcmp(g->status + 1, ".0.0") == 0;
    bool agree = *g->status == '\0' || g->status[0] == g->diagnosed[0];
    return vague && agree && *g->diagnosed ? g->diagnosed : g->status;
}

static void group_keep(struct dsn *dsn, const struct group *g) {
    const char *address = *g->original && strchr(g->original, '@') ? g->original : g->final;
    struct dsn_recipient *made;
    if (*address == '\0' && *g->action == '\0')
        return;
    made = recipient_new(dsn);
    if (!made)
        return;
    (void)snprintf(made->address, sizeof made->address, "%s", address);
    (void)snprintf(made->action, sizeof made->action, "%s", g->action);
    (void)snprintf(made->status, sizeof made->status, "%s", group_status(g));
}

/* message/delivery-status: a group about the mail, then one for each recipient. A feedback
 * report is a single group. */
static void read_status(struct reader *r, struct dsn *dsn) {
    struct line line;
    const char *next;
    while (line_peek(r, &line, &next) && !is_boundary(r, &line)) {
        struct group group = {0};
        const char *before = r->at;
        while (field_next(r))
            group_field(r, &group);
        group_keep(dsn, &group);
        if (r->at == before)
            r->at = next; /* what is no field */
    }
}

/* The headers of the mail that came back. */
static void read_original(struct reader *r, struct dsn *dsn) {
    while (field_next(r))
        if (field_is(r, "Message-ID"))
            put_address(dsn->message_id, sizeof dsn->message_id, r->value);
}

static void read_part(struct reader *r, struct dsn *dsn) {
    bool status = false, original = false;
    while (field_next(r)) {
        if (!field_is(r, "Content-Type"))
            continue;
        const char *type = r->value + strspn(r->value, " ");
        status = strncasecmp(type, "message/delivery-status", 23) == 0 ||
                 strncasecmp(type, "message/global-delivery-status", 30) == 0 ||
                 strncasecmp(type, "message/feedback-report", 23) == 0;
        original = strncasecmp(type, "message/rfc822", 14) == 0 ||
                   strncasecmp(type, "message/global", 14) == 0 ||
                   strncasecmp(type, "text/rfc822-headers", 19) == 0;
    }
    if (status)
        read_status(r, dsn);
    else if (original)
        read_original(r, dsn);
}

static void read_parts(struct reader *r, struct dsn *dsn) {
    struct line line;
    const char *next;
    while (line_peek(r, &line, &next)) {
        bool part = is_boundary(r, &line);
        r->at = next;
        if (part)
            read_part(r, dsn);
    }
}

/* "<anna@example.test>:" begins what qmail says of a recipient. */
static void read_qmail_line(struct dsn *dsn, const struct line *line) {
    char text[DSN_VALUE_SIZE] = "";
    struct dsn_recipient *last = dsn->count > 0 ? &dsn->recipients[dsn->count - 1] : NULL;
    put(text, sizeof text, line->text, line->length);
    if (line->length > 4 && text[0] == '<' && strstr(text, ">:") && strchr(text, '@')) {
        last = recipient_new(dsn);
        if (last) {
            put_address(last->address, sizeof last->address, text);
            (void)snprintf(last->action, sizeof last->action, "failed");
        }
    }
    if (last && *last->status == '\0')
        (void)put_status(last->status, text);
}

/* A report in plain words, with the mail below a line that says so. */
static void read_plain(struct reader *r, struct dsn *dsn) {
    struct line line;
    const char *next;
    bool below = false;
    while (line_peek(r, &line, &next) && !below) {
        r->at = next;
        below = line_starts(&line, "--- Below this line is a copy") ||
                line_starts(&line, "------ This is a copy of");
        if (!below)
            read_qmail_line(dsn, &line);
    }
    while (below && line_peek(r, &line, &next) && line.length == 0)
        r->at = next;
    if (below)
        read_original(r, dsn);
}

static void boundary_put(struct reader *r) {
    const char *s = r->value;
    size_t n;
    while (*s && strncasecmp(s, "boundary=", 9) != 0)
        s++;
    if (*s == '\0')
        return;
    s += 9;
    n = *s == '"' ? strcspn(s + 1, "\"") : strcspn(s, "; ");
    s += *s == '"';
    r->boundary[0] = '\0';
    if (n < sizeof r->boundary)
        put(r->boundary, sizeof r->boundary, s, n);
}

static void read_head(struct reader *r, struct dsn *dsn) {
    while (field_next(r)) {
        if (field_is(r, "Content-Type")) {
            boundary_put(r);
        } else if (field_is(r, "To") || field_is(r, "Delivered-To")) {
            if (dsn->mailbox[0] == '\0' || strchr(dsn->mailbox, '+') == NULL)
                put_address(dsn->mailbox, sizeof dsn->mailbox, r->value);
        } else if (field_is(r, "In-Reply-To")) {
            put_address(dsn->message_id, sizeof dsn->message_id, r->value);
        } else if (field_is(r, "X-Failed-Recipients") && dsn->count == 0) {
            struct dsn_recipient *failed = recipient_new(dsn);
            put_address(failed->address, sizeof failed->address, r->value);
            (void)snprintf(failed->action, sizeof failed->action, "failed");
        }
    }
}

/* The status part alone, as some hand it on. */
static bool is_status(const struct reader *r) {
    static const char *const first[] = {"Reporting-MTA:", "Original-Envelope-Id:",
                                        "Final-Recipient:", "Original-Recipient:",
                                        "Feedback-Type:"};
    struct line line;
    const char *next;
    for (size_t i = 0; line_peek(r, &line, &next) && i < sizeof first / sizeof *first; i++)
        if (line_starts(&line, first[i]))
            return true;
    return false;
}

bool dsn_read(const char *text, size_t n, struct dsn *dsn) {
    struct reader r = {.at = text, .end = text + (n < DSN_MOST_BYTES ? n : DSN_MOST_BYTES)};
    size_t told;
    memset(dsn, 0, sizeof *dsn);
    if (is_status(&r)) {
        read_status(&r, dsn);
        return dsn->count > 0;
    }
    read_head(&r, dsn);
    told = dsn->count;
    if (r.boundary[0])
        read_parts(&r, dsn);
    else
        read_plain(&r, dsn);
    /* What the status part says is more than what the head does. */
    if (r.boundary[0] && told > 0 && dsn->count > told) {
        memmove(dsn->recipients, dsn->recipients + told,
                (dsn->count - told) * sizeof *dsn->recipients);
        dsn->count -= told;
    }
    return dsn->count > 0 || dsn->message_id[0] != '\0';
}

const struct dsn_recipient *dsn_verdict(const struct dsn *dsn) {
    for (size_t i = 0; i < dsn->count; i++)
        if (strcmp(dsn->recipients[i].action, "failed") == 0)
            return &dsn->recipients[i];
    return dsn->count > 0 ? &dsn->recipients[0] : NULL;
}
