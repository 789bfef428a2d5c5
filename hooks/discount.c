/* SPDX-License-Identifier: MIT */
/* discount.redeemed: a question and its record in one. */
#include <string.h>

#include "base/crypto.h"
#include "event.h"
#include "request/discount.h"

int event_discount(struct event *event) {
    const char *typed = NULL, *order_id = NULL, *client = NULL;
    uint8_t hash[32];
    char hex[65], client_hex[65];
    struct field f;
    int code = event_object(event, "discount", "/data/discount", &f);

    if (!code) {
        code = json_need_string(&f, "code", EVENT_CODE, &typed);
    }
    if (!code) {
        code = json_need_string(&f, "order_id", EVENT_ID, &order_id);
    }
    if (!code) {
        code = json_take_string(&f, "client_address", EVENT_CLIENT, &client);
    }
    if (code || !event->store->keys) {
        return code;
    }
    discount_client(event->store, client, order_id, hash);
    crypto_hex(hash, sizeof hash, client_hex);
    /* What cannot be a code is one that nobody was given. */
    if (!discount_hash(event->store, typed, strlen(typed), hash)) {
        memset(hash, 0, sizeof hash);
    }
    crypto_hex(hash, sizeof hash, hex);
    return event_body(event, json_pack("{s:s, s:s, s:s, s:s}", "code", typed, "code_hash",
                                       hex, "order_id", order_id, "client_key",
                                       client_hex));
}
