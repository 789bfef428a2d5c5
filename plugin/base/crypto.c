/* SPDX-License-Identifier: MIT */
/* The one place that knows libsodium. Every derived value is a keyed BLAKE2b over parts that
 * carry their length, under a subkey of its own, so that no two purposes can meet. */
#include "base/crypto.h"

#include <string.h>

/* libsodium has a crypto_sign of its own, which is not used here. */
#define crypto_sign sodium_crypto_sign
#include <sodium.h>
#undef crypto_sign

#include "base/memory.h"
#include "base/text.h"

/* Numbers of the subkeys, part of what tokens are made of: never renumber. */
enum subkey {
    KEY_TOKEN = 1,
    KEY_CODE = 2,
    KEY_CODE_HASH = 3,
    KEY_ADDRESS = 4,
    KEY_MESSAGE_ID = 5,
    KEY_CSRF = 6,
    KEY_SIGN = 7,
    KEY_FINGERPRINT = 8,
    KEY_SEAL = 9,
    KEY_COUNT = 10
};

/* What is stored or promised for longer than a secret lasts. */
static const enum subkey lasting[] = {KEY_CODE, KEY_CODE_HASH, KEY_ADDRESS,
                                      KEY_MESSAGE_ID, KEY_TOKEN};

enum {
    LASTING = sizeof lasting / sizeof *lasting,
    SEALED_ENTRY = 33, /* a subkey's number and its bytes */
    SEALED_PLAIN = LASTING * SEALED_ENTRY
};
_Static_assert(KEYRING_SEALED_BYTES == crypto_secretbox_NONCEBYTES +
                                           crypto_secretbox_MACBYTES + SEALED_PLAIN,
               "what is sealed has its size in the header");

struct keyring {
    uint8_t keys[KEY_COUNT][32]; /* by enum subkey */
    uint8_t secret_sign[crypto_sign_SECRETKEYBYTES];
    uint8_t public_sign[crypto_sign_PUBLICKEYBYTES];
};

struct part {
    const void *bytes;
    size_t n;
};

int crypto_start(void) {
    return sodium_init() < 0 ? ERROR_FAILED : 0;
}

int keyring_open(const char *secret, size_t length, struct keyring **keys,
                 struct error *error) {
    static const unsigned char salt[16] = {0};
    static const unsigned char person[16] = "vouch.keyring.1";
    *keys = NULL;
    if (!secret || length < KEYRING_LEAST_BYTES || length > KEYRING_MOST_BYTES) {
        return error_set(error, ERROR_INVALID, "/secrets/key",
                         "The key must be of %d to %d bytes.", KEYRING_LEAST_BYTES,
                         KEYRING_MOST_BYTES);
    }
    struct keyring *made = NULL;
    if (crypto_start() == 0 && !memory_refused()) {
        made = sodium_malloc(sizeof *made);
    }
    if (!made) {
        return error_set(error, ERROR_FAILED, "", "There is no memory for the keys.");
    }
    uint8_t master[32];
    crypto_generichash_blake2b_salt_personal(master, sizeof master,
                                             (const unsigned char *)secret, length, NULL,
                                             0, salt, person);
    for (uint64_t i = 0; i < KEY_COUNT; i++) {
        crypto_kdf_derive_from_key(made->keys[i], 32, i, "vouch__1", master);
    }
    crypto_sign_seed_keypair(made->public_sign, made->secret_sign, made->keys[KEY_SIGN]);
    sodium_memzero(master, sizeof master);
    (void)sodium_mprotect_readonly(made); /* one more wall; the keys work without it */
    *keys = made;
    return 0;
}

void keyring_seal(const struct keyring *from, const struct keyring *to, bool links,
                  uint8_t out[KEYRING_SEALED_BYTES]) {
    uint8_t plain[SEALED_PLAIN];

    for (size_t i = 0; i < LASTING; i++) {
        bool own = lasting[i] == KEY_TOKEN && !links;
        plain[i * SEALED_ENTRY] = (uint8_t)lasting[i];
        memcpy(plain + i * SEALED_ENTRY + 1, (own ? to : from)->keys[lasting[i]], 32);
    }
    randombytes_buf(out, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, plain, sizeof plain, out,
                          to->keys[KEY_SEAL]);
    sodium_memzero(plain, sizeof plain);
}

