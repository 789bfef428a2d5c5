/* SPDX-License-Identifier: MIT */
/* One function for each kind of letter about a case. */
#include "request/compose_case.h"

#include <string.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "request/compose_data.h"
#include "request/link.h"

enum { ADDRESS_MAX = 254, LOCAL_MAX = 64 };

static const json_t *at(const json_t *object, const char *name) {
    return json_object_get(object, name);
}

static int copy(json_t *to, const char *as, const json_t *from, const char *name) {
    const json_t *value = at(from, name);
    if (!value || json_is_null(value))
        return 0;
    return json_object_set_new(to, as, json_deep_copy(value)) ? ERROR_FAILED : 0;
}

static int put_product(const json_t *context, json_t *data) {
    json_t *product = json_object();
    int rc = json_object_set_new(data, "product", product) ? ERROR_FAILED : 0;
    return rc ? rc : copy(product, "name", context, "product");
}

static int put_facts(const json_t *context, json_t *data) {
    static const char *const plain[] = {"delay_days", "items", "earlier_orders"};
    static const char *const times[] = {"placed_at", "promised_at", "delivered_at"};
    const json_t *from = at(context, "order");
    json_t *order = json_object();
    int rc = json_object_set_new(data, "order", order) ? ERROR_FAILED : 0;
    rc = rc ? rc : copy(order, "id", from, "order_id");
    for (size_t i = 0; !rc && i < sizeof plain / sizeof *plain; i++)
        rc = copy(order, plain[i], from, plain[i]);
    for (size_t i = 0; !rc && i < sizeof times / sizeof *times; i++)
        rc = compose_put_time(order, times[i], from, times[i]);
    return rc;
}

static int put_deadline(const json_t *context, json_t *data) {
    json_t *told = json_object();
    int rc = json_object_set_new(data, "case", told) ? ERROR_FAILED : 0;
    rc = rc ? rc : compose_put_time(told, "due_at", at(context, "case"), "due_at");
    return rc ? rc : copy(told, "contacts", at(context, "case"), "contacts");
}

static int put_alarm(const json_t *context, json_t *data) {
    json_t *alarm = json_object();
    int rc = json_object_set_new(data, "alarm", alarm) ? ERROR_FAILED : 0;
    rc = rc ? rc : copy(alarm, "complaints", at(context, "alarm"), "complaints");
    rc = rc ? rc : copy(alarm, "topic", context, "topic");
    if (!rc && json_object_set_new(data, "variant", json_string("topic")))
        rc = ERROR_FAILED;
    return rc;
}

/* The greeting is for our own people: the customer's name is a fact among others. */
int compose_put_alert(const struct settings *settings, const struct dispatch_mail *mail,
                      json_t *data) {
    const json_t *context = mail->context;
    json_t *customer = json_object();
    int rc = json_object_set_new(data, "customer", customer) ? ERROR_FAILED : 0;
    (void)settings;
    rc = rc ? rc : copy(customer, "name", context, "customer");
    rc = rc ? rc : put_product(context, data);
    if (!rc && at(context, "topic"))
        rc = put_alarm(context, data);
    else if (!rc)
        rc = compose_put_review(context, data);
    rc = rc ? rc : put_facts(context, data);
    return rc ? rc : put_deadline(context, data);
}

int compose_put_reply(const struct settings *settings, const struct dispatch_mail *mail,
                      json_t *data) {
    const char *product =
        json_string_value(at(at(mail->context, "review"), "product_id"));
    json_t *reply = json_object();
    int rc = json_object_set_new(data, "reply", reply) ? ERROR_FAILED : 0;
    rc = rc ? rc : copy(reply, "body", mail->context, "message");
    rc = rc ? rc : compose_put_review(mail->context, data);
    if (!rc && product) {
        char *url = link_page(settings_text(settings, "base_url"), "/products/", product,
                              "/reviews?format=page");
        rc = url && !json_object_set_new(data, "review_url", json_string(url))
                 ? 0
                 : ERROR_FAILED;
        memory_free(url);
    }
    return rc;
}

int compose_put_message(const struct settings *settings, const struct dispatch_mail *mail,
                        json_t *data) {
    int rc = compose_put_review(mail->context, data);
    (void)settings;
    rc = rc ? rc : copy(data, "resolution", mail->context, "resolution");
    return rc ? rc : copy(data, "message", mail->context, "message");
}

/* The bare address of "Name <address>". */
static const char *bare(const char *from, size_t *length) {
    const char *open = strrchr(from, '<');
    *length = open ? strcspn(open + 1, ">") : strlen(from);
    return open ? open + 1 : from;
}

char *compose_reply_to(const struct settings *settings, const char *token) {
    const char *own = settings_text(settings, "reply_address");
    size_t length, local;
    const char *address =
        bare(*own ? own : settings_text(settings, "mail_from"), &length);
    struct buffer b;
    for (local = length; local > 0 && address[local - 1] != '@'; local--)
        ;
    if (local < 2 || local - 1 + 1 + strlen(token) > LOCAL_MAX)
        return NULL;
    buffer_init(&b, ADDRESS_MAX + 1);
    buffer_append(&b, address, local - 1);
    buffer_char(&b, '+');
    buffer_text(&b, token);
    buffer_append(&b, address + local - 1, length - (local - 1));
    if (buffer_ok(&b) && !address_valid(b.data, b.length))
        b.failed = true;
    return buffer_steal(&b);
}
