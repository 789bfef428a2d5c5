/* SPDX-License-Identifier: MIT */
/* A new page is one row here, one of the route table, one of the menu when it has an entry. */
#include "web/console_page.h"

#include <stdio.h>
#include <string.h>

#include "base/locale.h"
#include "base/text.h"
#include "web/guard.h"
#include "web/page.h"

/* clang-format off */
const struct console_page console_pages[] = {
    {"/console/", "home", "SELECT vouch.console_home($1, $2, $3, $4)", "home"},
    {"/console/live", "live", "SELECT vouch.console_counts($1, $2, $3, $4)", "home"},
    {"/console/queue", "queue", "SELECT vouch.console_queue($1, $2, $3, $4)", "queue"},
    {"/console/reviews", "reviews", "SELECT vouch.console_reviews($1, $2, $3, $4)", "reviews"},
    {"/console/reviews/{id}", "review", "SELECT vouch.console_review($1, $2, $3, $4)", "reviews"},
    {"/console/reports", "reports", "SELECT vouch.console_reports($1, $2, $3, $4)", "reports"},
    {"/console/appeals", "appeals", "SELECT vouch.console_appeals($1, $2, $3, $4)", "appeals"},
    {"/console/parity", "parity", "SELECT vouch.console_parity($1, $2, $3, $4)", "parity"},
    {"/console/cases", "cases", "SELECT vouch.console_cases($1, $2, $3, $4)", "cases"},
    {"/console/cases/{id}", "case", "SELECT vouch.console_case($1, $2, $3, $4)", "cases"},
    {"/console/figures", "figures", "SELECT vouch.console_figures($1, $2, $3, $4)", "figures"},
    {"/console/webhooks", "webhooks", "SELECT vouch.console_webhooks($1, $2, $3, $4)", "webhooks"},
    {"/console/discounts", "discounts", "SELECT vouch.console_discounts($1, $2, $3, $4)", "discounts"},
    {"/console/delivery", "delivery", "SELECT vouch.console_delivery($1, $2, $3, $4)", "delivery"},
    {"/console/suppression", "suppression", "SELECT vouch.console_suppression($1, $2, $3, $4)", "suppression"},
    {"/console/settings", "settings", "SELECT vouch.console_settings($1, $2, $3, $4)", "settings"},
    {"/console/settings/{table}", "table", "SELECT vouch.console_table($1, $2, $3, $4)", "settings"},
};
const size_t console_page_count = sizeof console_pages / sizeof *console_pages;

const struct console_deed console_deeds[] = {
    {"/console/queue/decision", "bulk", "SELECT vouch.console_bulk($1, $2, $3, $4)", "queue", false},
    {"/console/reviews/{id}/decision", "decide", "SELECT vouch.console_decide($1, $2, $3, $4)", "reviews", true},
    {"/console/reviews/{id}/undo", "undo", "SELECT vouch.console_undo($1, $2, $3, $4)", "reviews", true},
    {"/console/reviews/{id}/redaction", "redact", "SELECT vouch.console_redact($1, $2, $3, $4)", "reviews", true},
    {"/console/reports/{id}/decision", "report", "SELECT vouch.console_report_decide($1, $2, $3, $4)", "reports", false},
    {"/console/appeals/{id}/decision", "appeal", "SELECT vouch.console_appeal_decide($1, $2, $3, $4)", "appeals", false},
    {"/console/reviews/find", "find", "SELECT vouch.console_find($1, $2, $3, $4)", "reviews", false},
    {"/console/cases/{id}/step", "case", "SELECT vouch.console_case_do($1, $2, $3, $4)", "cases", true},
    {"/console/webhooks/replay", "replay", "SELECT vouch.console_replay($1, $2, $3, $4)", "webhooks", false},
    {"/console/discounts/find", "code", "SELECT vouch.console_code($1, $2, $3, $4)", "discounts", false},
    {"/console/suppression/change", "suppress", "SELECT vouch.console_suppress($1, $2, $3, $4)", "suppression", false},
    {"/console/suppression/find", "known", "SELECT vouch.console_known($1, $2, $3, $4)", "suppression", false},
    {"/console/settings/{table}/change", "set", "SELECT vouch.console_set($1, $2, $3, $4)", "settings", true},
};
const size_t console_deed_count = sizeof console_deeds / sizeof *console_deeds;

