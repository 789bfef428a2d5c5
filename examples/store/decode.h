/* SPDX-License-Identifier: MIT */
/* The encodings that mails are written in: quoted-printable and base64 (RFC 2045),
 * encoded words (RFC 2047), and the character sets UTF-8 and ISO 8859-1. */
#ifndef SHOP_DECODE_H
#define SHOP_DECODE_H

#include "text.h"

/* By the value of Content-Transfer-Encoding; an unknown one leaves the bytes as they
 * are. */
void decode_body(const char *bytes, size_t length, const char *encoding,
                 struct text *out);
/* To UTF-8; a set that is not known is read as UTF-8, what is not well-formed
 * replaced. */
void decode_charset(const char *bytes, size_t length, const char *charset,
                    struct text *out);
/* A header's value with its =?charset?Q?…?= words decoded. */
void decode_words(const char *value, size_t length, struct text *out);

#endif
