/* SPDX-License-Identifier: MIT */
/* The rules of the route table, applied. */
#include "web/guard.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crypto.h"

#define GUARD_DAY_US (INT64_C(24) * 3600 * 1000000)

int guard_role(const struct exchange *x, const struct route *route) {
    return (route->roles & (ROLE_ANYBODY | x->role)) ? 0 : 403;
}

/* Both "https://shop.test:8443/x" and "shop.test:8443" name the place "shop.test:8443". */
static bool guard_same_place(const char *origin, const char *place) {
    const char *scheme = strstr(place, "://");
    const char *from = strstr(origin, "://");
    const char *host = scheme ? scheme + 3 : place;

    if (!from || *host == '\0') {
        return false;
    }
    from += 3;
    size_t n = strcspn(host, "/?#");
    return strlen(from) == n && strncasecmp(from, host, n) == 0;
}

int guard_origin(const struct exchange *x, const struct route *route) {
    const char *site = exchange_header(x, "sec-fetch-site");
    const char *origin = exchange_header(x, "origin");
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";

    if (!exchange_unsafe(x) || route->guard == GUARD_NONE) {
        return 0;
    }
    if (*site) {
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0 ? 0 : 403;
    }
    if (*origin == '\0') {
        return 0;
    }
    if (strcmp(origin, "null") == 0) {
        return (route->roles & ROLE_ANYBODY) ? 0 : 403;
    }
    return guard_same_place(origin, base) ||
                   guard_same_place(origin, exchange_header(x, "host"))
               ? 0
               : 403;
}

static void guard_of_day(const struct exchange *x, const struct route *route, int64_t day,
                         char out[44]) {
    const struct keyring *keys = x->store->keys;

    memset(out, 0, 44);
    if (keys && *x->operator_name) {
        crypto_csrf(keys, x->operator_name, route->pattern, day, out);
    }
}

void guard_make(const struct exchange *x, const struct route *route, char out[44]) {
    guard_of_day(x, route, clock_wall_us() / GUARD_DAY_US, out);
}

int guard_token(const struct exchange *x, const struct route *route) {
    const char *given = exchange_header(x, "x-csrf-token");
    int64_t day = clock_wall_us() / GUARD_DAY_US;
    bool right = false;

    if (!exchange_unsafe(x) || route->guard != GUARD_TOKEN) {
        return 0;
    }
    if (*given == '\0') {
        given = query_get(&x->form, "csrf");
    }
    for (int ago = 0; ago < 2 && given; ago++) {
        char expected[44];
        guard_of_day(x, route, day - ago, expected);
        right |= strlen(expected) == 43 && strlen(given) == 43 &&
                 crypto_equal(expected, given, 43);
    }
    return right ? 0 : 403;
}
