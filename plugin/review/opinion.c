/* SPDX-License-Identifier: MIT */
/* Claims jobs, asks over HTTPS, settles; the worker's steps drive the calls. */
#include "review/opinion.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/https.h"

enum {
    OPINION_URL_MOST = 4096,
    OPINION_CLAIM_US = 250000,
    OPINION_TRIES = 3,         /* failures in a row until the breaker opens */
    OPINION_REST_US = 5000000, /* at first, then twice as long each time */
    OPINION_REST_MOST = 7,     /* doublings: 640 s */
    OPINION_REPLY_MOST = 262144
};

struct asked {
    struct https_call *call; /* NULL: free */
    int64_t review_id, revision;
};

struct opinion {
    struct asked asked[OPINION_CALLS];
    unsigned failures; /* in a row */
    int64_t rest_until_us, claimed_us;
};

int opinion_open(struct opinion **opinion, struct error *error) {
    *opinion = memory_zero(1, sizeof **opinion);
    return *opinion ? 0
                    : error_set(error, ERROR_FAILED, "", "no memory for a classifier");
}

void opinion_close(struct opinion *opinion) {
    for (size_t i = 0; opinion && i < OPINION_CALLS; i++) {
        https_close(opinion->asked[i].call);
    }
    memory_free(opinion);
}

json_t *opinion_question(const char *kind, const char *model, const char *words) {
    if (strcmp(kind, "perspective") == 0) {
        return json_pack("{s:{s:s}, s:{s:{}, s:{}, s:{}, s:{}}, s:b}", "comment", "text",
                         words, "requestedAttributes", "TOXICITY", "INSULT", "THREAT",
                         "IDENTITY_ATTACK", "doNotStore", 1);
    }
    return *model ? json_pack("{s:s, s:s}", "input", words, "model", model)
                  : json_pack("{s:s}", "input", words);
}

static double score_of(const json_t *value) {
    double score = json_is_number(value) ? json_number_value(value) : -1;

    return score >= 0 && score <= 1 ? score : -1;
}

double opinion_answer(const char *kind, const json_t *answer) {
    bool perspective = strcmp(kind, "perspective") == 0;
    const json_t *result = json_array_get(json_object_get(answer, "results"), 0);
    json_t *scores = perspective ? json_object_get(answer, "attributeScores")
                                 : json_object_get(result, "category_scores");
    const char *name;
    json_t *value;
    double most = -1;

    json_object_foreach(scores, name, value) {
        double score = score_of(
            perspective ? json_object_get(json_object_get(value, "summaryScore"), "value")
                        : value);
        most = score > most ? score : most;
    }
    if (most < 0 && json_is_boolean(json_object_get(result, "flagged"))) {
        most = json_is_true(json_object_get(result, "flagged")) ? 1 : 0;
    }
    return most;
}

static const char *row_text(const json_t *row, const char *column) {
    const char *text = json_string_value(json_object_get(row, column));

    return text ? text : "";
}

/* Perspective takes its token in the url, the others as a header. */
static int ask_start(const struct store *store, const json_t *row, const char *words,
                     struct https_call **call, struct error *error) {
    const char *kind = row_text(row, "kind"), *url = row_text(row, "url");
    const char *token = store_token(store, row_text(row, "secret"));
    bool perspective = strcmp(kind, "perspective") == 0;
    char address[OPINION_URL_MOST], bearer[OPINION_URL_MOST];
    const char *headers[] = {"Content-Type: application/json", "Accept: application/json",
                             bearer};
    json_t *question = opinion_question(kind, row_text(row, "model"), words);
    char *body = question ? json_write(question) : NULL;
    int code = body ? 0 : error_set(error, ERROR_FAILED, "", "no memory for a question");

    (void)snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", token ? token : "");
    (void)snprintf(address, sizeof address, "%s%s%s", url,
                   perspective && token ? (strchr(url, '?') ? "&key=" : "?key=") : "",
                   perspective && token ? token : "");
    if (!code) {
        struct https_ask ask = {
            .policy = store->https,
            .url = address,
            .headers = headers,
            .header_count = token && !perspective ? 3 : 2,
            .body = body,
            .body_length = strlen(body),
            .reply_max = OPINION_REPLY_MOST,
            .timeout_ms = (int)json_number_value(json_object_get(row, "timeout_ms"))};
        code = https_start(&ask, call, error);
    }
    crypto_zero(bearer, sizeof bearer);
    crypto_zero(address, sizeof address);
    memory_free(body);
    json_decref(question);
    return code;
}

