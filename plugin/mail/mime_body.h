/* SPDX-License-Identifier: MIT */
/* The bodies of a mail's parts: canonical line ends, then quoted-printable or base64,
 * whichever reads better, in lines of at most 76 octets. */
#ifndef MAIL_MIME_BODY_H
#define MAIL_MIME_BODY_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends "Content-Type: text/<kind> …", the transfer encoding, an empty line and the
 * body. text is well-formed UTF-8; CR, LF and CRLF all end a line, and the last line is
 * ended when it is not. No line end follows the body but its own. */
void mime_body_part(struct buffer *out, const char *kind, const char *text, size_t n);

#endif
