/* SPDX-License-Identifier: MIT */
/* The prefix is for people, the check character against slips of the pen: the hash is over
 * the 13 characters between them. */
#include "request/discount.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { DISCOUNT_VERSION = 1, DISCOUNT_CLIENT_SIZE = 1024 };

void discount_print(const struct keyring *keys, const char *store, const char *order_id,
                    const char *prefix, char out[DISCOUNT_CODE_SIZE]) {
    char code[CRYPTO_CODE_LENGTH + 1];
    crypto_code(keys, store, order_id, DISCOUNT_VERSION, code);
    (void)snprintf(out, DISCOUNT_CODE_SIZE, "%.*s%s%c", DISCOUNT_PREFIX_MAX,
                   prefix ? prefix : "", code, crypto_code_check(code));
    crypto_zero(code, sizeof code);
}

bool discount_code(const struct store *store, const struct settings *settings,
                   const char *order_id, char out[DISCOUNT_CODE_SIZE]) {
    const json_t *policy = settings_rows(settings, "discount_policy");
    const struct keyring *keys = store->keys;
    if (!json_is_object(policy) || !keys)
        return false;
    discount_print(keys, store->name, order_id,
                   json_string_value(json_object_get(policy, "prefix")), out);
    return true;
}

bool discount_hash(const struct store *store, const char *typed, size_t n,
                   uint8_t out[32]) {
    char normal[CRYPTO_CODE_MOST + 1];
    const struct keyring *keys = store->keys;
    size_t length;
    if (!keys || !crypto_code_normal(typed, n, normal))
        return false;
    length = strlen(normal);
    if (length < CRYPTO_CODE_PRINTED)
        return false;
    char *code = normal + length - CRYPTO_CODE_PRINTED;
    char check = code[CRYPTO_CODE_LENGTH];
    code[CRYPTO_CODE_LENGTH] = '\0';
    if (check != crypto_code_check(code))
        return false;
    crypto_code_hash(keys, store->name, code, out);
    crypto_zero(normal, sizeof normal);
    return true;
}

/* Behind the same key as codes, but no code holds a space. */
void discount_client(const struct store *store, const char *client_address,
                     const char *order_id, uint8_t out[32]) {
    char text[DISCOUNT_CLIENT_SIZE], hex[2 * 8 + 1];
    uint8_t v6[16];
    if (client_address && inet_pton(AF_INET6, client_address, v6) == 1) {
        static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
        bool v4 = memcmp(v6, mapped, sizeof mapped) == 0;
        crypto_hex(v4 ? v6 + 12 : v6, v4 ? 4 : 8, hex);
    } else if (client_address && inet_pton(AF_INET, client_address, v6) == 1) {
        crypto_hex(v6, 4, hex);
    } else {
        client_address = NULL;
    }
    (void)snprintf(text, sizeof text, "%s %s", client_address ? "client" : "order",
                   client_address ? hex : order_id);
    crypto_code_hash(store->keys, store->name, text, out);
}
