/* SPDX-License-Identifier: MIT */
/* A delivery sits in a slot from its claim until its end is in the database. */
#include "notify/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/https.h"

enum {
    HEADER_MAX = 400,
    ANSWER_MAX = 300,
    LOOK_US = 1000000,
    REPLY_MAX = 64 * 1024,
    KEY_MAX = 96
};

struct slot {
    struct https_call *call; /* NULL: free */
    int64_t delivery, attempt;
};

struct webhook_sender {
    const struct store *store;
    struct slot slots[WEBHOOK_CALLS];
    int64_t look_at_us;
};

bool webhook_sign(const char *secret, const char *id, const char *timestamp,
                  const char *body, size_t length, char out[WEBHOOK_SIGNATURE_SIZE]) {
    static const char lead[] = "whsec_";
    size_t size = 0;
    uint8_t mac[32];
    struct buffer signed_text;
    char *encoded = NULL;
    void *key = strncmp(secret, lead, sizeof lead - 1) == 0
                    ? crypto_unbase64(secret + sizeof lead - 1,
                                      strlen(secret) - (sizeof lead - 1), &size)
                    : NULL;

    buffer_init(&signed_text, length + HEADER_MAX + 2);
    buffer_format(&signed_text, "%s.%s.", id, timestamp);
    buffer_append(&signed_text, body, length);
    if (key && size > 0 && size <= KEY_MAX && buffer_ok(&signed_text)) {
        crypto_hmac_sha256(key, size, signed_text.data, signed_text.length, mac);
        encoded = crypto_base64(mac, sizeof mac);
    }
    if (encoded)
        (void)snprintf(out, WEBHOOK_SIGNATURE_SIZE, "v1,%s", encoded);
    if (key)
        crypto_zero(key, size);
    memory_free(key);
    memory_free(encoded);
    buffer_free(&signed_text);
    return encoded != NULL;
}

