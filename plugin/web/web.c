/* SPDX-License-Identifier: MIT */
/* The one way through: read, route, guard, handle, head, write. */
#include "web/web.h"

#include <string.h>

#include "base/memory.h"
#include "web/answer.h"
#include "web/exchange.h"
#include "web/guard.h"
#include "web/header.h"
#include "web/rate.h"
#include "web/route.h"

/* 0 or a status. 405 names what is allowed. */
static int web_route(struct exchange *x) {
    unsigned method = route_method(x->method);
    char allow[32];

    x->route = route_find(&x->target, &x->argument);
    if (!x->route) {
        return 404;
    }
    if (!(x->route->methods & method)) {
        route_allow(x->route, allow);
        return header_set(x->answer_headers, "allow", allow) ? 500 : 405;
    }
    return x->body_length > x->route->body_most ? 413 : 0;
}

static int web_query(struct exchange *x) {
    struct error error = {0};
    int code = query_read(x->target.query, strlen(x->target.query), QUERY_FIELDS_MOST,
                          &x->query, &error);
    return code ? (code == ERROR_INVALID ? 400 : 500) : 0;
}

/* What asks for a token brings it in its form or its header: the form is read first. */
static int web_guard(struct exchange *x) {
    int status = guard_origin(x, x->route);

    if (!status) {
        status = guard_role(x, x->route);
    }
    if (!status && x->route->guard == GUARD_TOKEN && exchange_unsafe(x) &&
        *exchange_header(x, "x-csrf-token") == '\0') {
        status = exchange_form(x, false);
    }
    return status ? status : guard_token(x, x->route);
}

static void web_answer(struct exchange *x) {
    struct error error = {0};
    int status = web_route(x);

    if (!status) {
        status = web_query(x);
    }
    /* A process that serves pages only learns of new settings here. */
    settings_poll(x->store, x->deadline_us, &error);
    settings_refresh(x->store, x->deadline_us);
    /* Without settings pages can still say that they are not to be had. */
    settings_get(x->store, x->deadline_us, &x->settings, &error);
    if (!status) {
        status = web_guard(x);
    }
    if (!status) {
        status = rate_admit(x);
    }
    if (!status) {
        status = x->route->handle(x);
        rate_miss(x, status);
    }
    if (status) {
        answer_error(x, status);
    }
}

static int web_write(struct exchange *x, char **response, struct error *error) {
    bool bodiless = strcmp(x->method ? x->method : "", "HEAD") == 0;
    size_t n = bodiless || !buffer_ok(&x->answer) ? 0 : x->answer.length;
    json_t *answer = json_pack("{s:i, s:O, s:s%, s:O*}", "status", x->status, "headers",
                               x->answer_headers, "body", n ? x->answer.data : "", n,
                               "next", bodiless ? NULL : x->next);

    *response = json_write(answer);
    json_decref(answer);
    return *response ? 0 : error_set(error, ERROR_FAILED, "", "no memory for the answer");
}

int web_serve(const struct store *store, const struct web_doors *doors,
              const char *request, size_t length, int64_t deadline_us, char **response,
              struct error *error) {
    struct exchange *x = memory_zero(1, sizeof *x);
    struct error own = {0};
    int code = ERROR_FAILED;

    *response = NULL;
    if (!x) {
        return error_set(error, ERROR_FAILED, "", "no memory for the request");
    }
    error = error ? error : &own;
    x->store = store;
    x->doors = doors;
    x->deadline_us = deadline_us;
    x->answer_headers = json_object();
    code = exchange_read(x, request, length, error);
    if (code > 0) {
        answer_error(x, code);
        code = 0;
    } else if (!code) {
        web_answer(x);
    }
    if (!code) {
        answer_headers(x);
        code = web_write(x, response, error);
    }
    exchange_free(x);
    memory_free(x);
    return code;
}
