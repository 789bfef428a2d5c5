/* SPDX-License-Identifier: MIT */
/* Keys of persons. */
#include "review/person.h"

#include <string.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "base/memory.h"

static void person_key(const struct store *store, const char *text, uint8_t key[32]) {
    const struct keyring *keys = store->keys;

    if (keys) {
        crypto_address_key(keys, text, key);
    } else {
        memset(key, 0, 32);
    }
}

int person_address_key(const struct store *store, const char *email, const char *pointer,
                       uint8_t key[32], struct error *error) {
    if (!address_valid(email, strlen(email))) {
        return error_set(error, ERROR_INVALID, pointer,
                         "this is not a mail address that can be written to");
    }
    char *normal = address_normal(email);
    if (!normal) {
        return error_set(error, ERROR_FAILED, "", "no memory for an address");
    }
    person_key(store, normal, key);
    memory_free(normal);
    return 0;
}

int person_customer_key(const struct store *store, const char *customer_id,
                        uint8_t key[32], struct error *error) {
    struct buffer named;
    int code = 0;

    /* A colon and no @: the two kinds of keys cannot meet. */
    buffer_init(&named, 4096);
    buffer_text(&named, "id:");
    buffer_text(&named, store->name);
    buffer_char(&named, ':');
    buffer_text(&named, customer_id);
    if (buffer_ok(&named)) {
        person_key(store, named.data, key);
    } else {
        code = error_set(error, ERROR_FAILED, "", "no memory for a customer id");
    }
    buffer_free(&named);
    return code;
}
