/* SPDX-License-Identifier: MIT */
#include "store_key.h"

#include <string.h>

#include "base/memory.h"

enum {
    KEPT_MOST = KEYRING_MOST_BYTES > KEYRING_SEALED_BYTES ? KEYRING_MOST_BYTES
                                                          : KEYRING_SEALED_BYTES
};

/* "\\x" and hex digits into new bytes, the caller's, zeroed and freed; NULL: malformed. */
static uint8_t *bytes_of(const char *text, size_t *n) {
    size_t length = text ? strlen(text) : 0;
    uint8_t *bytes = NULL;

    *n = length / 2 - 1;
    if (length < 4 || length % 2 || *n > KEPT_MOST || strncmp(text, "\\x", 2) != 0) {
        return NULL;
    }
    bytes = memory_get(*n);
    if (bytes && crypto_unhex(text + 2, length - 2, bytes)) {
        memory_free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static void bytes_free(uint8_t *bytes, size_t n) {
    if (bytes) {
        crypto_zero(bytes, n);
    }
    memory_free(bytes);
}

int store_key_kept(const char *text, struct keyring **keys, struct error *error) {
    size_t n = 0;
    uint8_t *secret = bytes_of(text, &n);
    int code =
        secret ? keyring_open((const char *)secret, n, keys, error)
               : error_set(error, ERROR_FAILED, "", "the stored key could not be read");

    bytes_free(secret, n);
    return code;
}

int store_key_carried(const struct keyring *keys, const char *text,
                      struct keyring **whole, struct error *error) {
    size_t n = 0;
    uint8_t *sealed = bytes_of(text, &n);
    int code = 0;

    *whole = NULL;
    if (sealed) {
        code = keyring_carry(keys, sealed, n, whole, error);
    } else if (text) {
        code = error_set(error, ERROR_FAILED, "", "what an earlier key left is damaged");
    }
    bytes_free(sealed, n);
    return code;
}
