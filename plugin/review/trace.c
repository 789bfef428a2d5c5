/* SPDX-License-Identifier: MIT */
/* Prints, networks and staff. */
#include "review/trace.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "moderation/shingle.h"

enum { TRACE_TEXT_MOST = 32768, NETWORK_V6 = 8 };

static int trace_print(const struct store *store, const struct submission *s,
                       json_t *body) {
    const struct keyring *keys = store->keys;
    uint8_t key[32];
    uint64_t seed = 0;
    int64_t bands[SHINGLE_BANDS];
    struct buffer text;
    int code = 0;

    if (!keys) {
        return 0;
    }
    crypto_address_key(keys, "vouch:print", key);
    memcpy(&seed, key, sizeof seed);
    buffer_init(&text, TRACE_TEXT_MOST);
    buffer_text(&text, s->title ? s->title : "");
    buffer_char(&text, ' ');
    buffer_text(&text, s->body ? s->body : "");
    if (buffer_ok(&text) && shingle_print(text.data, text.length, seed, bands)) {
        json_t *print = json_array();
        for (size_t i = 0; i < SHINGLE_BANDS && !code; i++) {
            code = json_array_append_new(print, json_integer(bands[i]));
        }
        code = json_object_set_new(body, "print", print) || code;
    }
    buffer_free(&text);
    return code;
}

/* One network is an IPv4 address or an IPv6 /64, as in the limits of pages. */
static int trace_client(const struct store *store, const char *address, json_t *body) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct keyring *keys = store->keys;
    uint8_t bytes[16] = {0}, key[32];
    char name[40] = "net:", hex[65];

    if (!keys || !address) {
        return 0;
    }
    if (inet_pton(AF_INET, address, bytes) == 1) {
        crypto_hex(bytes, 4, name + 4);
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        bool four = memcmp(bytes, mapped, sizeof mapped) == 0;
        crypto_hex(four ? bytes + sizeof mapped : bytes, four ? 4 : NETWORK_V6, name + 4);
    } else {
        return 0;
    }
    crypto_address_key(keys, name, key);
    crypto_hex(key, sizeof key, hex);
    return json_object_set_new(body, "client_key", json_string(hex));
}

static bool same_address(const char *listed, const char *email) {
    char *one = address_normal(listed), *other = address_normal(email);
    bool same = one && other && strcmp(one, other) == 0;

    memory_free(one);
    memory_free(other);
    return same;
}

/* The domain itself or one below it. */
static bool same_domain(const char *listed, const char *email) {
    const char *domain = strrchr(email, '@');
    char *one = text_fold(listed, strlen(listed));
    char *other = domain ? text_fold(domain + 1, strlen(domain + 1)) : NULL;
    size_t n = one ? strlen(one) : 0, m = other ? strlen(other) : 0;
    bool same = n && m >= n && strcmp(other + m - n, one) == 0 &&
                (m == n || other[m - n - 1] == '.');

    memory_free(one);
    memory_free(other);
    return same;
}

static bool same_name(const char *listed, const char *name) {
    char *one = text_fold(listed, strlen(listed)), *other = text_fold(name, strlen(name));
    bool same = one && other && strcmp(one, other) == 0;

    memory_free(one);
    memory_free(other);
    return same;
}

static bool is_staff(const struct settings *settings, const struct submission *s) {
    const json_t *rows = settings_rows(settings, "staff_identity"), *row;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        const char *kind = json_string_value(json_object_get(row, "kind"));
        const char *value = json_string_value(json_object_get(row, "value"));
        if (!kind || !value) {
            continue;
        }
        if ((strcmp(kind, "name") == 0 && s->name && same_name(value, s->name)) ||
            (strcmp(kind, "address") == 0 && s->email && same_address(value, s->email)) ||
            (strcmp(kind, "domain") == 0 && s->email && same_domain(value, s->email))) {
            return true;
        }
    }
    return false;
}

int trace_add(const struct store *store, const struct settings *settings,
              const struct submission *submission, json_t *body, struct error *error) {
    int code = trace_print(store, submission, body);

    code = code || trace_client(store, submission->client_address, body);
    if (!code && is_staff(settings, submission)) {
        code = json_array_append_new(json_object_get(body, "reasons"),
                                     json_string("insider"));
    }
    return code ? error_set(error, ERROR_FAILED, "", "no memory for the review") : 0;
}