static const char *part(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* One line for people: "case.opened: product kettle, 1 star, order 1001, due …". */
static json_t *sentence(const json_t *event) {
    static const char *const names[] = {"product_id", "order_id", "state",  "topic",
                                        "due_at",     "ground",   "reason", "kind"};
    const json_t *data = json_object_get(event, "data");
    struct buffer b;
    const char *key;
    json_t *object, *line;

    buffer_init(&b, 4000);
    buffer_text(&b, part(event, "type"));
    json_object_foreach((json_t *)(uintptr_t)data, key, object) {
        int64_t rating = json_integer_value(json_object_get(object, "rating"));
        int64_t id = json_integer_value(json_object_get(object, "case_id"));
        if (id > 0)
            buffer_format(&b, " \xc2\xb7 case %" PRId64, id);
        if (rating > 0)
            buffer_format(&b, " \xc2\xb7 %" PRId64 "/5", rating);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (*part(object, names[i]))
                buffer_format(&b, " \xc2\xb7 %s %.200s", names[i],
                              part(object, names[i]));
    }
    line = buffer_ok(&b) ? json_stringn(b.data, b.length) : NULL;
    buffer_free(&b);
    return line;
}

char *webhook_body(const char *format, const json_t *event) {
    json_t *made = NULL;
    char *text;

    if (strcmp(format, "slack") == 0)
        made = json_pack("{s:o}", "text", sentence(event));
    else if (strcmp(format, "teams") == 0)
        made = json_pack("{s:s, s:[{s:s, s:{s:s, s:s, s:s, s:[{s:s, s:o, s:b}]}}]}",
                         "type", "message", "attachments", "contentType",
                         "application/vnd.microsoft.card.adaptive", "content", "$schema",
                         "http://adaptivecards.io/schemas/adaptive-card.json", "type",
                         "AdaptiveCard", "version", "1.4", "body", "type", "TextBlock",
                         "text", sentence(event), "wrap", 1);
    else
        return json_write(event);
    text = made ? json_write(made) : NULL;
    json_decref(made);
    return text;
}

static int settle(struct webhook_sender *s, int64_t delivery, int64_t attempt, int status,
                  const char *answer, int64_t deadline_us, struct error *error) {
    struct db_params p;
    int code;
    db_params_open(&p);
    db_add_text(&p, s->store->name);
    db_add_int(&p, delivery);
    db_add_int(&p, attempt);
    db_add_int(&p, status);
    db_add_text(&p, answer);
    code = store_call(s->store,
                      "SELECT vouch.webhook_settle($1, $2, $3::integer, $4::integer, $5)",
                      &p, deadline_us, NULL, NULL, error);
    db_params_free(&p);
    return code;
}

/* Text for people out of whatever the other side said. */
static void told(const struct https_reply *reply, char out[ANSWER_MAX]) {
    size_t n = 0;
    if (reply->failure != HTTPS_FINE) {
        (void)snprintf(out, ANSWER_MAX, "%.200s", reply->detail);
        return;
    }
    for (size_t i = 0; i < reply->length && n < ANSWER_MAX - 1; i++) {
        unsigned char c = (unsigned char)reply->body[i];
        out[n++] = c >= ' ' && c < 0x7f ? (char)c : ' ';
    }
    out[n] = '\0';
}

static void end(struct webhook_sender *s, struct slot *slot, int64_t deadline_us,
                struct error *error) {
    const struct https_reply *reply = https_reply(slot->call);
    char answer[ANSWER_MAX];
    told(reply, answer);
    (void)settle(s, slot->delivery, slot->attempt,
                 reply->failure == HTTPS_FINE ? reply->status : 0, answer, deadline_us,
                 error);
    https_close(slot->call);
    *slot = (struct slot){0};
}

static struct slot *free_slot(struct webhook_sender *s) {
    for (size_t i = 0; i < WEBHOOK_CALLS; i++)
        if (!s->slots[i].call)
            return &s->slots[i];
    return NULL;
}

static int post(struct webhook_sender *s, struct slot *slot, const char *id,
                const char *url, const char *secret, const char *body,
                struct error *error) {
    char signature[WEBHOOK_SIGNATURE_SIZE], stamp[24];
    char headers[3][HEADER_MAX];
    const char *const sent[] = {headers[0], headers[1], headers[2],
                                "Content-Type: application/json",
                                "User-Agent: vouch/" VOUCH_VERSION};
    const struct https_ask ask = {.policy = s->store->https,
                                  .url = url,
                                  .headers = sent,
                                  .header_count = sizeof sent / sizeof *sent,
                                  .body = body,
                                  .body_length = strlen(body),
                                  .reply_max = REPLY_MAX,
                                  .timeout_ms = WEBHOOK_TIMEOUT_MS};
    (void)snprintf(stamp, sizeof stamp, "%" PRId64, clock_wall_us() / 1000000);
    if (!webhook_sign(secret, id, stamp, body, strlen(body), signature))
        return error_set(error, ERROR_INVALID, "/secret", "the secret is no whsec_ key");
    (void)snprintf(headers[0], HEADER_MAX, "webhook-id: %s", id);
    (void)snprintf(headers[1], HEADER_MAX, "webhook-timestamp: %s", stamp);
    (void)snprintf(headers[2], HEADER_MAX, "webhook-signature: %s", signature);
    return https_start(&ask, &slot->call, error);
}

/* What cannot be posted at all is settled at once, with its reason, and tried again like
 * anything else: the URL may be mended meanwhile. */
static void begin(struct webhook_sender *s, const struct db_result *rows, int row,
                  int64_t deadline_us) {
    struct slot *slot = free_slot(s);
    struct error why = {0};
    json_t *event = db_json(rows, row, 3);
    char *body = event ? webhook_body(db_value(rows, row, 6), event) : NULL;

    if (!slot)
        goto out;
    slot->delivery = db_int(rows, row, 0);
    slot->attempt = db_int(rows, row, 1);
    if (!body)
        error_set(&why, ERROR_FAILED, "", "no memory for an event");
    else
        post(s, slot, db_value(rows, row, 2), db_value(rows, row, 4),
             db_value(rows, row, 5), body, &why);
    if (!slot->call) {
        (void)settle(s, slot->delivery, slot->attempt, 0, why.detail, deadline_us, NULL);
        *slot = (struct slot){0};
    }
out:
    memory_free(body);
    json_decref(event);
}

static int look(struct webhook_sender *s, int space, int64_t deadline_us,
                struct error *error) {
    struct db_params p;
    struct db_result *rows = NULL;
    int code;
    db_params_open(&p);
    db_add_text(&p, s->store->name);
    db_add_int(&p, space);
    db_add_int(&p, WEBHOOK_LEASE_S);
    code = store_call(s->store,
                      "SELECT delivery_id, attempt, message_id, payload, url, secret,"
                      " format FROM vouch.webhook_claim($1, $2::integer,"
                      " make_interval(secs => $3))",
                      &p, deadline_us, &rows, NULL, error);
    for (int row = 0; !code && row < db_rows(rows); row++)
        begin(s, rows, row, deadline_us);
    s->look_at_us =
        clock_now_us() + (!code && db_rows(rows) == space ? LOOK_US / 10 : LOOK_US);
    db_result_free(rows);
    db_params_free(&p);
    return code;
}

int webhook_open(const struct store *store, struct webhook_sender **sender,
                 struct error *error) {
    *sender = memory_zero(1, sizeof **sender);
    if (!*sender)
        return error_set(error, ERROR_FAILED, "", "no memory for webhooks");
    (*sender)->store = store;
    return 0;
}

void webhook_close(struct webhook_sender *sender) {
    if (!sender)
        return;
    for (size_t i = 0; i < WEBHOOK_CALLS; i++)
        https_close(sender->slots[i].call);
    memory_free(sender);
}

int webhook_run(struct webhook_sender *s, int64_t deadline_us, int *done, int *in_flight,
                struct error *error) {
    int code = 0, space = 0;

    *done = *in_flight = 0;
    for (size_t i = 0; i < WEBHOOK_CALLS; i++) {
        if (s->slots[i].call && https_run(s->slots[i].call, clock_now_us())) {
            end(s, &s->slots[i], deadline_us, error);
            ++*done;
        }
        space += !s->slots[i].call;
    }
    if (space > 0 && clock_now_us() >= s->look_at_us)
        code = look(s, space, deadline_us, error);
    for (size_t i = 0; i < WEBHOOK_CALLS; i++)
        *in_flight += s->slots[i].call != NULL;
    return code;
}
