/* SPDX-License-Identifier: MIT */
/* One way in for all pages of the console, one for all its deeds. */
#include "web/console.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "web/answer.h"
#include "web/console_dress.h"
#include "web/console_page.h"
#include "web/console_preview.h"
#include "web/header.h"
#include "web/page.h"

static int console_field(json_t *fields, const char *name, const char *value) {
    return json_object_set_new(fields, name, json_string(value));
}

/* What is typed here goes no further than its key. ERROR_INVALID when it is none. */
static int console_key(json_t *fields, const char *name, const uint8_t key[32]) {
    char hex[65];

    crypto_hex(key, 32, hex);
    return console_field(fields, name, hex) ? ERROR_FAILED : 0;
}

static int console_address(const struct exchange *x, json_t *fields, const char *typed,
                           struct error *error) {
    char *normal = address_normal(typed);
    uint8_t key[32];

    if (!normal) {
        return error_set(error, ERROR_INVALID, "/address", "this is no mail address");
    }
    crypto_address_key(x->store->keys, normal, key);
    crypto_zero(normal, strlen(normal));
    memory_free(normal);
    return console_key(fields, "address_key", key);
}

static int console_code(const struct exchange *x, json_t *fields, const char *typed,
                        struct error *error) {
    char normal[64];
    uint8_t hash[32];

    if (!crypto_code_normal(typed, strlen(typed), normal)) {
        return error_set(error, ERROR_INVALID, "/code", "this is no discount code");
    }
    crypto_code_hash(x->store->keys, x->store->name, normal, hash);
    crypto_zero(normal, sizeof normal);
    return console_key(fields, "code_hash", hash);
}

/* What is never kept nor passed on as it was typed. */
static const struct {
    const char *field;
    int (*take)(const struct exchange *x, json_t *fields, const char *typed,
                struct error *error);
} typed_fields[] = {{"address", console_address}, {"code", console_code}};

static int console_take(const struct exchange *x, json_t *fields, const char *name,
                        const char *value, struct error *error) {
    for (size_t i = 0; i < sizeof typed_fields / sizeof *typed_fields; i++) {
        if (strcmp(name, typed_fields[i].field) == 0) {
            if (*value == '\0' || !exchange_unsafe(x)) {
                return 0;
            }
            return x->store->keys
                       ? typed_fields[i].take(x, fields, value, error)
                       : error_set(error, ERROR_UNAVAILABLE, "", "no key is known yet");
        }
    }
    if (strcmp(name, "csrf") == 0 || strcmp(name, "lang") == 0) {
        return 0;
    }
    return console_field(fields, name, value) ? ERROR_FAILED : 0;
}

/* The fields of a query or form, without the token. */
static int console_fields(const struct exchange *x, const struct query *query,
                          json_t **fields, struct error *error) {
    int code = 0;

    *fields = json_object();
    for (size_t i = 0; !code && i < query->count; i++) {
        code = console_take(x, *fields, query->fields[i].name, query->fields[i].value,
                            error);
    }
    if (!code && x->argument) {
        code = console_field(*fields, "id", x->argument) ? ERROR_FAILED : 0;
    }
    return code;
}

/* What the row's function answers; 0 or an ERROR_ code. */
static int console_ask(const struct exchange *x, const char *sql, json_t *fields,
                       json_t **answer, struct error *error) {
    static const struct {
        unsigned role;
        const char *name;
    } roles[] = {{ROLE_VIEWER, "viewer"},
                 {ROLE_MODERATOR, "moderator"},
                 {ROLE_MANAGER, "manager"},
                 {ROLE_MEDIATOR, "mediator"}};
    struct db_params p;
    const char *role = NULL;

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        role = x->role == roles[i].role ? roles[i].name : role;
    }
    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_text(&p, x->operator_name);
    db_add_text(&p, role);
    db_add_json(&p, fields);
    int code = store_ask(x->store, sql, &p, x->deadline_us, answer, error);
    db_params_free(&p);
    return code;
}

/* The language: asked for here and then remembered, or remembered. */
static void console_localize(struct exchange *x) {
    static const char name[] = "vouch_lang=";
    const char *at = strstr(exchange_header(x, "cookie"), name);
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";
    const char *path = strstr(base, "://");
    char known[9] = "", cookie[640];

    if (at) {
        at += sizeof name - 1;
        size_t n = strcspn(at, "; ");
        snprintf(known, sizeof known, "%.*s", (int)(n < sizeof known ? n : 0), at);
    }
    exchange_localize(x, *known ? known : NULL);
    path = path ? strchr(path + 3, '/') : NULL;
    if (query_get(&x->query, "lang") && !exchange_unsafe(x)) {
        snprintf(cookie, sizeof cookie,
                 "%s%s; Path=%s/console; Max-Age=31536000; HttpOnly; SameSite=Strict",
                 name, x->locale, path && !strchr(path, ';') ? path : "");
        (void)header_set(x->answer_headers, "set-cookie", cookie);
    }
}

/* Adds what every page has; 500 and the answer gone. */
static int console_rooted(const struct exchange *x, json_t *answer) {
    json_t *root = page_root(x);
    int failed =
        !root || json_object_update_missing(answer, root) || console_dress(x, answer);

    json_decref(root);
    if (failed) {
        json_decref(answer);
    }
    return failed ? 500 : 0;
}