int keyring_carry(const struct keyring *keys, const void *sealed, size_t n,
                  struct keyring **whole, struct error *error) {
    const uint8_t *bytes = sealed;
    uint8_t plain[SEALED_PLAIN];

    *whole = NULL;
    if (n != KEYRING_SEALED_BYTES ||
        crypto_secretbox_open_easy(plain, bytes + crypto_secretbox_NONCEBYTES,
                                   n - crypto_secretbox_NONCEBYTES, bytes,
                                   keys->keys[KEY_SEAL]) != 0) {
        return error_set(error, ERROR_INVALID, "/secrets/key",
                         "what an earlier key left behind was not sealed for this key");
    }
    struct keyring *made = memory_refused() ? NULL : sodium_malloc(sizeof *made);
    if (made) {
        memcpy(made, keys, sizeof *made);
        for (size_t i = 0; i < LASTING; i++) {
            uint8_t number = plain[i * SEALED_ENTRY];
            if (number < KEY_COUNT) {
                memcpy(made->keys[number], plain + i * SEALED_ENTRY + 1, 32);
            }
        }
        (void)sodium_mprotect_readonly(made);
    }
    sodium_memzero(plain, sizeof plain);
    *whole = made;
    return made ? 0 : error_set(error, ERROR_FAILED, "", "There is no memory for the keys.");
}

void keyring_close(struct keyring *keys) {
    sodium_free(keys);
}

/* n bytes, 16 to 64. */
static void keyed(const uint8_t key[32], const struct part *parts, size_t count,
                  uint8_t *out, size_t n) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, 32, n);
    for (size_t i = 0; i < count; i++) {
        uint8_t length[8];
        for (size_t byte = 0; byte < 8; byte++) {
            length[byte] = (uint8_t)((uint64_t)parts[i].n >> (8 * byte));
        }
        crypto_generichash_update(&state, length, sizeof length);
        crypto_generichash_update(&state, parts[i].bytes, parts[i].n);
    }
    crypto_generichash_final(&state, out, n);
    sodium_memzero(&state, sizeof state);
}

static struct part part_text(const char *s) {
    return (struct part){s ? s : "", s ? strlen(s) : 0};
}

/* The number as eight bytes, the lowest first, whatever the machine. */
static struct part part_number(int64_t number, uint8_t bytes[8]) {
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    }
    return (struct part){bytes, 8};
}

static void keyed_text(const uint8_t key[32], const struct part *parts, size_t count,
                       char out[44]) {
    uint8_t hash[32];
    keyed(key, parts, count, hash, sizeof hash);
    crypto_base64url(hash, sizeof hash, out);
    sodium_memzero(hash, sizeof hash);
}

void keyring_fingerprint(const struct keyring *keys, char out[33]) {
    crypto_hex(keys->keys[KEY_FINGERPRINT], 16, out);
}

void keyring_public(const struct keyring *keys, uint8_t out[32]) {
    memcpy(out, keys->public_sign, 32);
}

void crypto_token(const struct keyring *keys, const char *purpose, const char *store,
                  const char *id, int64_t version, char out[44]) {
    uint8_t number[8];
    const struct part parts[] = {part_text(purpose), part_text(store), part_text(id),
                                 part_number(version, number)};
    keyed_text(keys->keys[KEY_TOKEN], parts, 4, out);
}

void crypto_token_hash(const char *token, size_t n, uint8_t out[32]) {
    crypto_sha256(token, n, out);
}

void crypto_message_id(const struct keyring *keys, const char *store, int64_t mail_id,
                       char out[44]) {
    uint8_t number[8];
    const struct part parts[] = {part_text(store), part_number(mail_id, number)};
    keyed_text(keys->keys[KEY_MESSAGE_ID], parts, 2, out);
}

void crypto_csrf(const struct keyring *keys, const char *login, const char *route,
                 int64_t day, char out[44]) {
    uint8_t number[8];
    const struct part parts[] = {part_text(login), part_text(route),
                                 part_number(day, number)};
    keyed_text(keys->keys[KEY_CSRF], parts, 3, out);
}

static const char code_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void crypto_code(const struct keyring *keys, const char *store, const char *order_id,
                 int64_t version, char out[14]) {
    uint8_t number[8], hash[16];
    const struct part parts[] = {part_text(store), part_text(order_id),
                                 part_number(version, number)};
    keyed(keys->keys[KEY_CODE], parts, 3, hash, sizeof hash);
    for (size_t i = 0; i < CRYPTO_CODE_LENGTH; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
        out[i] = code_alphabet[pair >> (11 - bit % 8) & 31];
    }
    out[CRYPTO_CODE_LENGTH] = '\0';
    sodium_memzero(hash, sizeof hash);
}

/* Times x in the field of 32 elements, modulo x^5 + x^2 + 1. */
static unsigned code_double(unsigned v) {
    return v & 16 ? v << 1 ^ 0x25 : v << 1;
}

/* A polynomial over that field: each place has a weight of its own. */
char crypto_code_check(const char *code) {
    unsigned sum = 0;
    for (size_t i = 0; i < CRYPTO_CODE_LENGTH; i++) {
        const char *at = code[i] ? strchr(code_alphabet, code[i]) : NULL;
        if (!at) {
            return '\0';
        }
        sum = code_double(sum ^ (unsigned)(at - code_alphabet));
    }
    return code_alphabet[sum];
}

