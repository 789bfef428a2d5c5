/* SPDX-License-Identifier: MIT */
/* Mail addresses: what may become an SMTP recipient, and when two spellings are one
 * buyer. Pure; safe from any thread. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_MOST_BYTES 254

/* One addr-spec of at most 254 bytes: a dot-atom of at most 64 (or a quoted string of
 * atom characters and dots), "@", a domain with a dot. UTF-8 allowed (RFC 6532). Refused:
 * controls, spaces, format characters, comments, other quoted characters, address
 * literals, a numeric last label, a trailing dot. */
bool address_valid(const char *address, size_t n);
/* The form under which equivalent spellings are one buyer: NFKC-casefolded, xn-- labels
 * decoded, quotes and "+tag" cut, dots dropped for gmail.com and googlemail.com (which
 * are gmail.com). For comparing and address keys, never for sending. Idempotent. The
 * caller's, memory_free; NULL when not valid or without memory. */
char *address_normal(const char *address);

#endif
