/* SPDX-License-Identifier: MIT */
/* Reads a mail as it came over the wire: headers (RFC 5322, 2047) and parts (RFC
 * 2045). */
#ifndef SHOP_MAIL_H
#define SHOP_MAIL_H

#include "text.h"

enum { MAIL_PARTS = 16, MAIL_DEPTH = 8 };

/* One leaf of the mail, its text decoded to UTF-8. */
struct mail_part {
    char type[64]; /* "text/html", in lower case */
    struct text body;
};

struct mail {
    size_t count;
    struct mail_part parts[MAIL_PARTS];
};

/* What cannot be read is left out, what is not UTF-8 replaced; never fails otherwise. */
void mail_read(const char *raw, size_t length, struct mail *mail);
void mail_free(struct mail *mail);
/* The body of the first part of that type, or NULL; borrowed. */
const char *mail_body(const struct mail *mail, const char *type);

/* Appends the header's value, unfolded, encoded words decoded; nothing when there is
 * none. */
void mail_header(const char *raw, size_t length, const char *name, struct text *out);

#endif
