/* SPDX-License-Identifier: MIT */
/* Both deeds may be repeated: the second time changes nothing. */
#include "web/author.h"

#include <string.h>

#include "web/answer.h"
#include "web/author_page.h"
#include "web/header.h"
#include "web/objection.h"
#include "web/thread.h"

static int author_view(struct exchange *x, json_t **view) {
    json_decref(*view);
    int status = exchange_ask(x, "SELECT vouch.author_view($1, $2)", NULL, view);

    if (!status && !*view) {
        return 404;
    }
    if (!status) {
        exchange_localize(x, json_string_value(json_object_get(*view, "locale")));
    }
    return status;
}

/* 409 is a review withdrawn meanwhile: its page says so. */
static int author_shown(struct exchange *x, int status, json_t **view,
                        enum author_notice notice) {
    if (status && status != 409) {
        return status;
    }
    int seen = author_view(x, view);
    return seen ? seen
                : author_page(x, status ? 409 : 200, *view, NULL,
                              status ? AUTHOR_NOTHING : notice);
}

static int author_edit(struct exchange *x, json_t **view) {
    const char *const raw[ENTRY_FIELDS] = {[ENTRY_RATING] = query_get(&x->form, "rating"),
                                           [ENTRY_TITLE] = query_get(&x->form, "title"),
                                           [ENTRY_BODY] = query_get(&x->form, "body"),
                                           [ENTRY_NAME] = query_get(&x->form, "name")};
    struct entry entry;
    json_t *body = NULL, *answer = NULL;
    int status = entry_read(&entry, raw);

    if (!status && !entry.rating) {
        entry.fault[ENTRY_RATING] = "page.form.error_stars";
    }
    if (!status && !entry_good(&entry)) {
        status = author_page(x, 400, *view, &entry, AUTHOR_NOTHING);
        entry_free(&entry);
        return status;
    }
    if (!status) {
        status = entry_submission(x, &entry, NULL, &body);
    }
    entry_free(&entry);
    if (!status) {
        status = exchange_ask(x, "SELECT vouch.author_edit($1, $2, $3)", body, &answer);
    }
    json_decref(body);
    json_decref(answer);
    return author_shown(x, status, view, AUTHOR_SAVED);
}

static int author_withdraw(struct exchange *x, json_t **view) {
    json_t *answer = NULL;
    int status = exchange_ask(x, "SELECT vouch.author_withdraw($1, $2)", NULL, &answer);

    json_decref(answer);
    return author_shown(x, status, view, AUTHOR_GONE);
}

static int author_appeal(struct exchange *x, json_t **view) {
    int status = objection_send(x, "SELECT vouch.author_appeal($1, $2, $3)");

    return status == 400 ? author_page(x, 400, *view, NULL, AUTHOR_NOTHING)
                         : author_shown(x, status, view, AUTHOR_APPEALED);
}

static int author_say(struct exchange *x, json_t **view) {
    int status = thread_say(x);
    return status == 400 ? 400 : author_shown(x, status, view, AUTHOR_SAID);
}

static int author_resolve(struct exchange *x, json_t **view) {
    int status = thread_resolve(x);
    return status == 400 ? 400 : author_shown(x, status, view, AUTHOR_NOTHING);
}

static int author_post(struct exchange *x, json_t **view) {
    static const struct {
        const char *action;
        int (*act)(struct exchange *x, json_t **view);
    } acts[] = {{"edit", author_edit},
                {"withdraw", author_withdraw},
                {"appeal", author_appeal},
                {"say", author_say},
                {"resolve", author_resolve}};
    int status = exchange_form(x, false);
    const char *action = query_get(&x->form, "action");

    for (size_t i = 0; !status && action && i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(action, acts[i].action) == 0) {
            return acts[i].act(x, view);
        }
    }
    return status ? status : 400;
}

int author_serve(struct exchange *x) {
    json_t *view = NULL;
    int status = author_view(x, &view);

    if (!status) {
        status = exchange_unsafe(x) ? author_post(x, &view)
                                    : author_page(x, 200, view, NULL, AUTHOR_NOTHING);
    }
    json_decref(view);
    return status;
}

int author_data(struct exchange *x) {
    json_t *data = NULL;
    int status = exchange_ask(x, "SELECT vouch.author_data($1, $2)", NULL, &data);

    if (status || !data) {
        return status ? status : 404;
    }
    if (header_set(x->answer_headers, "content-disposition",
                   "attachment; filename=\"my-review.json\"")) {
        json_decref(data);
        return 500;
    }
    return answer_json(x, 200, data);
}
