/* SPDX-License-Identifier: MIT */
/* One table of purposes, so that doors and tokens cannot drift apart. */
#include "request/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

enum { LINK_URL_MAX = 4096, LINK_VERSION_ALONE = 1 };

static const struct {
    const char *purpose, *door;
} doors[] = {[LINK_REVIEW] = {"review", "/r/"},
             [LINK_UNSUBSCRIBE] = {"unsubscribe", "/u/"},
             [LINK_AUTHOR] = {"author", "/a/"},
             [LINK_CONFIRM] = {"confirm", "/c/"},
             [LINK_RESOLUTION] = {"resolution", "/s/"},
             [LINK_ALERT] = {"alert", "/k/"},
             [LINK_THREAD] = {"thread", ""},
             [LINK_REPORT] = {"report", "/n/"}};

/* Mail servers may fold the case of an address. */
static void make_caseless(char token[44]) {
    uint8_t digest[32];
    char hex[65];
    crypto_sha256(token, strlen(token), digest);
    crypto_hex(digest, sizeof digest, hex);
    memcpy(token, hex, LINK_THREAD_DIGITS);
    token[LINK_THREAD_DIGITS] = '\0';
}

int link_make(const struct store *store, enum link_purpose purpose, const char *id,
              int64_t version, struct link *link, struct error *error) {
    const struct keyring *keys = store->keys;
    if (!keys)
        return error_set(error, ERROR_UNAVAILABLE, "",
                         "the store's key is not known yet");
    link->purpose = purpose;
    crypto_token(keys, doors[purpose].purpose, store->name, id,
                 purpose == LINK_REVIEW ? version : LINK_VERSION_ALONE, link->token);
    if (purpose == LINK_THREAD)
        make_caseless(link->token);
    crypto_token_hash(link->token, strlen(link->token), link->hash);
    return 0;
}

int link_make_number(const struct store *store, enum link_purpose purpose, int64_t id,
                     int64_t version, struct link *link, struct error *error) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, id);
    return link_make(store, purpose, text, version, link, error);
}

static void put_base(struct buffer *b, const char *base_url) {
    size_t n = strlen(base_url);
    while (n > 0 && base_url[n - 1] == '/')
        n--;
    buffer_append(b, base_url, n);
}

char *link_url(const char *base_url, const struct link *link) {
    struct buffer b;
    buffer_init(&b, LINK_URL_MAX);
    put_base(&b, base_url);
    buffer_text(&b, doors[link->purpose].door);
    buffer_text(&b, link->token);
    return buffer_steal(&b);
}

static void put_segment(struct buffer *b, const char *s) {
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c))
            buffer_char(b, *s);
        else
            buffer_format(b, "%%%02X", (unsigned)c);
    }
}

char *link_page(const char *base_url, const char *path, const char *segment,
                const char *rest) {
    struct buffer b;
    buffer_init(&b, LINK_URL_MAX);
    put_base(&b, base_url);
    buffer_text(&b, path);
    put_segment(&b, segment ? segment : "");
    buffer_text(&b, rest);
    return buffer_steal(&b);
}

json_t *link_token(const struct link *link, int64_t subject, const char *address_key) {
    char hash[65];
    crypto_hex(link->hash, sizeof link->hash, hash);
    json_t *token = json_pack("{s:s, s:s, s:s*}", "hash", hash, "purpose",
                              doors[link->purpose].purpose, "address_key", address_key);
    if (token && subject != 0 &&
        json_object_set_new(token, "subject_id", json_integer(subject))) {
        json_decref(token);
        token = NULL;
    }
    return token;
}
