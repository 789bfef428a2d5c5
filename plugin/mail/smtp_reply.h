/* SPDX-License-Identifier: MIT */
/* One reply of a mail relay, read byte by byte within stated bounds (RFC 5321 4.2,
 * RFC 2034). No I/O, no memory of its own. */
#ifndef MAIL_SMTP_REPLY_H
#define MAIL_SMTP_REPLY_H

#include <stddef.h>

enum {
    SMTP_REPLY_LINE_MAX = 4096, /* octets in one line, 512 by the book */
    SMTP_REPLY_LINES_MAX = 64,
    SMTP_REPLY_KEPT = 512, /* of each line; the rest is counted and dropped */
    SMTP_REPLY_TEXT = 256
};

enum smtp_reply_event {
    SMTP_REPLY_MORE = 0, /* all bytes taken, the reply goes on */
    SMTP_REPLY_LINE = 1, /* an inner line ended: see smtp_reply_words */
    SMTP_REPLY_END = 2,  /* the last line ended: code, enhanced and text hold */
    SMTP_REPLY_BAD = 3   /* no reply, or beyond the bounds: hang up */
};

struct smtp_reply {
    int code;
    char enhanced[12];          /* "5.1.1" or "" */
    char text[SMTP_REPLY_TEXT]; /* the lines' words, one line of well-formed UTF-8 */
    /* private */
    char line[SMTP_REPLY_KEPT + 1];
    size_t length, lines;
};

/* Before the first and after each finished reply. */
void smtp_reply_clear(struct smtp_reply *reply);
/* Takes bytes up to the next event; *used says how many. */
enum smtp_reply_event smtp_reply_feed(struct smtp_reply *reply, const char *bytes,
                                      size_t n, size_t *used);
/* The words behind the code of the line just ended; borrowed until the next feed. */
const char *smtp_reply_words(const struct smtp_reply *reply);
/* from as one printable line of UTF-8 in to, appended behind what is there, cut at size. */
void smtp_reply_print(char *to, size_t size, const char *from, size_t n);

#endif