/* What the database refused is told on a page of its own: 0. Else the status to tell. */
static int console_refused(struct exchange *x, int code, const struct error *error) {
    int status = exchange_fault(x, code, error);
    return status == 400 || status == 409 ? console_problem(x, status, error) : status;
}

/* 0 and *root, or a status; a page may have been answered then, with status -1. */
static int console_data(struct exchange *x, const struct console_page *page,
                        json_t **root) {
    struct error error = {0};
    json_t *fields = NULL, *answer = NULL;
    int code = console_fields(x, &x->query, &fields, &error);

    console_localize(x);
    if (!code) {
        code = console_ask(x, page->sql, fields, &answer, &error);
    }
    json_decref(fields);
    if (code) {
        int status = console_refused(x, code, &error);
        return status ? status : -1;
    }
    *root = answer;
    return answer ? console_rooted(x, answer) : 404;
}

/* root is taken over. */
static int console_page(struct exchange *x, const char *name, const char *nav,
                        json_t *root, bool whole) {
    char template[64];

    snprintf(template, sizeof template, "console_%s", name);
    if (console_frame(x, root, nav) || page_words(x, root, "console") ||
        page_words(x, root, template)) {
        json_decref(root);
        return 500;
    }
    return whole ? page_answer_in(x, 200, "console", template, root)
                 : page_fragment(x, 200, template, root);
}

static int console_render(struct exchange *x, bool whole) {
    const struct console_page *page = console_page_of(x->route);
    json_t *root = NULL;
    int status = page ? console_data(x, page, &root) : 404;

    if (status) {
        return status < 0 ? 0 : status;
    }
    return console_page(x, page->name, page->nav, root, whole);
}

int console_show(struct exchange *x) {
    return console_render(x, true);
}

int console_part(struct exchange *x) {
    return console_render(x, false);
}

static void console_query(struct buffer *out, const json_t *query) {
    const char *name;
    json_t *value;
    char mark = '?';

    /* jansson walks an object only through a pointer to what is not const. */
    json_object_foreach((json_t *)(uintptr_t)query, name, value) {
        if (json_is_string(value)) {
            buffer_char(out, mark);
            query_escape(out, name);
            buffer_char(out, '=');
            query_escape(out, json_string_value(value));
            mark = '&';
        }
    }
}

/* The place is ours; only its query comes from elsewhere, and that escaped. */
static int console_back(struct exchange *x, const char *back, const char *id,
                        const json_t *answer) {
    struct buffer to;
    const char *at = json_string_value(json_object_get(answer, "at"));

    buffer_init(&to, 8192);
    for (size_t i = 0; i < x->target.depth; i++) {
        buffer_text(&to, "../");
    }
    buffer_format(&to, "console/%s", back);
    if (id) {
        buffer_char(&to, '/');
        query_escape(&to, id);
    }
    console_query(&to, json_object_get(answer, "query"));
    if (at) {
        buffer_text(&to, "#r-");
        query_escape(&to, at);
    }
    int status = buffer_ok(&to) && !header_set(x->answer_headers, "location", to.data)
                     ? answer_bytes(x, 303, "text/plain; charset=utf-8", "", 0)
                     : 500;
    buffer_free(&to);
    return status;
}

/* A deed that only shows what it would do: "trial" or "preview". answer is taken over. */
static int console_shown(struct exchange *x, json_t *answer) {
    bool preview =
        strcmp(json_string_value(json_object_get(answer, "show")), "preview") == 0;
    struct error error = {0};
    int code = preview ? console_preview(x, answer, &error) : 0;

    if (code) {
        json_decref(answer);
        return console_refused(x, code, &error);
    }
    int status = console_rooted(x, answer);
    return status
               ? status
               : console_page(x, preview ? "preview" : "trial", "settings", answer, true);
}

int console_do(struct exchange *x) {
    const struct console_deed *deed = console_deed_of(x->route);
    struct error error = {0};
    json_t *fields = NULL, *answer = NULL;
    /* The guard read the form, unless the token came as a header. */
    int status = x->form.storage || !deed ? 0 : exchange_form(x, false);

    console_localize(x);
    if (status || !deed) {
        return status ? status : 404;
    }
    int code = console_fields(x, &x->form, &fields, &error);
    if (!code) {
        code = console_ask(x, deed->sql, fields, &answer, &error);
    }
    if (code) {
        status = console_refused(x, code, &error);
    } else if (json_object_get(answer, "show")) {
        status = console_shown(x, json_incref(answer));
    } else {
        const char *from = json_string_value(json_object_get(fields, "from"));
        bool queue = from && strcmp(from, "queue") == 0;
        status = console_back(x, queue ? "queue" : deed->back,
                              deed->same && !queue ? x->argument : NULL, answer);
    }
    json_decref(fields);
    json_decref(answer);
    return status;
}

int console_enter(struct exchange *x) {
    if (header_set(x->answer_headers, "location", "console/")) {
        return 500;
    }
    return answer_bytes(x, 303, "text/plain; charset=utf-8", "", 0);
}
