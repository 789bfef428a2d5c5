/* SPDX-License-Identifier: MIT */
/* Submissions: who, which words, and what moderation says of the words alone. */
#include "review/submission.h"

#include <string.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "moderation/decide.h"

static int lexicon_make(const struct settings *settings, void **made,
                        struct error *error) {
    struct lexicon *lexicon = NULL;
    struct error slip = {0};
    int code = lexicon_compile(settings_rows(settings, "abuse_term"), &lexicon, &slip);
    if (code) {
        return error_set(error, code, slip.pointer, "%s", slip.detail);
    }
    *made = lexicon;
    return 0;
}

static void lexicon_unmake(void *made) {
    lexicon_free(made);
}

/* Reasons and marks. Stars are no part of struct text_in. */
static int submission_judge(struct settings *settings, const struct submission *s,
                            json_t *body, struct error *error) {
    const void *lexicon = NULL;
    const struct text_in text = {s->title, s->body, s->name, s->locale};
    struct verdict *verdict = memory_zero(1, sizeof *verdict);
    json_t *found = NULL;
    int code = verdict ? 0 : ERROR_FAILED;

    if (!code) {
        code = settings_compiled(settings, "lexicon", lexicon_make, lexicon_unmake,
                                 &lexicon, error);
    }
    if (!code) {
        const struct rules rules = {lexicon};
        code = decide(&text, &rules, verdict);
    }
    if (!code) {
        found = verdict_json(verdict);
        code = found ? json_object_update(body, found) : ERROR_FAILED;
    }
    json_decref(found);
    memory_free(verdict);
    return code ? error_set(error, ERROR_FAILED, "", "the text could not be examined")
                : 0;
}

static int submission_key(const struct store *store, json_t *body, const char *name,
                          const char *normal) {
    uint8_t key[32];
    char hex[65];

    crypto_address_key(store->keys, normal, key);
    crypto_hex(key, sizeof key, hex);
    return json_object_set_new(body, name, json_string(hex));
}

static int submission_customer(const struct store *store, json_t *body,
                               const char *customer_id) {
    struct buffer named;
    int code;

    /* "id:" is no address, so the two kinds of keys cannot meet. */
    buffer_init(&named, 4096);
    buffer_text(&named, "id:");
    buffer_text(&named, store->name);
    buffer_char(&named, ':');
    buffer_text(&named, customer_id);
    code = buffer_ok(&named) ? submission_key(store, body, "customer_key", named.data) : -1;
    buffer_free(&named);
    return code ? code
                : json_object_set_new(body, "customer_id", json_string(customer_id));
}

int submission_person(const struct store *store, json_t *body, const char *email,
                      const char *customer_id, const char *pointer, struct error *error) {
    int code = 0;

    if (email) {
        if (!address_valid(email, strlen(email))) {
            return error_set(error, ERROR_INVALID, pointer,
                             "email is not a mail address that can be written to");
        }
        char *normal = address_normal(email);
        code = normal ? submission_key(store, body, "address_key", normal) : -1;
        memory_free(normal);
        if (!code) {
            code = json_object_set_new(body, "email", json_string(email));
        }
    }
    if (!code && customer_id) {
        code = submission_customer(store, body, customer_id);
    }
    return code ? error_set(error, ERROR_FAILED, "", "no memory for the review") : 0;
}

static int submission_words(const struct submission *s, json_t *body) {
    const struct {
        const char *name, *value;
    } members[] = {
        {"external_id", s->external_id}, {"product_id", s->product_id},
        {"order_id", s->order_id},       {"line_id", s->line_id},
        {"title", s->title},             {"body", s->body},
        {"name", s->name},               {"locale", s->locale},
    };
    int code = s->rating ? json_object_set_new(body, "rating", json_integer(s->rating)) : 0;

    for (size_t i = 0; i < sizeof members / sizeof *members && !code; i++) {
        if (members[i].value) {
            code = json_object_set_new(body, members[i].name,
                                       json_string(members[i].value));
        }
    }
    return code;
}

int submission_body(const struct store *store, struct settings *settings,
                    const struct submission *submission, json_t **body,
                    struct error *error) {
    const char *claim = submission->customer_id ? "authenticated"
                        : submission->email     ? "unconfirmed"
                                                : "anonymous";
    json_t *made = json_object();
    int code = made && !submission_words(submission, made) &&
                       !json_object_set_new(made, "claim", json_string(claim))
                   ? 0
                   : error_set(error, ERROR_FAILED, "", "no memory for the review");

    *body = NULL;
    if (!code) {
        code = submission_person(store, made, submission->email, submission->customer_id,
                                 "/data/review/author/email", error);
    }
    if (!code) {
        code = submission_judge(settings, submission, made, error);
    }
    if (code) {
        json_decref(made);
        return code;
    }
    *body = made;
    return 0;
}