/* Dashes and spaces as mails, phones and word processors make them. */
static bool is_separator(int32_t c) {
    return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || text_is_space(c);
}

/* The character that a code keeps, 0 for one to drop, -1 for one that no code holds. */
static int32_t code_character(int32_t c) {
    if (is_separator(c)) {
        return 0;
    }
    c = c >= 'a' && c <= 'z' ? c - 32 : c;
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ? c : -1;
}

bool crypto_code_normal(const char *typed, size_t n, char out[64]) {
    size_t length = 0;
    out[0] = '\0';
    for (size_t at = 0; at < n;) {
        int32_t c;
        int used = text_decode(typed + at, n - at, &c);
        c = used < 1 ? -1 : code_character(c);
        if (c < 0 || (c > 0 && length == CRYPTO_CODE_MOST)) {
            out[0] = '\0';
            return false;
        }
        out[length] = (char)c;
        length += c > 0;
        at += (size_t)used;
    }
    out[length] = '\0';
    size_t prefix = length > CRYPTO_CODE_PRINTED ? length - CRYPTO_CODE_PRINTED : 0;
    for (size_t i = prefix; i < length; i++) {
        out[i] = out[i] == 'O' ? '0' : out[i] == 'I' || out[i] == 'L' ? '1' : out[i];
    }
    return length > 0;
}

void crypto_code_hash(const struct keyring *keys, const char *store,
                      const char *normal_code, uint8_t out[32]) {
    const struct part parts[] = {part_text(store), part_text(normal_code)};
    keyed(keys->keys[KEY_CODE_HASH], parts, 2, out, 32);
}

void crypto_address_key(const struct keyring *keys, const char *normal_address,
                        uint8_t out[32]) {
    const struct part parts[] = {part_text(normal_address)};
    keyed(keys->keys[KEY_ADDRESS], parts, 1, out, 32);
}

void crypto_sign(const struct keyring *keys, const void *bytes, size_t n,
                 uint8_t signature[64]) {
    crypto_sign_detached(signature, NULL, bytes, n, keys->secret_sign);
}

bool crypto_signed(const uint8_t public_key[32], const void *bytes, size_t n,
                   const uint8_t signature[64]) {
    return crypto_sign_verify_detached(signature, bytes, n, public_key) == 0;
}

void crypto_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n,
                        uint8_t out[32]) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_n);
    crypto_auth_hmacsha256_update(&state, bytes, n);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void crypto_random(void *out, size_t n) {
    randombytes_buf(out, n);
}

void crypto_sha256(const void *bytes, size_t n, uint8_t out[32]) {
    crypto_hash_sha256(out, bytes, n);
}

bool crypto_equal(const void *a, const void *b, size_t n) {
    return sodium_memcmp(a, b, n) == 0;
}

void crypto_zero(void *p, size_t n) {
    sodium_memzero(p, n);
}

void crypto_base64url(const void *bytes, size_t n, char *out) {
    sodium_bin2base64(out, CRYPTO_BASE64URL_SIZE(n), bytes, n,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void crypto_hex(const void *bytes, size_t n, char *out) {
    sodium_bin2hex(out, 2 * n + 1, bytes, n);
}

int crypto_unhex(const char *hex, size_t n, uint8_t *out) {
    size_t made = 0;
    bool whole = n % 2 == 0 &&
                 sodium_hex2bin(out, n / 2, hex, n, NULL, &made, NULL) == 0 &&
                 made == n / 2;
    return whole ? 0 : ERROR_INVALID;
}

char *crypto_base64(const void *bytes, size_t n) {
    if (n > SIZE_MAX / 4) {
        return NULL;
    }
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    char *out = memory_get(size);
    if (out) {
        sodium_bin2base64(out, size, bytes, n, sodium_base64_VARIANT_ORIGINAL);
    }
    return out;
}

void *crypto_unbase64(const char *text, size_t n, size_t *size) {
    bool url = n > 0 && (memchr(text, '-', n) || memchr(text, '_', n));
    bool padded = n > 0 && text[n - 1] == '=';
    int variant = url      ? padded ? sodium_base64_VARIANT_URLSAFE
                                    : sodium_base64_VARIANT_URLSAFE_NO_PADDING
                  : padded ? sodium_base64_VARIANT_ORIGINAL
                           : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    size_t most = n / 4 * 3 + 3;
    unsigned char *out = memory_get(most + 1);
    *size = 0;
    if (!out) {
        return NULL;
    }
    if (sodium_base642bin(out, most, text, n, NULL, size, NULL, variant) != 0) {
        sodium_memzero(out, most);
        memory_free(out);
        *size = 0;
        return NULL;
    }
    out[*size] = '\0';
    return out;
}

const char *crypto_library_version(void) {
    return sodium_version_string();
}
