/* SPDX-License-Identifier: MIT */
/* The envelope (CloudEvents 1.0) and the table of types. */
#include "event.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "emit.h"

enum { TYPE_SETTINGS = 1, TYPE_AT_ONCE = 2 };

static const struct event_type {
    const char *name;
    int (*handle)(struct event *event);
    int flags; /* TYPE_SETTINGS: needs them; TYPE_AT_ONCE: an answer or nothing, no spool */
} types[] = {
    {"order.placed", event_order_placed, 0},
    {"order.paid", event_order_fact, 0},
    {"order.shipped", event_order_fact, 0},
    {"order.delivered", event_order_fact, 0},
    {"order.cancelled", event_order_fact, 0},
    {"order.refunded", event_order_fact, 0},
    {"review.submitted", event_review_submitted, TYPE_SETTINGS},
    {"review.edited", event_review_edited, TYPE_SETTINGS},
    {"review.withdrawn", event_review_withdrawn, 0},
    {"review.reported", event_review_reported, 0},
    {"customer.updated", event_customer, 0},
    {"customer.unsubscribed", event_customer, 0},
    {"customer.erased", event_customer, 0},
    {"product.updated", event_product, 0},
    {"discount.redeemed", event_discount, TYPE_AT_ONCE},
    {"mail.bounced", event_mail, 0},
    {"mail.complained", event_mail, 0},
    {"mail.received", event_mail_received, 0},
};

