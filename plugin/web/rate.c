/* SPDX-License-Identifier: MIT */
/* One network is an IPv4 address or an IPv6 /64; the database sees a keyed hash of it. */
#include "web/rate.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/crypto.h"

enum { NETWORK_V6 = 8, NETWORK_MOST = 96 };

/* "net:" and hex digits; "" when the address is none. */
static void rate_network(const char *address, char out[NETWORK_MOST]) {
    uint8_t bytes[16] = {0};
    char hex[2 * sizeof bytes + 1];
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    out[0] = '\0';
    if (inet_pton(AF_INET, address, bytes) == 1) {
        crypto_hex(bytes, 4, hex);
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        bool four = memcmp(bytes, mapped, sizeof mapped) == 0;
        crypto_hex(four ? bytes + sizeof mapped : bytes, four ? 4 : NETWORK_V6, hex);
    } else {
        return;
    }
    memcpy(out, "net:", 4);
    memcpy(out + 4, hex, strlen(hex) + 1);
}

bool rate_key(const struct exchange *x, uint8_t hash[32]) {
    const struct keyring *keys = x->store->keys;
    char network[NETWORK_MOST];

    rate_network(x->client_address, network);
    if (!keys || !*network) {
        return false;
    }
    crypto_address_key(keys, network, hash);
    return true;
}

static bool rate_ask(const struct exchange *x, const char *sql, const char *rule) {
    uint8_t hash[32];
    struct db_params p;
    struct db_result *result = NULL;
    bool within = true;

    if (!rate_key(x, hash)) {
        return true;
    }
    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_text(&p, rule);
    db_add_bytes(&p, hash, sizeof hash);
    if (!store_call(x->store, sql, &p, x->deadline_us, &result, NULL, NULL)) {
        within = db_bool(result, 0, 0);
    }
    db_result_free(result);
    db_params_free(&p);
    return within;
}

/* Every link that is a capability has {token} in its pattern. */
static bool rate_linked(const struct exchange *x) {
    return x->route && strstr(x->route->pattern, "{token}");
}

int rate_admit(const struct exchange *x) {
    bool form = exchange_unsafe(x) && (x->route->roles & ROLE_ANYBODY) &&
                x->route->guard != GUARD_NONE;

    if (form && !rate_ask(x, "SELECT vouch.rate_take($1, $2, $3)", "form")) {
        return 429;
    }
    return !rate_linked(x) || rate_ask(x, "SELECT vouch.rate_left($1, $2, $3)", "miss")
               ? 0
               : 429;
}

void rate_miss(const struct exchange *x, int status) {
    if (status == 404 && rate_linked(x)) {
        (void)rate_ask(x, "SELECT vouch.rate_take($1, $2, $3)", "miss");
    }
}
