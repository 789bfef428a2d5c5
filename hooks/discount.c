/* SPDX-License-Identifier: MIT */
/* discount.redeemed: a question and its record in one. */
#include <string.h>

#include "base/crypto.h"
#include "event.h"
#include "request/discount.h"

int event_discount(struct event *event) {
    const char *typed = NULL, *order_id = NULL;
    uint8_t hash[32];
    char hex[65];
    struct field f;
    int code = event_object(event, "discount", "/data/discount", &f);

    if (!code) {
        code = json_need_string(&f, "code", EVENT_CODE, &typed);
    }
    if (!code) {
        code = json_need_string(&f, "order_id", EVENT_ID, &order_id);
    }
    if (code || !event->store->keys) {
        return code;
    }
    /* What cannot be a code is one that nobody was given. */
    if (!discount_hash(event->store, typed, strlen(typed), hash)) {
        memset(hash, 0, sizeof hash);
    }
    crypto_hex(hash, sizeof hash, hex);
    return event_body(event, json_pack("{s:s, s:s, s:s}", "code", typed, "code_hash", hex,
                                       "order_id", order_id));
}
