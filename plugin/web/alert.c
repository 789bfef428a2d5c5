/* SPDX-License-Identifier: MIT */
/* A mail scanner that follows the link takes nothing. */
#include "web/alert.h"

#include "web/page.h"

static int alert_page(struct exchange *x, const json_t *view, bool taken) {
    json_t *root = page_root(x), *review = json_object_get(view, "review");
    json_t *due = page_date(json_object_get(json_object_get(view, "case"), "due_at"));
    int failed = !root || json_object_set_new(root, "taken", json_boolean(taken)) ||
                 json_object_set(root, "product", json_object_get(view, "product")) ||
                 (due && json_object_set(root, "due", due)) ||
                 (review && json_object_set(root, "review", review)) ||
                 page_words(x, root, "alert") ||
                 (review && page_word(x, root, "stars", "mail.common.rating", root)) ||
                 page_word(x, root, "heading", "page.alert.title", root);

    json_decref(due);
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, 200, "alert", root);
}

int alert_serve(struct exchange *x) {
    json_t *view = NULL, *done = NULL;
    int status = exchange_ask(x, "SELECT vouch.alert_view($1, $2)", NULL, &view);
    bool taken = json_is_true(json_object_get(view, "assigned"));

    if (!status && !view) {
        status = 404;
    }
    if (!status) {
        exchange_localize(x, json_string_value(json_object_get(view, "locale")));
    }
    if (!status && exchange_unsafe(x)) {
        status = exchange_ask(x, "SELECT vouch.alert_take($1, $2)", NULL, &done);
        taken = true;
    }
    if (!status) {
        status = alert_page(x, view, taken);
    }
    json_decref(done);
    json_decref(view);
    return status;
}
