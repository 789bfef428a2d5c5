/* SPDX-License-Identifier: MIT */
/* What was overtaken by a newer request answers as a link that is none. */
#include "web/confirm.h"

#include <string.h>

#include "web/page.h"

/* "author" in the tables is "review" in the catalogue. */
static const struct {
    const char *action, *question, *done;
} actions[] = {
    {"author", "page.confirm.question_review", "page.confirm.done_review"},
    {"edit", "page.confirm.question_edit", "page.confirm.done_edit"},
    {"withdraw", "page.confirm.question_withdraw", "page.confirm.done_withdraw"},
};

static int confirm_page(struct exchange *x, const json_t *view, bool done) {
    const char *action = json_string_value(json_object_get(view, "action"));
    json_t *root = page_root(x);
    size_t i = 0;

    while (action && i + 1 < sizeof actions / sizeof *actions &&
           strcmp(actions[i].action, action) != 0) {
        i++;
    }
    int failed = !root || json_object_set_new(root, "done", json_boolean(done)) ||
                 json_object_set(root, "product", json_object_get(view, "product")) ||
                 json_object_set(root, "review", json_object_get(view, "review")) ||
                 page_words(x, root, "confirm") ||
                 page_word(x, root, "sentence",
                           done ? actions[i].done : actions[i].question, root) ||
                 page_word(x, root, "stars", "mail.common.rating", root) ||
                 page_word(x, root, "heading", "page.confirm.title", root);
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, 200, "confirm", root);
}

int confirm_serve(struct exchange *x) {
    json_t *view = NULL, *result = NULL;
    int status = exchange_ask(x, "SELECT vouch.confirm_view($1, $2)", NULL, &view);
    const char *state = json_string_value(json_object_get(view, "state"));
    bool done = state && strcmp(state, "confirmed") == 0;

    if (!status && (!state || strcmp(state, "lapsed") == 0)) {
        status = 404;
    }
    if (!status) {
        exchange_localize(x, json_string_value(json_object_get(view, "locale")));
    }
    if (!status && exchange_unsafe(x) && !done) {
        status = exchange_ask(x, "SELECT vouch.confirm_do($1, $2)", NULL, &result);
        status = status == 409 || (!status && !result) ? 404 : status;
        done = true;
    }
    if (!status) {
        status = confirm_page(x, view, done);
    }
    json_decref(result);
    json_decref(view);
    return status;
}
