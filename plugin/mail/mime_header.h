/* SPDX-License-Identifier: MIT */
/* Header lines: folded at 78 columns, other than ASCII in encoded words (RFC 2047). The
 * values must have passed mime_header_valid. */
#ifndef MAIL_MIME_HEADER_H
#define MAIL_MIME_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* Well-formed UTF-8 on one line, without controls, within MIME_VALUE_MAX. */
bool mime_header_valid(const char *value);
/* "Name: value" for people: Subject. */
void mime_header_text(struct buffer *out, const char *name, const char *value);
/* "Name: display <address>"; display may be NULL or "". */
void mime_header_address(struct buffer *out, const char *name, const char *display,
                         const char *address);
/* "Name: <value>" or, without brackets, "Name: value", as it is; on a line of its own when
 * it does not fit and may_fold. */
void mime_header_token(struct buffer *out, const char *name, const char *value,
                       bool brackets, bool may_fold);
void mime_header_date(struct buffer *out, int64_t wall_us);

#endif
