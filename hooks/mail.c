/* SPDX-License-Identifier: MIT */
/* mail.bounced, mail.complained. */
#include <string.h>

#include "event.h"
#include "review/submission.h"

/* RFC 3463: "5.1.1". */
static int mail_status(const struct field *f, const char **status) {
    int code = json_take_string(f, "status", 20, status);
    const char *at = !code ? *status : NULL;
    bool good = !at || (strspn(at, "245") && at[1] == '.');

    for (int part = 0; at && good && part < 2; part++) {
        at = strchr(at, '.') + 1;
        size_t n = strspn(at, "0123456789");
        good = n >= 1 && n <= 3 && at[n] == (part == 0 ? '.' : '\0');
    }
    return good ? code
                : error_set(f->error, ERROR_INVALID, "/data/mail/status",
                            "status is an enhanced status code such as 5.1.1");
}

static int mail_fill(const struct event *event, const struct field *f, json_t *body) {
    const char *recipient = NULL, *status = NULL, *message = NULL, *dsn = NULL;
    int code = json_need_string(f, "recipient", EVENT_EMAIL, &recipient);

    if (!code) {
        code = mail_status(f, &status);
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
