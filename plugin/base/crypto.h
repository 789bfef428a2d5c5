/* SPDX-License-Identifier: MIT */
/* Keys, tokens, codes, hashes by libsodium. A keyring is immutable after open: any number
 * of threads may use it. Sizes in prototypes count the NUL. crypto_start comes first. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define KEYRING_LEAST_BYTES 16  /* shorter secrets are refused */
#define KEYRING_MOST_BYTES 4096 /* and longer ones */
#define KEYRING_SEALED_BYTES (24 + 16 + 5 * 33)
#define CRYPTO_CODE_LENGTH 13   /* 65 bits in Crockford's base32 */
#define CRYPTO_CODE_PRINTED 14  /* with the check character behind */
#define CRYPTO_CODE_MOST 63     /* a code as typed, prefix included, in normal form */
#define CRYPTO_BASE64URL_SIZE(n) (((n)*4 + 2) / 3 + 1)

/* Subkeys derived from one secret: tokens, codes, code hashes, addresses, message ids,
 * csrf, signature. Held in locked pages that no core dump shows. */
struct keyring;

/* 0 or ERROR_FAILED. Thread-safe, may be repeated. */
int crypto_start(void);

/* The keyring is the caller's, closed (zeroed) with keyring_close, which accepts NULL.
 * The secret is only read; its owner zeroes it. */
int keyring_open(const char *secret, size_t length, struct keyring **keys,
                 struct error *error);
void keyring_close(struct keyring *keys);
/* 32 hex digits, safe to store and print. */
void keyring_fingerprint(const struct keyring *keys, char out[33]);
/* What outlives a change of the secret, sealed for the keyring that follows: codes,
 * addresses, message ids and, unless links are to end, tokens. out is the caller's. */
void keyring_seal(const struct keyring *from, const struct keyring *to, bool links,
                  uint8_t out[KEYRING_SEALED_BYTES]);
/* A new keyring, the caller's: keys with what keyring_seal sealed for it in their place.
 * ERROR_INVALID when it was sealed for another or damaged. */
int keyring_carry(const struct keyring *keys, const void *sealed, size_t n,
                  struct keyring **whole, struct error *error);
/* The Ed25519 key that checks crypto_sign. */
void keyring_public(const struct keyring *keys, uint8_t out[32]);

/* 43 characters base64url of 32 bytes; the same again for the same arguments. */
void crypto_token(const struct keyring *keys, const char *purpose, const char *store,
                  const char *id, int64_t version, char out[44]);
/* SHA-256 of the token's text: what the tables hold. */
void crypto_token_hash(const char *token, size_t n, uint8_t out[32]);
void crypto_message_id(const struct keyring *keys, const char *store, int64_t mail_id,
                       char out[44]);
void crypto_csrf(const struct keyring *keys, const char *login, const char *route,
                 int64_t day, char out[44]);

/* 13 characters of 0-9 A-Z without I L O U. */
void crypto_code(const struct keyring *keys, const char *store, const char *order_id,
                 int64_t version, char out[14]);
/* The check character of 13 such characters, of the same alphabet: one wrong character is
 * always noticed, and so are any two that changed places. '\0' for others. */
char crypto_code_check(const char *code);
/* A code as typed into its normal form: ASCII letters and digits in upper case, dashes
 * and spaces (Unicode's too) dropped, and within the last 14 characters O as 0, I and L
 * as 1; what stands before them is a prefix and keeps its letters. False for anything
 * else, for nothing, and for more than 63 characters. Idempotent. Hash both sides through
 * it. */
bool crypto_code_normal(const char *typed, size_t n, char out[64]);
void crypto_code_hash(const struct keyring *keys, const char *store,
                      const char *normal_code, uint8_t out[32]);
/* Keyed hash of what address_normal gives. */
void crypto_address_key(const struct keyring *keys, const char *normal_address,
                        uint8_t out[32]);

void crypto_sign(const struct keyring *keys, const void *bytes, size_t n,
                 uint8_t signature[64]);
bool crypto_signed(const uint8_t public_key[32], const void *bytes, size_t n,
                   const uint8_t signature[64]);
/* HMAC-SHA256 under a key of any length (Standard Webhooks). */
void crypto_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n,
                        uint8_t out[32]);

/* The kernel's random bytes, no state in the process. */
void crypto_random(void *out, size_t n);
void crypto_sha256(const void *bytes, size_t n, uint8_t out[32]);
/* In constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);
void crypto_zero(void *p, size_t n);

/* out: CRYPTO_BASE64URL_SIZE(n) bytes, unpadded. */
void crypto_base64url(const void *bytes, size_t n, char *out);
/* out: 2 * n + 1 bytes, lower case. */
void crypto_hex(const void *bytes, size_t n, char *out);
/* n hex digits, an even number, either case, into n / 2 bytes; 0 or ERROR_INVALID. */
int crypto_unhex(const char *hex, size_t n, uint8_t *out);
/* Padded, one line; the caller's, memory_free; NULL without memory. */
char *crypto_base64(const void *bytes, size_t n);
/* Standard or URL alphabet, padded or not, into new bytes, the caller's, memory_free,
 * *size of them and a NUL behind; NULL when malformed or without memory. */
void *crypto_unbase64(const char *text, size_t n, size_t *size);
/* libsodium's: "1.0.18". */
const char *crypto_library_version(void);

#endif