static const struct event_type *type_of(const json_t *event) {
    const char *name = json_string_value(json_object_get(event, "type"));

    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

int event_flags(const json_t *root) {
    size_t count = json_is_array(root) ? json_array_size(root) : 1;
    int flags = 0;

    for (size_t i = 0; i < count; i++) {
        const struct event_type *type =
            type_of(json_is_array(root) ? json_array_get(root, i) : root);
        flags |= !type                         ? 0
                 : type->flags & TYPE_SETTINGS ? EMIT_NEEDS_SETTINGS
                 : type->flags & TYPE_AT_ONCE  ? EMIT_NEVER_SPOOLED
                                               : 0;
    }
    return flags;
}

/* "application/json", "application/cloudevents+json; charset=utf-8" … */
static bool content_json(const char *type) {
    static const char lead[] = "application/";
    size_t n = strcspn(type, " ;");

    return strncmp(type, lead, sizeof lead - 1) == 0 && n >= 16 &&
           strncmp(type + n - 4, "json", 4) == 0 &&
           (n == 16 || (n > 17 && type[n - 5] == '+')) &&
           (!type[n] || type[n + strspn(type + n, " ")] == ';');
}

/* CloudEvents 1.0, 3.1 and 3.2: the attributes we look at. */
static int event_envelope(const json_t *object, struct intake_event *row,
                          struct error *error) {
    struct field f = {object, "", error};
    const char *version = NULL, *content = NULL, *store = NULL;
    int code = json_is_object(object)
                   ? json_need_string(&f, "specversion", 16, &version)
                   : error_set(error, ERROR_INVALID, "", "an event is a JSON object");

    if (!code && strcmp(version, "1.0") != 0) {
        code = error_set(error, ERROR_INVALID, "/specversion", "specversion is \"1.0\"");
    }
    if (!code) {
        code = json_need_string(&f, "id", EVENT_ID, &row->id);
    }
    if (!code) {
        code = json_need_string(&f, "source", EVENT_ID, &row->source);
    }
    if (!code) {
        code = json_need_string(&f, "type", EVENT_ID, &row->type);
    }
    if (!code) {
        code = json_take_time(&f, "time", &row->timed, &row->time_us);
    }
    if (!code) {
        code = json_take_string(&f, "store", EVENT_ID, &store);
    }
    if (!code) {
        code = json_take_string(&f, "datacontenttype", EVENT_ID, &content);
    }
    if (!code && content && !content_json(content)) {
        code = error_set(error, ERROR_INVALID, "/datacontenttype",
                         "data is sent as application/json");
    }
    return code;
}

static const char *event_rank(struct intake_batch *batch,
                              const struct intake_event *row) {
    size_t n = strlen(row->source), m = strlen(row->id);
    char *rank = intake_keep(batch, n + m + 2);

    if (rank) {
        memcpy(rank, row->source, n);
        rank[n] = ' ';
        memcpy(rank + n + 1, row->id, m);
    }
    return rank;
}

/* A type we do not know is kept as it came. */
static int event_keep(struct event *event, const json_t *object) {
    size_t n = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *kept = n ? intake_keep(event->batch, n + 1) : NULL;

    if (!kept || json_dumpb(object, kept, n, JSON_COMPACT) != n) {
        return error_set(event->error, ERROR_FAILED, "", "no memory for an event");
    }
    event->row->kept = kept;
    return 0;
}

static int event_fill(struct event *event, const json_t *object) {
    const struct event_type *type;
    struct field f = {object, "", event->error};
    int code = event_envelope(object, event->row, event->error);

    if (code) {
        return code;
    }
    event->row->rank = event_rank(event->batch, event->row);
    if (!event->row->rank) {
        return error_set(event->error, ERROR_FAILED, "", "no memory for an event");
    }
    type = type_of(object);
    if (!type) {
        return event_keep(event, object);
    }
    code = json_need_object(&f, "data", &event->data);
    return code ? code : type->handle(event);
}

/* In an array, pointers lead through the position. */
static int event_at(struct event *event, const json_t *array, size_t i) {
    struct error inner = {0};
    char place[160];
    struct error *error = event->error;
    int code;

    event->error = &inner;
    code = event_fill(event, json_array_get(array, i));
    event->error = error;
    if (code) {
        json_point_at(place, "", i);
        size_t n = strlen(place);
        size_t m = strnlen(inner.pointer, sizeof place - n - 1);
        memcpy(place + n, inner.pointer, m);
        place[n + m] = '\0';
        error_set(error, code, place, "%s", inner.detail);
    }
    return code;
}

int event_build(const struct store *store, struct settings *settings, json_t *root,
                struct intake_batch **batch, struct error *error) {
    bool array = json_is_array(root);
    size_t count = array ? json_array_size(root) : 1;
    int code = 0;

    *batch = NULL;
    if (count == 0 || count > INTAKE_BATCH_EVENTS) {
        json_decref(root);
        return error_set(error, ERROR_INVALID, "", "an array holds 1 to %d events",
                         INTAKE_BATCH_EVENTS);
    }
    *batch = intake_new(root, count);
    if (!*batch) {
        return error_set(error, ERROR_FAILED, "", "no memory for the events");
    }
    for (size_t i = 0; i < count && !code; i++) {
        struct event event = {.store = store,
                              .settings = settings,
                              .batch = *batch,
                              .row = intake_at(*batch, i),
                              .error = error};
        code = array ? event_at(&event, root, i) : event_fill(&event, root);
    }
    if (code) {
        intake_drop(*batch);
        *batch = NULL;
    }
    return code;
}

int event_object(const struct event *event, const char *name, const char *base,
                 struct field *f) {
    const struct field data = {event->data, "/data", event->error};

    *f = (struct field){NULL, base, event->error};
    return json_need_object(&data, name, &f->object);
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int event_refuse(const struct field *f, const char *name, const char *rule) {
    char pointer[160];

    json_point(pointer, f->base, name);
    return error_set(f->error, ERROR_INVALID, pointer, "%s is %s", name, rule);
}

static size_t url_scheme(const char *url) {
    static const char *const schemes[] = {"https://", "http://"};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = 0;
        while (schemes[i][n] &&
               (url[n] == schemes[i][n] || (url[n] | 32) == schemes[i][n])) {
            n++;
        }
        if (!schemes[i][n]) {
            return n;
        }
    }
    return 0;
}

int event_take_url(const struct field *f, const char *name, const char **url) {
    int code = json_take_string(f, name, EVENT_URL, url);
    size_t scheme = !code && *url ? url_scheme(*url) : 0;

    if (!code && *url && (scheme == 0 || !(*url)[scheme] || strchr(*url, ' '))) {
        code = event_refuse(f, name, "an absolute http or https URL");
    }
    return code;
}

/* BCP 47 as far as it matters: subtags of 1 to 8 letters, later ones digits too. */
static bool locale_formed(const char *text) {
    const char *allowed = LETTERS;

    for (;;) {
        size_t n = strspn(text, allowed);
        if (n < 1 || n > 8 || (text[n] && text[n] != '-' && text[n] != '_')) {
            return false;
        }
        if (!text[n]) {
            return true;
        }
        text += n + 1;
        allowed = LETTERS DIGITS;
    }
}

int event_take_locale(const struct field *f, const char **locale) {
    int code = json_take_string(f, "locale", EVENT_LOCALE, locale);

    if (!code && *locale && !locale_formed(*locale)) {
        code = event_refuse(f, "locale", "a BCP 47 language tag such as lv or pt-BR");
    }
    return code;
}

int event_take_timezone(const struct field *f, const char **zone) {
    int code = json_take_string(f, "timezone", EVENT_TIMEZONE, zone);

    if (!code && *zone &&
        (strspn(*zone, LETTERS) == 0 ||
         strspn(*zone, LETTERS DIGITS "_+/-") != strlen(*zone))) {
        code = event_refuse(f, "timezone", "an IANA name such as Europe/Riga");
    }
    return code;
}

int event_body(struct event *event, json_t *body) {
    event->row->body = body;
    return body ? 0 : error_set(event->error, ERROR_FAILED, "", "no memory for an event");
}
