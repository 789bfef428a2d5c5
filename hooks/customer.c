/* SPDX-License-Identifier: MIT */
/* customer.updated, unsubscribed, erased. */
#include "event.h"
#include "review/submission.h"

static int customer_text(const struct field *f, const char *name, size_t most,
                         json_t *body) {
    const char *text = NULL;
    int code = json_take_string(f, name, most, &text);

    if (!code && text && json_object_set_new(body, name, json_string(text))) {
        code = error_set(f->error, ERROR_FAILED, "", "no memory for a customer");
    }
    return code;
}

static int customer_flag(const struct field *f, const char *name, json_t *body) {
    bool has = false, value = false;
    int code = json_take_boolean(f, name, &has, &value);

    if (!code && has && json_object_set_new(body, name, json_boolean(value))) {
        code = error_set(f->error, ERROR_FAILED, "", "no memory for a customer");
    }
    return code;
}

static int customer_fill(const struct event *event, const struct field *f, json_t *body) {
    const char *id = NULL, *email = NULL;
    int code = json_take_string(f, "id", EVENT_ID, &id);

    if (!code) {
        code = json_take_string(f, "email", EVENT_EMAIL, &email);
    }
    if (!code && !id && !email) {
        code = error_set(event->error, ERROR_INVALID, "/data/customer",
                         "a customer is named by id, by email or by both");
    }
    if (!code) {
        code = submission_person(event->store, body, email, id, "/data/customer/email",
                                 event->error);
    }
    if (!code) {
        code = customer_text(f, "name", EVENT_NAME, body);
    }
    if (!code) {
        code = customer_text(f, "locale", EVENT_LOCALE, body);
    }
    if (!code) {
        code = customer_flag(f, "marketing_consent", body);
    }
    return code ? code : customer_flag(f, "words", body);
}

int event_customer(struct event *event) {
    struct field f;
    json_t *body = json_object();
    int code = event_object(event, "customer", "/data/customer", &f);

    if (!code) {
        code = customer_fill(event, &f, body);
    }
    if (code) {
        json_decref(body);
        return code;
    }
    return event_body(event, body);
}
