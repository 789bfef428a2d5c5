/* SPDX-License-Identifier: MIT */
/* One function for each kind of context. */
#include "request/compose_data.h"

#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/locale.h"
#include "base/memory.h"
#include "base/text.h"
#include "request/link.h"

enum {
    COMPOSE_NAME_MAX = 80,  /* bytes of a name to greet by */
    COMPOSE_MARKS_MAX = 10, /* words named in a statement of reasons */
    COMPOSE_TAG_MAX = 35,
    COMPOSE_CONFIRM_DAYS = 30 /* vouch.link_issue */
};

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

/* Takes value; NULL is no memory. */
static int put(json_t *object, const char *name, json_t *value) {
    return json_object_set_new(object, name, value) ? ERROR_FAILED : 0;
}

static int put_text(json_t *object, const char *name, const char *text) {
    return text && *text ? put(object, name, json_string(text)) : 0;
}

static int put_buffer(json_t *object, const char *name, struct buffer *b) {
    int rc =
        buffer_ok(b) ? put(object, name, json_stringn(b->data, b->length)) : ERROR_FAILED;
    buffer_free(b);
    return rc;
}

/* "2026-12-01 10:00 UTC": read alike in every language. */
static int put_time(json_t *object, const char *name, int64_t wall_us) {
    char text[32];
    struct buffer b;
    clock_format(wall_us, text);
    buffer_init(&b, 64);
    buffer_format(&b, "%.10s %.5s UTC", text, text + 11);
    return put_buffer(object, name, &b);
}

int compose_put_time(json_t *object, const char *name, const json_t *from,
                     const char *member) {
    const char *text = text_of(from, member);
    int64_t wall_us;
    if (!text || clock_parse(text, strlen(text), &wall_us))
        return 0;
    return put_time(object, name, wall_us);
}

/* Names come from whoever ordered, and are read as the store's own words: what could be an
 * address on the web or a sentence is no name. */
static bool is_name(const char *name) {
    size_t n = strlen(name);
    return n > 0 && n <= COMPOSE_NAME_MAX && !strpbrk(name, "/@<>\\\r\n\t:") &&
           !strcasestr(name, "www.") && text_valid(name, n);
}

/* scheme://host/ of the mount: the shop's front door. */
static int put_shop_url(json_t *store, const char *base_url) {
    const char *host = strstr(base_url, "://");
    struct buffer b;
    if (!host)
        return 0;
    buffer_init(&b, 600);
    buffer_append(&b, base_url, (size_t)(host + 3 - base_url) + strcspn(host + 3, "/?#"));
    buffer_char(&b, '/');
    return put_buffer(store, "url", &b);
}

static int put_page(json_t *data, const char *name, const char *base_url,
                    const char *path, const char *segment, const char *rest) {
    char *url = link_page(base_url, path, segment, rest);
    int rc = url ? put(data, name, json_string(url)) : ERROR_FAILED;
    memory_free(url);
    return rc;
}

const char *compose_locale(const struct settings *settings, const json_t *context) {
    const char *locale = text_of(context, "locale");
    return locale && *locale ? locale : settings_text(settings, "locale");
}

char *compose_language_tag(const char *locale) {
    const char *shipped = locale_pick(locale);
    size_t n = strlen(shipped), length = strcspn(locale, ".@");
    bool same =
        strncasecmp(locale, shipped, n) == 0 && (length == n || strchr("-_", locale[n]));
    struct buffer b;
    buffer_init(&b, COMPOSE_TAG_MAX);
    if (!same)
        buffer_text(&b, shipped);
    for (size_t i = 0; same && i < length; i++)
        buffer_char(&b, locale[i] == '_' ? '-' : locale[i]);
    return buffer_steal(&b);
}

