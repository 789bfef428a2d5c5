/* SPDX-License-Identifier: MIT */
/* review.submitted, edited, withdrawn, reported. */
#include <arpa/inet.h>

#include "event.h"
#include "review/person.h"
#include "review/submission.h"

static int review_words(const struct field *f, struct submission *s) {
    int code = json_take_string(f, "title", EVENT_NAME, &s->title);

    if (!code) {
        code = json_take_text(f, "body", EVENT_TEXT, &s->body);
    }
    return code ? code : event_take_locale(f, &s->locale);
}

static int review_author(const struct event *event, const struct field *outer,
                         struct submission *s) {
    struct field f = {NULL, "/data/review/author", event->error};
    int code = json_take_object(outer, "author", &f.object);

    if (!code) {
        code = json_take_string(&f, "customer_id", EVENT_ID, &s->customer_id);
    }
    if (!code) {
        code = json_take_string(&f, "email", EVENT_EMAIL, &s->email);
    }
    return code ? code : json_take_string(&f, "name", EVENT_NAME, &s->name);
}

static int review_client(const struct field *f, const char **client) {
    const char *address = NULL;
    unsigned char bytes[sizeof(struct in6_addr)];
    int code = json_take_string(f, "client_address", INET6_ADDRSTRLEN, &address);

    if (!code && address && inet_pton(AF_INET, address, bytes) != 1 &&
        inet_pton(AF_INET6, address, bytes) != 1) {
        code = error_set(f->error, ERROR_INVALID, "/data/review/client_address",
                         "client_address is an IP address");
    }
    *client = address;
    return code;
}

static int review_ids(const struct field *f, struct submission *s) {
    int code = json_need_string(f, "id", EVENT_ID, &s->external_id);

    if (!code) {
        code = json_need_string(f, "product_id", EVENT_ID, &s->product_id);
    }
    if (!code) {
        code = json_take_string(f, "order_id", EVENT_ID, &s->order_id);
    }
    return code ? code : review_client(f, &s->client_address);
}

/* While settings are away the event waits in the spool and is examined afterwards: only
 * what would be refused then is refused now. */
static int review_body(struct event *event, const struct submission *s, json_t **body) {
    uint8_t unused[32];

    *body = NULL;
    if (!event->settings || !event->store->keys) {
        return s->email
                   ? person_address_key(event->store, s->email,
                                        "/data/review/author/email", unused, event->error)
                   : 0;
    }
    return submission_body(event->store, event->settings, s, body, event->error);
}

int event_review_submitted(struct event *event) {
    struct submission s = {0};
    struct field f;
    json_t *body = NULL;
    int64_t rating = 0;
    int code = event_object(event, "review", "/data/review", &f);

    if (!code) {
        code = review_ids(&f, &s);
    }
    if (!code) {
        code = json_need_integer(&f, "rating", 1, 5, &rating);
    }
    if (!code) {
        code = review_words(&f, &s);
    }
    if (!code) {
        code = review_author(event, &f, &s);
    }
    if (!code) {
        s.rating = (int)rating;
        code = review_body(event, &s, &body);
    }
    event->row->body = body;
    return code;
}

/* By the store's id or by Vouch's; one of them. */
static int review_named(const struct event *event, const struct field *f, json_t *body) {
    const char *external = NULL;
    int64_t id = 0;
    bool has = false;
    int code = json_take_string(f, "id", EVENT_ID, &external);

    if (!code) {
        code = json_take_integer(f, "review_id", 1, INT64_C(9007199254740991), &has, &id);
    }
    if (!code && !external == !has) {
        return error_set(event->error, ERROR_INVALID, "/data/review",
                         "a review is named by its id or by its review_id, one of them");
    }
    if (!code && body &&
        (has ? json_object_set_new(body, "review_id", json_integer(id))
             : json_object_set_new(body, "external_id", json_string(external)))) {
        code = error_set(event->error, ERROR_FAILED, "", "no memory for a review");
    }
    return code;
}

int event_review_edited(struct event *event) {
    struct submission s = {0};
    struct field f;
    json_t *body = NULL;
    bool rated = false;
    int64_t rating = 0;
    int code = event_object(event, "review", "/data/review", &f);

    if (!code) {
        code = json_take_integer(&f, "rating", 1, 5, &rated, &rating);
    }
    if (!code) {
        code = review_words(&f, &s);
    }
    if (!code && !rated && !s.title && !s.body) {
        code = error_set(event->error, ERROR_INVALID, "/data/review",
                         "an edit changes rating, title or body");
    }
    if (!code) {
        s.rating = (int)rating;
        code = review_body(event, &s, &body);
    }
    if (!code) {
        code = review_named(event, &f, body);
    }
    event->row->body = body;
    return code;
}

int event_review_withdrawn(struct event *event) {
    struct field f;
    json_t *body = json_object();
    int code = event_object(event, "review", "/data/review", &f);

    if (!code) {
        code = review_named(event, &f, body);
    }
    if (code) {
        json_decref(body);
        return code;
    }
    return event_body(event, body);
}

/* DSA Art. 16(2): explanation, place, name and address, good faith. */
static int report_fields(const struct event *event, const struct field *f) {
    const char *text = NULL;
    bool good_faith = false;
    int code = json_need_text(f, "explanation", EVENT_TEXT, &text);

    if (!code) {
        code = event_take_url(f, "url", &text);
    }
    if (!code) {
        code = json_take_string(f, "name", EVENT_NAME, &text);
    }
    if (!code) {
        code = json_take_string(f, "email", EVENT_EMAIL, &text);
    }
    if (!code) {
        code = json_take_string(f, "category", EVENT_GROUP, &text);
    }
    if (!code) {
        code = json_need_boolean(f, "good_faith", &good_faith);
    }
    if (!code && !good_faith) {
        code = error_set(event->error, ERROR_INVALID, "/data/report/good_faith",
                         "a report is made in good faith: good_faith is true");
    }
    return code;
}

static json_t *report_body(const json_t *report) {
    static const char *const kept[] = {"explanation", "url", "name", "email", "category"};
    json_t *inner = json_object(), *body = json_object();

    for (size_t i = 0; inner && i < sizeof kept / sizeof *kept; i++) {
        json_t *value = json_object_get(report, kept[i]);
        if (value) {
            json_object_set(inner, kept[i], value);
        }
    }
    if (json_object_set_new(body, "report", inner)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

/* Where receipt and decision go. */
static int report_address(const struct event *event, json_t *body) {
    json_t *report = json_object_get(body, "report");
    const char *email = json_string_value(json_object_get(report, "email"));

    return email ? submission_person(event->store, report, email, NULL,
                                     "/data/report/email", event->error)
                 : 0;
}

int event_review_reported(struct event *event) {
    struct field review, report;
    json_t *body = NULL;
    int code = event_object(event, "review", "/data/review", &review);

    if (!code) {
        code = event_object(event, "report", "/data/report", &report);
    }
    if (!code) {
        code = report_fields(event, &report);
    }
    if (!code) {
        body = report_body(report.object);
        code = body ? review_named(event, &review, body)
                    : error_set(event->error, ERROR_FAILED, "", "no memory for a report");
    }
    if (!code) {
        code = report_address(event, body);
    }
    if (code) {
        json_decref(body);
        return code;
    }
    return event_body(event, body);
}