/* score below 0: it has nothing to say. */
static int ask_settle(const struct store *store, const struct asked *asked, double score,
                      int64_t deadline_us, struct error *error) {
    char number[32];
    struct db_params p;
    int code;

    (void)snprintf(number, sizeof number, "%.6f", score);
    db_params_open(&p);
    db_add_text(&p, store->name);
    db_add_int(&p, asked->review_id);
    db_add_int(&p, asked->revision);
    db_add_text(&p, score >= 0 ? number : NULL);
    code = store_call(store,
                      "SELECT vouch.classifier_settle($1, $2, $3::integer, "
                      "$4::text::double precision)",
                      &p, deadline_us, NULL, NULL, error);
    db_params_free(&p);
    return code;
}

static void rest(struct opinion *o, const struct store *store, const char *why) {
    unsigned over = o->failures++ < OPINION_TRIES ? 0 : o->failures - OPINION_TRIES;

    if (o->failures >= OPINION_TRIES) {
        over = over > OPINION_REST_MOST ? OPINION_REST_MOST : over;
        o->rest_until_us = clock_now_us() + ((int64_t)OPINION_REST_US << over);
    }
    log_write(store->log, LOG_WARNING, "the outside classifier of %s is silent: %s",
              store->name, why);
}

/* A request that is refused as such (4xx but 408, 429) will be so again: it is done with. */
static int ask_end(struct opinion *o, const struct store *store, const json_t *row,
                   struct asked *asked, int64_t deadline_us, struct error *error) {
    const struct https_reply *reply = https_reply(asked->call);
    json_t *answer =
        reply->status == 200 ? json_read(reply->body, reply->length, NULL) : NULL;
    double score = answer ? opinion_answer(row_text(row, "kind"), answer) : -1;
    bool refused = reply->status >= 400 && reply->status < 500 && reply->status != 408 &&
                   reply->status != 429;
    int code = 0;

    if (score >= 0) {
        o->failures = 0;
    } else {
        char why[300];
        (void)snprintf(why, sizeof why, "status %d %s", reply->status, reply->detail);
        rest(o, store, why);
    }
    if (score >= 0 || refused) {
        code = ask_settle(store, asked, score, deadline_us, error);
    }
    json_decref(answer);
    https_close(asked->call);
    asked->call = NULL;
    return code;
}

static int ask_more(struct opinion *o, const struct store *store, const json_t *row,
                    int64_t room, int64_t deadline_us, struct error *error) {
    struct db_params p;
    struct db_result *result = NULL;
    int code;

    db_params_open(&p);
    db_add_text(&p, store->name);
    db_add_int(&p, room);
    code = store_call(store,
                      "SELECT review_id, revision, words FROM "
                      "vouch.classifier_claim($1, $2::integer)",
                      &p, deadline_us, &result, NULL, error);
    for (int i = 0; !code && i < db_rows(result); i++) {
        size_t at = 0;
        struct error why = {0};
        while (at < OPINION_CALLS - 1 && o->asked[at].call) {
            at++;
        }
        if (o->asked[at].call) {
            break;
        }
        o->asked[at].review_id = db_int(result, i, 0);
        o->asked[at].revision = db_int(result, i, 1);
        if (ask_start(store, row, db_value(result, i, 2), &o->asked[at].call, &why)) {
            rest(o, store, why.detail);
        }
    }
    db_result_free(result);
    db_params_free(&p);
    return code;
}

int opinion_run(struct opinion *o, const struct store *store, int64_t deadline_us,
                int *done, bool *busy, struct error *error) {
    struct settings *settings = settings_cached(store);
    const json_t *row = settings ? settings_rows(settings, "classifier") : NULL;
    int64_t room = 0;
    int code = 0;

    for (size_t i = 0; json_is_object(row) && i < OPINION_CALLS && !code; i++) {
        if (o->asked[i].call && https_run(o->asked[i].call, 0)) {
            code = ask_end(o, store, row, &o->asked[i], deadline_us, error);
            *done += 1;
        }
        room += !o->asked[i].call;
    }
    int64_t now = clock_now_us();
    if (json_is_object(row) && !code && room && now >= o->rest_until_us &&
        now - o->claimed_us >= OPINION_CLAIM_US) {
        o->claimed_us = now;
        code = ask_more(o, store, row, room, deadline_us, error);
    }
    for (size_t i = 0; i < OPINION_CALLS; i++) {
        *busy |= o->asked[i].call != NULL;
    }
    settings_release(settings);
    return code;
}