int compose_put_common(const struct settings *settings, const json_t *context,
                       json_t *data) {
    const char *base_url = settings_text(settings, "base_url");
    const char *name = text_of(context, "name");
    json_t *store = json_object(), *customer = json_object();
    int rc = put(data, "store", store);
    rc = rc | put(data, "customer", customer);
    rc = rc ? rc : put_text(store, "name", settings_text(settings, "name"));
    rc = rc ? rc : put_text(store, "locale", settings_text(settings, "locale"));
    rc = rc ? rc : put_shop_url(store, base_url);
    rc =
        rc ? rc : put_page(data, "transparency_url", base_url, "/transparency", NULL, "");
    if (!rc && name && is_name(name))
        rc = put_text(customer, "name", name);
    return rc;
}

/* The letter only reads what it is given, and copies it. */
static int put_copy(json_t *object, const char *name, const json_t *value) {
    return value && !json_is_null(value) ? put(object, name, json_deep_copy(value)) : 0;
}

int compose_put_request(const struct settings *settings, const struct dispatch_mail *mail,
                        json_t *data) {
    json_t *order = json_object();
    int rc = put(data, "order", order);
    (void)settings;
    rc = rc ? rc : put_text(order, "id", text_of(mail->context, "order_id"));
    return rc ? rc : put_copy(data, "lines", json_object_get(mail->context, "lines"));
}

int compose_put_review(const json_t *context, json_t *data) {
    const json_t *from = json_object_get(context, "review");
    json_t *review = json_object(), *product = json_object();
    int rc = put(data, "review", review);
    rc = rc | (review ? put(review, "product", product) : (json_decref(product), 0));
    rc = rc ? rc : put_text(product, "name", text_of(context, "product"));
    rc = rc ? rc : put_copy(review, "rating", json_object_get(from, "rating"));
    rc = rc ? rc : put_text(review, "title", text_of(from, "title"));
    return rc ? rc : put_text(review, "body", text_of(from, "body"));
}

int compose_put_confirmation(const struct settings *settings,
                             const struct dispatch_mail *mail, json_t *data) {
    const char *action = text_of(mail->context, "action");
    const char *created = text_of(mail->context, "created_at");
    int64_t wall_us;
    bool author = action && strcmp(action, "author") == 0;
    int rc = put_text(data, "variant", author ? "review" : action);
    (void)settings;
    rc = rc ? rc : compose_put_review(mail->context, data);
    if (!rc && created && !clock_parse(created, strlen(created), &wall_us))
        rc = put_time(data, "valid_until",
                      wall_us + COMPOSE_CONFIRM_DAYS * INT64_C(86400000000));
    return rc;
}

/* The very words a review is held for, cut out of it by their byte offsets. */
static int put_mark(json_t *marks, const json_t *mark, const json_t *review) {
    const char *field = text_of(mark, "field");
    const json_t *text = field ? json_object_get(review, field) : NULL;
    json_int_t start = json_integer_value(json_object_get(mark, "start"));
    json_int_t end = json_integer_value(json_object_get(mark, "end"));
    const char *at = json_string_value(text);
    if (!at || start < 0 || end <= start || (size_t)end > json_string_length(text) ||
        !text_valid(at + start, (size_t)(end - start)))
        return 0;
    return json_array_append_new(marks, json_stringn(at + start, (size_t)(end - start)))
               ? ERROR_FAILED
               : 0;
}

int compose_put_marks(const json_t *from, const json_t *review, json_t *data) {
    json_t *marks = json_array();
    int rc = put(data, "marks", marks);
    for (size_t i = 0;
         !rc && i < json_array_size(from) && json_array_size(marks) < COMPOSE_MARKS_MAX;
         i++)
        rc = put_mark(marks, json_array_get(from, i), review);
    return rc;
}

/* The operator's facts, and the clause of the store's terms that they break. */
static int put_explanation(const json_t *context, json_t *data) {
    const char *facts = text_of(context, "facts"), *clause = text_of(context, "clause");
    struct buffer b;
    if (!facts && !clause)
        return 0;
    buffer_init(&b, 32 * 1024);
    buffer_text(&b, facts ? facts : "");
    buffer_text(&b, facts && clause ? "\n\n" : "");
    buffer_text(&b, clause ? clause : "");
    return put_buffer(data, "explanation", &b);
}

