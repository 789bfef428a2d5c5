/* SPDX-License-Identifier: MIT */
/* A mail from its parts: RFC 5322, 2045, 2047, ready for smtp_start (canonical CRLF, short
 * lines). Pure: the same parts give the same bytes. Safe from any thread. */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { MIME_VALUE_MAX = 16 * 1024, MIME_BODY_MAX = 1024 * 1024, MIME_URL_MAX = 900 };

/* Borrowed. NULL leaves a header out; from_address, to_address, message_id, text and
 * subject are needed. All is UTF-8. */
struct mime_mail {
    const char *from_name, *from_address;
    const char *to_name, *to_address;
    const char *reply_to; /* an address */
    const char *subject;
    const char *message_id;      /* without its angle brackets */
    int64_t date_us;             /* wall time */
    const char *list_id;         /* without its angle brackets */
    const char *unsubscribe_url; /* https://…, one click (RFC 8058) */
    const char *auto_submitted;  /* "auto-generated" */
    const char *feedback_id;
    const char *text, *html; /* any line ends; without html the mail is plain */
    const char *locale;      /* "lv", "pt-BR" */
};

/* Appends the mail to out. ERROR_INVALID: pointer names the field ("/subject"), out is as
 * before. Refused: ill-formed UTF-8; in headers controls, DEL, U+0085, U+2028, U+2029.
 * ERROR_FAILED: no memory, or out's limit. */
int mime_compose(const struct mime_mail *mail, struct buffer *out, struct error *error);
/* The mail can only go to a relay that offers SMTPUTF8. */
bool mime_needs_utf8(const struct mime_mail *mail);

#endif
