/* SPDX-License-Identifier: MIT */
/* One form, one function of the database behind it. */
#include "web/objection.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "web/page.h"

/* NULL when it says nothing, or too much. */
static const char *objection_text(const struct exchange *x) {
    const char *text = query_get(&x->form, "objection");
    size_t n = text ? strlen(text) : 0;

    return n > 0 && n <= OBJECTION_BYTES_MOST && text_valid(text, n) &&
                   text[strspn(text, " \t\r\n")] != '\0'
               ? text
               : NULL;
}

int objection_send(struct exchange *x, const char *sql) {
    const char *text = objection_text(x);
    json_t *body = text ? json_pack("{s:s}", "body", text) : NULL, *answer = NULL;
    int status = text ? (body ? 0 : 500) : 400;

    if (!status) {
        status = exchange_ask(x, sql, body, &answer);
        status = !status && !answer ? 404 : status;
    }
    json_decref(body);
    json_decref(answer);
    return status;
}

static json_t *objection_said(const struct exchange *x, const json_t *one) {
    static const struct {
        const char *state, *key;
    } states[] = {{"open", "page.author.appeal_state_open"},
                  {"granted", "page.author.history_granted"},
                  {"refused", "page.author.history_refused"},
                  {"lapsed", "page.author.history_appealed"}};
    const char *state = json_string_value(json_object_get(one, "state"));
    const json_t *decided = json_object_get(one, "decided_at");
    size_t i = 0;

    while (state && i + 1 < sizeof states / sizeof *states &&
           strcmp(states[i].state, state) != 0) {
        i++;
    }
    return json_pack("{s:O, s:o?, s:o, s:O?}", "body", json_object_get(one, "body"),
                     "when",
                     page_date(decided ? decided : json_object_get(one, "asked_at")),
                     "state", page_text(x, states[i].key, NULL), "explanation",
                     json_object_get(one, "explanation"));
}

static int objection_form(const struct exchange *x, json_t *root, json_t *made,
                          const json_t *appeal) {
    const char *draft = query_get(&x->form, "objection");
    json_t *until = page_date(json_object_get(appeal, "until"));
    json_t *limit = json_pack("{s:i}", "limit", OBJECTION_SHOWN_MOST);
    int failed = json_object_set_new(made, "possible", json_true()) |
                 json_object_set_new(made, "draft", json_string(draft ? draft : ""));

    if (!failed && until) {
        failed = json_object_set(root, "appeal_until", until);
    }
    if (!failed && draft && !objection_text(x)) {
        failed = page_word(x, made, "fault", "page.author.appeal_error", limit);
    }
    json_decref(until);
    json_decref(limit);
    return failed;
}

int objection_data(const struct exchange *x, json_t *root, const json_t *appeal) {
    const json_t *all = json_object_get(appeal, "all");
    bool possible = json_is_true(json_object_get(appeal, "possible"));
    bool over = json_is_true(json_object_get(appeal, "over"));
    json_t *made = json_object(), *said = json_array();
    int failed = json_object_set_new(made, "said", said) |
                 json_object_set_new(made, "over", json_boolean(over && !possible));

    for (size_t i = 0; !failed && i < json_array_size(all); i++) {
        failed = json_array_append_new(said, objection_said(x, json_array_get(all, i)));
    }
    if (!failed && possible) {
        failed = objection_form(x, root, made, appeal);
    }
    if (!failed && (possible || over || json_array_size(said) > 0)) {
        failed = json_object_set(root, "objection", made);
    }
    json_decref(made);
    return failed;
}