/* What a decision is told as, besides the plain telling of its kind. NULL: plainly. */
static const char *decision_variant(const char *kind, const json_t *context) {
    static const struct {
        const char *kind, *action, *from_state, *variant;
    } variants[] = {{NULL, "uphold", NULL, "appeal"},
                    {"published", "overturn", NULL, "appeal"},
                    {"rejected", "redact", NULL, "redacted"},
                    {"rejected", NULL, "published", "removed"}};
    const char *action = text_of(context, "action");
    const char *from_state = text_of(context, "from_state");

    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if ((!variants[i].kind || strcmp(kind, variants[i].kind) == 0) &&
            (!variants[i].action ||
             (action && strcmp(action, variants[i].action) == 0)) &&
            (!variants[i].from_state ||
             (from_state && strcmp(from_state, variants[i].from_state) == 0)))
            return variants[i].variant;
    }
    return NULL;
}

static int put_shown_at(json_t *data, const struct settings *settings,
                        const json_t *context) {
    const char *product = text_of(json_object_get(context, "review"), "product_id");
    return product ? put_page(data, "review_url", settings_text(settings, "base_url"),
                              "/products/", product, "/reviews")
                   : 0;
}

int compose_put_decision(const struct settings *settings,
                         const struct dispatch_mail *mail, json_t *data) {
    const json_t *context = mail->context;
    int rc = compose_put_review(context, data);
    rc = rc ? rc : put_copy(data, "reasons", json_object_get(context, "reasons"));
    rc = rc ? rc
            : compose_put_marks(json_object_get(context, "marks"),
                                json_object_get(context, "review"), data);
    rc = rc ? rc : put_text(data, "ground", text_of(context, "ground"));
    rc = rc ? rc : put_explanation(context, data);
    rc = rc ? rc : put_copy(data, "automated", json_object_get(context, "automated"));
    rc = rc ? rc : put_copy(data, "from_report", json_object_get(context, "from_report"));
    rc = rc ? rc : compose_put_time(data, "deadline", context, "deadline_at");
    rc = rc ? rc : compose_put_time(data, "appeal_until", context, "appeal_until");
    rc = rc ? rc : put_text(data, "variant", decision_variant(mail->kind, context));
    return rc ? rc : put_shown_at(data, settings, context);
}

int compose_put_report(const struct settings *settings, const struct dispatch_mail *mail,
                       json_t *data) {
    const json_t *context = mail->context;
    const char *outcome = text_of(context, "outcome");
    bool moot = outcome && strcmp(outcome, "moot") == 0;
    int rc = put_copy(data, "report", json_object_get(context, "report"));
    rc = rc ? rc : put_text(data, "variant", moot ? "withdrawn" : outcome);
    rc = rc ? rc : put_text(data, "ground", text_of(context, "ground"));
    rc = rc ? rc : put_text(data, "explanation", text_of(context, "explanation"));
    rc = rc ? rc : put_copy(data, "automated", json_object_get(context, "automated"));
    rc = rc ? rc : compose_put_time(data, "appeal_until", context, "appeal_until");
    return rc ? rc : put_shown_at(data, settings, context);
}

/* "10.00" as "10", "12.50" as it is. */
static int put_sum(json_t *object, const char *name, const char *sum) {
    size_t whole = sum ? strcspn(sum, ".") : 0;
    if (!sum)
        return 0;
    bool even = strspn(sum + whole, ".0") == strlen(sum + whole);
    return put(object, name, json_stringn(sum, even ? whole : strlen(sum)));
}

int compose_put_discount(const json_t *discount, const char *code, json_t *data) {
    json_t *told = json_object();
    int rc = put(data, "discount", told);
    rc = rc ? rc : put_text(told, "kind", text_of(discount, "kind"));
    rc = rc ? rc : put_sum(told, "value", text_of(discount, "value"));
    rc = rc ? rc : put_text(told, "currency", text_of(discount, "currency"));
    rc = rc ? rc : put_text(told, "code", code);
    return rc ? rc : compose_put_time(told, "valid_until", discount, "expires_at");
}
