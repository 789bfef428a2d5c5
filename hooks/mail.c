/* SPDX-License-Identifier: MIT */
/* mail.bounced, mail.complained. */
#include "event.h"
#include "review/submission.h"

static int mail_fill(const struct event *event, const struct field *f, json_t *body) {
    const char *recipient = NULL, *status = NULL, *message = NULL, *dsn = NULL;
    int code = json_need_string(f, "recipient", EVENT_EMAIL, &recipient);

    if (!code) {
        code = json_take_string(f, "status", 20, &status);
    }
    if (!code) {
        code = json_take_string(f, "message_id", EVENT_NAME, &message);
    }
    if (!code) {
        code = json_take_text(f, "dsn", EVENT_DSN, &dsn);
    }
    if (!code) {
        code = submission_person(event->store, body, recipient, NULL,
                                 "/data/mail/recipient", event->error);
    }
    if (!code && status && json_object_set_new(body, "status", json_string(status))) {
        code = error_set(event->error, ERROR_FAILED, "", "no memory for a bounce");
    }
    if (!code && message &&
        json_object_set_new(body, "message_id", json_string(message))) {
        code = error_set(event->error, ERROR_FAILED, "", "no memory for a bounce");
    }
    return code;
}

int event_mail(struct event *event) {
    struct field f;
    json_t *body = json_object();
    int code = event_object(event, "mail", "/data/mail", &f);

    if (!code) {
        code = mail_fill(event, &f, body);
    }
    if (code) {
        json_decref(body);
        return code;
    }
    return event_body(event, body);
}
