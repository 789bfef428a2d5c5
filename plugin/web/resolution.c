/* SPDX-License-Identifier: MIT */
/* Pressing twice changes nothing; what there is to ask follows from the case alone. */
#include "web/resolution.h"

#include <string.h>

#include "base/text.h"
#include "web/page.h"

enum { RESOLUTION_BYTES_MOST = 5000 };

static const char *resolution_text(const json_t *view, const char *name) {
    const char *text = json_string_value(json_object_get(view, name));
    return text ? text : "";
}

/* The text that asks, or NULL when there is nothing to answer. */
static const char *resolution_question(const json_t *view) {
    const char *state = resolution_text(view, "state");

    if (strcmp(state, "resolution_proposed") == 0) {
        return "page.resolution.question";
    }
    bool over = strcmp(state, "confirmed") == 0 || strcmp(state, "closed") == 0;
    bool told = json_is_boolean(json_object_get(view, "feedback"));
    return over && !told && *resolution_text(view, "asked") ? "page.resolution.follow_up"
                                                            : NULL;
}

/* said: what was just answered, NULL: nothing. */
static int resolution_page(struct exchange *x, const json_t *view, const char *said) {
    const char *question = said ? NULL : resolution_question(view);
    const json_t *proposal = json_object_get(view, "proposal");
    const char *kind = resolution_text(proposal, "kind");
    const char *sentence = question                   ? question
                           : !said                    ? "page.resolution.nothing"
                           : strcmp(said, "yes") == 0 ? "page.resolution.done_yes"
                                                      : "page.resolution.done_no";
    json_t *root = page_root(x);
    int failed = !root ||
                 json_object_set_new(root, "asks", json_boolean(question != NULL)) ||
                 json_object_set(root, "product", json_object_get(view, "product")) ||
                 json_object_set(root, "body", json_object_get(proposal, "body")) ||
                 json_object_set_new(root, "kind", page_code(x, "resolution", kind)) ||
                 page_words(x, root, "resolution") ||
                 page_word(x, root, "sentence", sentence, root) ||
                 page_word(x, root, "heading", "page.resolution.title", root);
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, 200, "resolution", root);
}

static int resolution_answer(struct exchange *x, const char **said) {
    int status = exchange_form(x, false);
    const char *answer = query_get(&x->form, "answer");
    const char *words = query_get(&x->form, "message");
    size_t n = words ? strlen(words) : 0;
    json_t *more, *done = NULL;

    if (status) {
        return status;
    }
    *said = !answer                      ? NULL
            : strcmp(answer, "yes") == 0 ? "yes"
            : strcmp(answer, "no") == 0  ? "no"
                                         : NULL;
    if (!*said || n > RESOLUTION_BYTES_MOST || !text_valid(words ? words : "", n)) {
        return 400;
    }
    more = json_pack("{s:s, s:s}", "answer", *said, "body", words ? words : "");
    status =
        more ? exchange_ask(x, "SELECT vouch.resolution_answer($1, $2, $3)", more, &done)
             : 500;
    json_decref(more);
    json_decref(done);
    return status;
}

int resolution_serve(struct exchange *x) {
    json_t *view = NULL;
    const char *said = NULL;
    int status = exchange_ask(x, "SELECT vouch.resolution_view($1, $2)", NULL, &view);

    if (!status && !view) {
        status = 404;
    }
    if (!status) {
        exchange_localize(x, json_string_value(json_object_get(view, "locale")));
    }
    if (!status && exchange_unsafe(x)) {
        bool asked = resolution_question(view) != NULL;
        status = resolution_answer(x, &said);
        said = asked ? said : NULL;
    }
    if (!status) {
        status = resolution_page(x, view, said);
    }
    json_decref(view);
    return status;
}
