/* SPDX-License-Identifier: MIT */
/* The token is "m", the mail's number, "-" and 64 bits of a keyed hash in hex: lower case,
 * so that mail servers which fold local parts do no harm. */
#include "mail/verp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"

enum { VERP_HASH_BYTES = 8, VERP_HEX = 16, VERP_DIGITS_MOST = 19, VERP_TOKEN_SIZE = 48 };

static const char place[] = "{mail}";

static void token_put(const struct keyring *keys, const char *store, int64_t mail,
                      char out[VERP_TOKEN_SIZE]) {
    char id[24], text[44], hex[2 * 32 + 1];
    uint8_t hash[32];
    (void)snprintf(id, sizeof id, "%" PRId64, mail);
    crypto_token(keys, "return_path", store, id, 1, text);
    crypto_token_hash(text, strlen(text), hash);
    crypto_hex(hash, sizeof hash, hex);
    (void)snprintf(out, VERP_TOKEN_SIZE, "m%s-%.*s", id, VERP_HEX, hex);
}

bool verp_write(const struct keyring *keys, const char *store, const char *pattern,
                int64_t mail, char out[VERP_ADDRESS_SIZE]) {
    const char *at = strstr(pattern, place);
    char token[VERP_TOKEN_SIZE] = "";
    int n;
    if (at)
        token_put(keys, store, mail, token);
    n = snprintf(out, VERP_ADDRESS_SIZE, "%.*s%s%s",
                 (int)(at ? (size_t)(at - pattern) : strlen(pattern)), pattern, token,
                 at ? at + sizeof place - 1 : "");
    return n > 0 && n < VERP_ADDRESS_SIZE && address_valid(out, (size_t)n);
}

/* "m42-9f86…" at s; the number and whether the rest is as it must be. */
static bool token_read(const struct keyring *keys, const char *store, const char *s,
                       int64_t *mail) {
    char wanted[VERP_TOKEN_SIZE], given[VERP_TOKEN_SIZE] = "";
    size_t digits = strspn(s + 1, "0123456789"), n = 1 + digits + 1 + VERP_HEX;
    int64_t number = 0;
    if ((*s != 'm' && *s != 'M') || digits < 1 || digits >= VERP_DIGITS_MOST ||
        strlen(s) < n)
        return false;
    for (size_t i = 1; i <= digits; i++)
        number = 10 * number + (s[i] - '0');
    token_put(keys, store, number, wanted);
    for (size_t i = 0; i < n; i++)
        given[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    *mail = number;
    return strlen(wanted) == n && crypto_equal(given, wanted, n);
}

bool verp_read(const struct keyring *keys, const char *store, const char *address,
               int64_t *mail) {
    const char *end = strchr(address, '@');
    for (const char *s = address; end && s < end; s++)
        if (token_read(keys, store, s, mail))
            return true;
    return false;
}
