/* SPDX-License-Identifier: MIT */
/* The page's own button sends what a mail program sends. */
#include "web/unsubscribe.h"

#include <strings.h>

#include "web/page.h"

static int unsubscribe_page(struct exchange *x, int status, bool done) {
    json_t *root = page_root(x);

    if (!root || json_object_set_new(root, "done", json_boolean(done)) ||
        page_words(x, root, "unsubscribe") ||
        page_word(x, root, "heading", "page.unsubscribe.title", root)) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, status, "unsubscribe", root);
}

static bool unsubscribe_clicked(const struct exchange *x) {
    for (size_t i = 0; i < x->form.count; i++) {
        if (strcasecmp(x->form.fields[i].name, "List-Unsubscribe") == 0) {
            return strcasecmp(x->form.fields[i].value, "One-Click") == 0;
        }
    }
    return false;
}

int unsubscribe_serve(struct exchange *x) {
    json_t *answer = NULL;
    int status =
        exchange_ask(x, "SELECT to_jsonb(vouch.unsubscribe_view($1, $2))", NULL, &answer);
    bool done = json_is_true(answer);

    if (!status && !answer) {
        status = 404;
    }
    json_decref(answer);
    exchange_localize(x, NULL);
    if (status || !exchange_unsafe(x)) {
        return status ? status : unsubscribe_page(x, 200, done);
    }
    status = exchange_form(x, true);
    if (status || !unsubscribe_clicked(x)) {
        return status ? status : unsubscribe_page(x, 400, done);
    }
    status =
        exchange_ask(x, "SELECT to_jsonb(vouch.unsubscribe_do($1, $2))", NULL, &answer);
    if (!status && !json_is_true(answer)) {
        status = 404;
    }
    json_decref(answer);
    return status ? status : unsubscribe_page(x, 200, true);
}
