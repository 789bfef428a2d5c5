/* SPDX-License-Identifier: MIT */
/* Nothing is asked for but what the law names: why, where, who, and good faith. */
#include "web/report.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "review/person.h"
#include "web/cursor.h"
#include "web/entry.h"
#include "web/objection.h"
#include "web/rate.h"
#include "web/report_page.h"

enum { ID_DIGITS = 18 };

/* body NULL: none. 0 or a status; *value NULL: no such review. */
static int report_ask(const struct exchange *x, const char *sql, const json_t *body,
                      json_t **value) {
    int64_t id = cursor_number(x->argument, ID_DIGITS);
    struct db_params p;
    struct error error = {0};

    *value = NULL;
    if (id <= 0) {
        return 404;
    }
    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_int(&p, id);
    if (body) {
        db_add_json(&p, body);
    }
    int code = store_ask(x->store, sql, &p, x->deadline_us, value, &error);
    db_params_free(&p);
    return code ? exchange_fault(x, code, &error) : *value ? 0 : 404;
}

static void report_free(struct report_draft *draft) {
    for (int i = 0; i < REPORT_FIELDS; i++) {
        memory_free(draft->text[i]);
    }
}

static void report_check(struct report_draft *draft, enum report_field field, size_t most,
                         bool lines, bool needed, const char *fault) {
    const char *text = draft->text[field];

    if (strlen(text) > most || !entry_shown(text, lines) || (needed && !*text)) {
        draft->fault[field] = fault;
    }
}

/* 0, 400 with faults in the draft, or 500. *key: of the address. */
static int report_read(const struct exchange *x, struct report_draft *draft,
                       uint8_t key[32]) {
    struct error error = {0};
    int faults = 0;

    for (int i = 0; i < REPORT_FIELDS; i++) {
        const char *raw = query_get(&x->form, report_names[i]);
        draft->text[i] = entry_clean(raw ? raw : "");
        if (!draft->text[i]) {
            return 500;
        }
    }
    draft->good_faith = query_get(&x->form, "good_faith") != NULL;
    draft->unconfirmed = !draft->good_faith;
    report_check(draft, REPORT_EXPLANATION, REPORT_BYTES_MOST, true, true,
                 "page.report.error_explanation");
    report_check(draft, REPORT_NAME, 500, false, true, "page.report.error_name");
    report_check(draft, REPORT_URL, 2000, false, false, "page.report.error_explanation");
    if (!*draft->text[REPORT_EMAIL] ||
        person_address_key(x->store, draft->text[REPORT_EMAIL], "", key, &error)) {
        draft->fault[REPORT_EMAIL] = "page.report.error_email";
    }
    if (*draft->text[REPORT_CATEGORY] && !report_category(draft->text[REPORT_CATEGORY])) {
        *draft->text[REPORT_CATEGORY] = '\0';
    }
    for (int i = 0; i < REPORT_FIELDS; i++) {
        faults += draft->fault[i] != NULL;
    }
    return faults || draft->unconfirmed ? 400 : 0;
}

static json_t *report_body(const struct exchange *x, const struct report_draft *draft,
                           const uint8_t key[32]) {
    json_t *body = json_object();
    uint8_t network[32];
    char hex[65];
    int failed = body ? 0 : -1;

    for (int i = 0; !failed && i < REPORT_FIELDS; i++) {
        if (*draft->text[i]) {
            failed =
                json_object_set_new(body, report_names[i], json_string(draft->text[i]));
        }
    }
    crypto_hex(key, 32, hex);
    failed = failed || json_object_set_new(body, "address_key", json_string(hex)) ||
             json_object_set_new(body, "locale", json_string(x->locale));
    if (!failed && rate_key(x, network)) {
        crypto_hex(network, 32, hex);
        failed = json_object_set_new(body, "network_key", json_string(hex));
    }
    if (failed) {
        json_decref(body);
        return NULL;
    }
    return body;
}

static int report_post(struct exchange *x, const json_t *view) {
    struct report_draft draft = {0};
    uint8_t key[32] = {0};
    json_t *body = NULL, *answer = NULL;
    int status = exchange_form(x, false);

    if (!status) {
        status = report_read(x, &draft, key);
        if (status == 400) {
            status = report_form_page(x, 400, view, &draft);
            goto out;
        }
    }
    if (!status) {
        body = report_body(x, &draft, key);
        status =
            body ? report_ask(x, "SELECT vouch.report_submit($1, $2, $3)", body, &answer)
                 : 500;
    }
    if (!status) {
        status = json_object_get(answer, "refused") ? 429 : report_thanks_page(x);
    }
out:
    json_decref(body);
    json_decref(answer);
    report_free(&draft);
    return status;
}

int report_serve(struct exchange *x) {
    json_t *view = NULL;
    int status = report_ask(x, "SELECT vouch.report_view($1, $2)", NULL, &view);

    exchange_localize(x, NULL);
    if (!status) {
        status = exchange_unsafe(x) ? report_post(x, view)
                                    : report_form_page(x, 200, view, NULL);
    }
    json_decref(view);
    return status;
}

static int report_view(struct exchange *x, json_t **view) {
    json_decref(*view);
    int status = exchange_ask(x, "SELECT vouch.report_status($1, $2)", NULL, view);

    if (!status && *view) {
        exchange_localize(x, json_string_value(json_object_get(*view, "locale")));
    }
    return status ? status : *view ? 0 : 404;
}

static int report_object(struct exchange *x, json_t **view) {
    int status = exchange_form(x, false);

    if (!status) {
        status = objection_send(x, "SELECT vouch.report_appeal($1, $2, $3)");
    }
    if (status && status != 400 && status != 409) {
        return status;
    }
    int seen = report_view(x, view);
    return seen ? seen : report_status_page(x, status ? status : 200, *view, !status);
}

int report_status_serve(struct exchange *x) {
    json_t *view = NULL;
    int status = report_view(x, &view);

    if (!status) {
        status = exchange_unsafe(x) ? report_object(x, &view)
                                    : report_status_page(x, 200, view, false);
    }
    json_decref(view);
    return status;
}
