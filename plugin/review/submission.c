/* SPDX-License-Identifier: MIT */
/* Submissions: who, which words, and what moderation says of the words alone. */
#include "review/submission.h"

#include "base/crypto.h"
#include "base/memory.h"
#include "moderation/decide.h"
#include "moderation/topic.h"
#include "review/person.h"
#include "review/trace.h"

static int lexicon_make(const json_t *rows, void **made, struct error *error) {
    struct lexicon *lexicon = NULL;
    struct error slip = {0};
    int code = lexicon_compile(rows, &lexicon, &slip);
    if (code) {
        return error_set(error, code, slip.pointer, "%s", slip.detail);
    }
    *made = lexicon;
    return 0;
}

static void lexicon_unmake(void *made) {
    lexicon_free(made);
}

/* The models of a snapshot, for rules. */
struct models {
    size_t count;
    const struct model *each[SETTINGS_MODELS_MOST];
};

static void models_unmake(void *made) {
    struct models *models = made;
    for (size_t i = 0; i < models->count; i++) {
        model_free((struct model *)(uintptr_t)models->each[i]);
    }
    memory_free(models);
}

/* A damaged model, or one of another version, is as good as none: the words still count. */
static int models_make(const struct settings_weights *weights, size_t count, void **made,
                       struct error *error) {
    struct models *models = memory_zero(1, sizeof *models);
    int code =
        models ? 0 : error_set(error, ERROR_FAILED, "", "no memory for the models");

    for (size_t i = 0; i < count && !code; i++) {
        struct model *model = NULL;
        code = model_read(weights[i].bytes, weights[i].length, &model, NULL);
        if (model && model_speaks(model, weights[i].locale)) {
            model->threshold = weights[i].threshold;
            models->each[models->count++] = model;
        } else {
            model_free(model);
        }
        code = code == ERROR_INVALID ? 0 : code;
    }
    if (code && models) {
        models_unmake(models);
        return error_set(error, code, "", "no memory for the models");
    }
    *made = models;
    return code;
}

int submission_rules(struct settings *settings, struct rules *rules,
                     struct error *error) {
    const void *lexicon = NULL, *made = NULL;
    int code = settings_words(settings, lexicon_make, lexicon_unmake, &lexicon, error);

    if (!code) {
        code = settings_models(settings, models_make, models_unmake, &made, error);
    }
    if (!code) {
        const struct models *models = made;
        *rules = (struct rules){lexicon, models->each, models->count};
    }
    return code;
}

static int topics_make(const struct settings *settings, void **made,
                       struct error *error) {
    struct topics *topics = NULL;
    int code = topics_compile(settings_rows(settings, "topic_term"), &topics, error);
    *made = topics;
    return code;
}

static void topics_unmake(void *made) {
    topics_free(made);
}

/* What it is about, for the store to learn from; nothing is decided by it. */
static int submission_topics(struct settings *settings, const struct submission *s,
                             const char *locale, json_t *body, struct error *error) {
    const void *topics = NULL;
    int code =
        settings_compiled(settings, "topics", topics_make, topics_unmake, &topics, error);
    int found = code ? 0 : topics_find(topics, locale, s->title, s->body);
    json_t *list = json_array();

    for (int i = 0; i < TOPICS && found > 0 && !code; i++) {
        if (found & 1 << i) {
            code = json_array_append_new(list, json_string(topic_name(i)));
        }
    }
    if (json_object_set_new(body, "topics", list) || found < 0 || code) {
        return error_set(error, ERROR_FAILED, "", "no memory for the topics");
    }
    return 0;
}

int submission_warm(const struct store *store, int64_t deadline_us, struct error *error) {
    struct settings *settings = NULL;
    struct rules rules;
    int code = settings_get(store, deadline_us, &settings, error);

    if (!code) {
        code = submission_rules(settings, &rules, error);
    }
    settings_release(settings);
    return code;
}

/* Reasons and marks. Stars are no part of struct text_in. */
static int submission_judge(struct settings *settings, const struct submission *s,
                            json_t *body, struct error *error) {
    struct rules rules = {0};
    const char *own = settings_text(settings, "locale");
    const struct text_in text = {s->title, s->body, s->name,
                                 s->locale ? s->locale
                                 : *own    ? own
                                           : NULL};
    struct verdict *verdict = memory_zero(1, sizeof *verdict);
    json_t *found = NULL;
    int code = verdict ? 0 : ERROR_FAILED;

    if (!code) {
        code = submission_rules(settings, &rules, error);
    }
    if (!code) {
        code = decide(&text, &rules, verdict);
    }
    if (!code) {
        found = verdict_json(verdict);
        code = found ? json_object_update(body, found) : ERROR_FAILED;
    }
    if (!code) {
        code = submission_topics(settings, s, text.locale, body, NULL);
    }
    json_decref(found);
    memory_free(verdict);
    return code ? error_set(error, ERROR_FAILED, "", "the text could not be examined")
                : 0;
}

static int submission_hex(json_t *body, const char *name, const uint8_t key[32]) {
    char hex[65];

    crypto_hex(key, 32, hex);
    return json_object_set_new(body, name, json_string(hex));
}

int submission_person(const struct store *store, json_t *body, const char *email,
                      const char *customer_id, const char *pointer, struct error *error) {
    uint8_t key[32];
    int code = email ? person_address_key(store, email, pointer, key, error) : 0;

    if (!code && email &&
        (submission_hex(body, "address_key", key) ||
         json_object_set_new(body, "email", json_string(email)))) {
        code = error_set(error, ERROR_FAILED, "", "no memory for the review");
    }
    if (!code && customer_id) {
        code = person_customer_key(store, customer_id, key, error);
    }
    if (!code && customer_id &&
        (submission_hex(body, "customer_key", key) ||
         json_object_set_new(body, "customer_id", json_string(customer_id)))) {
        code = error_set(error, ERROR_FAILED, "", "no memory for the review");
    }
    return code;
}

static int submission_words(const struct submission *s, json_t *body) {
    const struct {
        const char *name, *value;
    } members[] = {
        {"external_id", s->external_id},
        {"product_id", s->product_id},
        {"order_id", s->order_id},
        {"line_id", s->line_id},
        {"title", s->title},
        {"body", s->body},
        {"name", s->name},
        {"locale", s->locale},
    };
    int code =
        s->rating ? json_object_set_new(body, "rating", json_integer(s->rating)) : 0;

    for (size_t i = 0; i < sizeof members / sizeof *members && !code; i++) {
        if (members[i].value) {
            code =
                json_object_set_new(body, members[i].name, json_string(members[i].value));
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
    if (!code) {
        code = trace_add(store, settings, submission, made, error);
    }
    if (code) {
        json_decref(made);
        return code;
    }
    *body = made;
    return 0;
}
