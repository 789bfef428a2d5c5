/* SPDX-License-Identifier: MIT */
/* product.updated. */
#include <string.h>

#include "event.h"

static int product_gtin(const struct field *f, const char **gtin) {
    int code = json_take_string(f, "gtin", 14, gtin);
    size_t n = !code && *gtin ? strlen(*gtin) : 0;

    if (n && (strspn(*gtin, "0123456789") != n || (n != 8 && n < 12))) {
        code = error_set(f->error, ERROR_INVALID, "/data/product/gtin",
                         "gtin is 8, 12, 13 or 14 digits");
    }
    return code;
}

static int product_fields(const struct event *event, const struct field *f,
                          const char *values[6], const char **groups) {
    int code = json_need_string(f, "id", EVENT_ID, &values[0]);

    if (!code) {
        code = json_take_string(f, "name", EVENT_NAME, &values[1]);
    }
    if (!code) {
        code = event_take_url(f, "url", &values[2]);
    }
    if (!code) {
        code = event_take_url(f, "image_url", &values[3]);
    }
    if (!code) {
        code = product_gtin(f, &values[4]);
    }
    if (!code) {
        code = json_take_string(f, "brand", EVENT_NAME, &values[5]);
    }
    return code ? code : event_take_groups(event, f, groups);
}

int event_product(struct event *event) {
    static const char *const names[6] = {"product_id", "name", "url",
                                         "image_url",  "gtin", "brand"};
    const char *values[6] = {NULL}, *groups = NULL;
    struct field f;
    json_t *body = NULL;
    int code = event_object(event, "product", "/data/product", &f);

    if (!code) {
        code = product_fields(event, &f, values, &groups);
    }
    if (code) {
        return code;
    }
    body = json_object();
    for (size_t i = 0; body && i < sizeof names / sizeof *names; i++) {
        if (values[i]) {
            json_object_set_new(body, names[i], json_string(values[i]));
        }
    }
    if (body && groups) {
        json_object_set(body, "groups", json_object_get(f.object, "groups"));
    }
    return event_body(event, body);
}