/* The menu, in its order: an entry, and where it leads below /console/. */
static const struct {
    const char *name, *path;
} menu[] = {
    {"home", ""},
    {"queue", "queue"},
    {"reviews", "reviews"},
    {"reports", "reports"},
    {"appeals", "appeals"},
    {"cases", "cases"},
    {"figures", "figures"},
    {"discounts", "discounts"},
    {"delivery", "delivery"},
    {"suppression", "suppression"},
    {"parity", "parity"},
    {"webhooks", "webhooks"},
    {"settings", "settings"},
};
/* clang-format on */

const struct console_page *console_page_of(const struct route *route) {
    for (size_t i = 0; i < console_page_count; i++) {
        if (strcmp(console_pages[i].pattern, route->pattern) == 0) {
            return &console_pages[i];
        }
    }
    return NULL;
}

const struct console_deed *console_deed_of(const struct route *route) {
    for (size_t i = 0; i < console_deed_count; i++) {
        if (strcmp(console_deeds[i].pattern, route->pattern) == 0) {
            return &console_deeds[i];
        }
    }
    return NULL;
}

static int console_menu(const struct exchange *x, json_t *root, const char *nav) {
    json_t *list = json_array();
    int failed = json_object_set_new(root, "menu", list);
    char key[64];

    for (size_t i = 0; !failed && i < sizeof menu / sizeof *menu; i++) {
        snprintf(key, sizeof key, "page.console.nav_%s", menu[i].name);
        failed = json_array_append_new(
            list, json_pack("{s:o, s:o, s:b}", "text", page_text(x, key, NULL), "url",
                            page_link(x, "console/", menu[i].path), "current",
                            strcmp(menu[i].name, nav) == 0));
    }
    return failed;
}

/* A token a deed that this operator may do; templates show no form without one. */
static int console_tokens(const struct exchange *x, json_t *root) {
    json_t *tokens = json_object();
    int failed = json_object_set_new(root, "csrf", tokens);
    char token[44];

    for (size_t i = 0; !failed && i < route_count; i++) {
        const struct console_deed *deed = console_deed_of(&route_table[i]);
        if (deed && (route_table[i].roles & x->role)) {
            guard_make(x, &route_table[i], token);
            failed = json_object_set_new(tokens, deed->name, json_string(token));
        }
    }
    return failed;
}

/* The same page with one field of its query changed; a deed's notice is not taken along. */
static json_t *console_url(const struct exchange *x, const char *field,
                           const char *value) {
    static const char *const past[] = {"done", "on",   "at",     "count",
                                       "lang", "code", "address"};
    struct buffer out;
    json_t *made;

    buffer_init(&out, 16 << 10);
    buffer_format(&out, "?%s=", field);
    query_escape(&out, value);
    for (size_t i = 0; i < x->query.count; i++) {
        bool left = strcmp(x->query.fields[i].name, field) == 0;
        for (size_t k = 0; k < sizeof past / sizeof *past; k++) {
            left |= strcmp(x->query.fields[i].name, past[k]) == 0;
        }
        if (!left) {
            buffer_char(&out, '&');
            query_escape(&out, x->query.fields[i].name);
            buffer_char(&out, '=');
            query_escape(&out, x->query.fields[i].value);
        }
    }
    made = buffer_ok(&out) ? json_string(out.data) : NULL;
    buffer_free(&out);
    return made;
}

