/* SPDX-License-Identifier: MIT */
/* The text comes whole from SQL. */
#include "web/figures.h"

#include "web/answer.h"
#include "web/header.h"

static const char *figures_role(const struct exchange *x) {
    return x->role == ROLE_VIEWER    ? "viewer"
           : x->role == ROLE_MANAGER ? "manager"
                                     : "moderator";
}

int figures_serve(struct exchange *x) {
    struct db_params p;
    struct error error = {0};
    json_t *text = NULL;

    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_text(&p, x->operator_name);
    db_add_text(&p, figures_role(x));
    int code = store_ask(x->store, "SELECT vouch.figures_csv($1, $2, $3)", &p,
                         x->deadline_us, &text, &error);
    db_params_free(&p);
    int status = code ? exchange_fault(x, code, &error) : 0;
    if (!status && header_set(x->answer_headers, "content-disposition",
                              "attachment; filename=\"figures.csv\"")) {
        status = 500;
    }
    if (!status) {
        status = answer_bytes(x, 200, "text/csv; charset=utf-8", json_string_value(text),
                              json_string_length(text));
    }
    json_decref(text);
    return status;
}
