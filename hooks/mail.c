/* SPDX-License-Identifier: MIT */
/* mail.bounced, mail.complained, mail.received. */
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/memory.h"
#include "care/quote.h"
#include "event.h"
#include "mail/dsn.h"
#include "mail/verp.h"
#include "request/link.h"
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

/* What the event itself does not say is read out of the report it carries. */
struct mail_event {
    const char *recipient, *status, *message, *report, *action, *mailbox;
};

static int mail_take(const struct field *f, struct mail_event *mail) {
    int code = json_take_string(f, "recipient", EVENT_EMAIL, &mail->recipient);

    if (!code) {
        code = mail_status(f, &mail->status);
    }
    if (!code) {
        code = json_take_string(f, "message_id", EVENT_NAME, &mail->message);
    }
    if (!code) {
        code = json_take_text(f, "dsn", EVENT_DSN, &mail->report);
    }
    if (!code && !mail->recipient && !mail->report) {
        code = error_set(f->error, ERROR_INVALID, "/data/mail/recipient",
                         "a mail that came back is named by recipient, by dsn or by both");
    }
    return code;
}

static void mail_learn(const struct dsn *dsn, struct mail_event *mail) {
    const struct dsn_recipient *verdict = dsn_verdict(dsn);

    if (verdict && !mail->status && *verdict->status) {
        mail->status = verdict->status;
    }
    if (verdict && *verdict->action) {
        mail->action = verdict->action;
    }
    if (verdict && !mail->recipient &&
        address_valid(verdict->address, strlen(verdict->address))) {
        mail->recipient = verdict->address;
    }
    if (!mail->message && *dsn->message_id) {
        mail->message = dsn->message_id;
    }
    mail->mailbox = dsn->mailbox;
}

static int mail_put(const struct event *event, const struct mail_event *mail,
                    json_t *body) {
    const struct {
        const char *name, *value;
    } members[] = {
        {"status", mail->status}, {"message_id", mail->message}, {"action", mail->action}};
    const char *box = mail->mailbox ? mail->mailbox : mail->recipient;
    int64_t id;
    int failed = 0;

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (members[i].value) {
            failed |= json_object_set_new(body, members[i].name,
                                          json_string(members[i].value));
        }
    }
    if (box && event->store->keys &&
        verp_read(event->store->keys, event->store->name, box, &id)) {
        failed |= json_object_set_new(body, "mail_id", json_integer(id));
    }
    return failed ? error_set(event->error, ERROR_FAILED, "", "no memory for a bounce") : 0;
}

static int mail_fill(const struct event *event, const struct field *f, json_t *body) {
    struct mail_event mail = {0};
    struct dsn *dsn = NULL;
    int code = mail_take(f, &mail);

    if (!code && mail.report) {
        dsn = memory_get(sizeof *dsn);
        code = dsn ? 0 : error_set(event->error, ERROR_FAILED, "", "no memory for a report");
    }
    if (!code && dsn && dsn_read(mail.report, strlen(mail.report), dsn)) {
        mail_learn(dsn, &mail);
    } else if (!code && !mail.recipient) {
        code = error_set(event->error, ERROR_INVALID, "/data/mail/recipient",
                         "recipient is needed where dsn is no delivery status "
                         "notification (RFC 3464)");
    }
    if (!code && mail.recipient) {
        code = submission_person(event->store, body, mail.recipient, NULL,
                                 "/data/mail/recipient", event->error);
    }
    if (!code) {
        code = mail_put(event, &mail, body);
    }
    memory_free(dsn);
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

/* The hash of the token in "answers+TOKEN@shop.example", if there is one. */
static int received_thread(const char *address, json_t *hashes) {
    const char *plus = strchr(address, '+');
    char token[LINK_THREAD_DIGITS + 1], hex[65];
    uint8_t hash[32];

    if (!plus || strspn(plus + 1, "0123456789abcdefABCDEF") != LINK_THREAD_DIGITS ||
        plus[1 + LINK_THREAD_DIGITS] != '@') {
        return 0;
    }
    for (size_t i = 0; i < LINK_THREAD_DIGITS; i++) {
        token[i] = (char)(plus[1 + i] >= 'A' && plus[1 + i] <= 'F' ? plus[1 + i] | 32
                                                                   : plus[1 + i]);
    }
    token[LINK_THREAD_DIGITS] = '\0';
    crypto_token_hash(token, LINK_THREAD_DIGITS, hash);
    crypto_hex(hash, sizeof hash, hex);
    return json_array_append_new(hashes, json_string(hex));
}

/* Message-IDs of a header field, without their brackets. */
static int received_references(const char *field, json_t *references) {
    int failed = 0;

    for (const char *at = field; at && *at && !failed;) {
        at += strspn(at, " \t\r\n<>,");
        size_t n = strcspn(at, " \t\r\n<>,");
        if (n > 0 && json_array_size(references) < 50) {
            failed = json_array_append_new(references, json_stringn(at, n));
        }
        at += n;
    }
    return failed;
}

/* RFC 3834: anything but "no" was not written by a person. */
static bool received_automatic(const char *submitted) {
    return submitted && *submitted && strncasecmp(submitted, "no", 2) != 0;
}

struct received {
    const char *recipient, *sender, *text, *message, *reply_to, *references, *automatic;
};

static int received_read(const struct field *f, struct received *r) {
    int code = json_need_string(f, "recipient", EVENT_EMAIL, &r->recipient);

    code = code ? code : json_need_string(f, "sender", EVENT_EMAIL, &r->sender);
    code = code ? code : json_need_text(f, "text", EVENT_DSN, &r->text);
    code = code ? code : json_take_string(f, "message_id", EVENT_NAME, &r->message);
    code = code ? code : json_take_string(f, "in_reply_to", EVENT_URL, &r->reply_to);
    code = code ? code : json_take_text(f, "references", EVENT_TEXT, &r->references);
    return code ? code
                : json_take_string(f, "auto_submitted", EVENT_GROUP, &r->automatic);
}

static int received_fill(json_t *body, const struct received *r, const char *answer) {
    json_t *hashes = json_array(), *references = json_array();
    const char *id = r->message ? r->message + strspn(r->message, "< ") : NULL;

    return json_object_set_new(body, "thread_hashes", hashes) ||
           json_object_set_new(body, "references", references) ||
           received_thread(r->recipient, hashes) ||
           received_references(r->reply_to, references) ||
           received_references(r->references, references) ||
           json_object_set_new(body, "text", json_string(answer)) ||
           (id && json_object_set_new(body, "message_id",
                                      json_stringn(id, strcspn(id, "> ")))) ||
           json_object_set_new(body, "automatic",
                               json_boolean(received_automatic(r->automatic)));
}

int event_mail_received(struct event *event) {
    struct received r = {0};
    struct field f;
    json_t *body = json_object();
    char *answer = NULL;
    int code = event_object(event, "mail", "/data/mail", &f);

    if (!code) {
        code = received_read(&f, &r);
    }
    if (!code) {
        code = submission_person(event->store, body, r.sender, NULL, "/data/mail/sender",
                                 event->error);
    }
    if (!code) {
        answer = quote_cut(r.text, strlen(r.text));
        code = !answer || received_fill(body, &r, answer)
                   ? error_set(event->error, ERROR_FAILED, "", "no memory for a mail")
                   : 0;
    }
    json_object_del(body, "email");
    memory_free(answer);
    if (code) {
        json_decref(body);
        return code;
    }
    return event_body(event, body);
}