static int console_languages(const struct exchange *x, json_t *root) {
    json_t *list = json_array();
    int failed = json_object_set_new(root, "languages", list);
    const char *locale;

    for (size_t i = 0; !failed && (locale = exchange_locale_at(i)); i++) {
        failed = json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:b, s:o}", "code", locale, "script",
                            text_is_rtl_locale(locale) ? "rtl" : "ltr", "name",
                            locale_text(locale, "language"), "current",
                            strcmp(locale, x->locale) == 0, "url",
                            console_url(x, "lang", locale)));
    }
    return failed;
}

/* ?done=CODE, when there is a sentence for it: nobody else's words get onto the page. */
static int console_notice(const struct exchange *x, json_t *root) {
    const char *done = query_get(&x->query, "done");
    const char *count = query_get(&x->query, "count");
    char key[64];
    int n = snprintf(key, sizeof key, "page.console.done_%s", done ? done : "");

    if (!done || n < 0 || (size_t)n >= sizeof key ||
        !json_object_get(locale_catalogue("en"), key)) {
        return 0;
    }
    json_t *data = json_pack("{s:s}", "count", count && strlen(count) < 8 ? count : "");
    int failed = page_word(x, root, "notice", key, data);
    json_decref(data);
    return failed;
}

/* "next", a cursor, becomes the address of the next page. */
static int console_next(const struct exchange *x, json_t *root) {
    const char *next = json_string_value(json_object_get(root, "next"));
    return next ? json_object_set_new(root, "next_url", console_url(x, "after", next))
                : 0;
}

int console_frame(const struct exchange *x, json_t *root, const char *nav) {
    static const unsigned decide = ROLE_MODERATOR | ROLE_MANAGER;
    const char *role = x->role == ROLE_VIEWER      ? "viewer"
                       : x->role == ROLE_MODERATOR ? "moderator"
                       : x->role == ROLE_MANAGER   ? "manager"
                                                   : "mediator";
    json_t *operator= json_pack("{s:s, s:o}", "name", x->operator_name, "role_text",
                                page_code(x, "page.console.role", role));
    json_t *may = json_pack("{s:b, s:b}", "decide", (x->role & decide) != 0, "manage",
                            x->role == ROLE_MANAGER);

    return json_object_set_new(root, "operator", operator) |
           json_object_set_new(root, "may", may) | console_menu(x, root, nav) |
           console_tokens(x, root) | console_languages(x, root) |
           console_notice(x, root) | console_next(x, root);
}

/* What was typed into the form that is refused, so that nobody types it twice. */
static json_t *console_typed(const struct exchange *x) {
    static const char *const unsaid[] = {"csrf", "version", "was",  "from", "next",
                                         "key",  "address", "code", "at",   "action"};
    json_t *list = json_array();

    for (size_t i = 0; list && i < x->form.count; i++) {
        const char *name = x->form.fields[i].name, *value = x->form.fields[i].value;
        bool left = *value == '\0' || strncmp(name, "ready.", 6) == 0 ||
                    strncmp(name, "pick.", 5) == 0 || strncmp(name, "key.", 4) == 0;
        for (size_t k = 0; k < sizeof unsaid / sizeof *unsaid; k++) {
            left |= strcmp(name, unsaid[k]) == 0;
        }
        if (!left && json_array_append_new(
                         list, json_pack("{s:s, s:s}", "name",
                                         strncmp(name, "set.", 4) ? name : name + 4,
                                         "value", value))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

int console_problem(struct exchange *x, int status, const struct error *error) {
    json_t *root = page_root(x), *typed = console_typed(x);
    int failed = !root ||
                 json_object_set_new(root, "detail", json_string(error->detail)) ||
                 json_object_set_new(root, "pointer", json_string(error->pointer)) ||
                 page_word(x, root, "explained",
                           status == 409 ? "page.console_problem.changed"
                                         : "page.console_problem.invalid",
                           NULL) ||
                 console_frame(x, root, "") || page_words(x, root, "console") ||
                 page_words(x, root, "console_problem");

    json_decref(typed);
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer_in(x, status, "console", "console_problem", root);
}
