/* SPDX-License-Identifier: MIT */
/* From the host's JSON to a checked request. */
#include "web/exchange.h"

#include <string.h>

#include "base/crypto.h"
#include "base/locale.h"
#include "base/text.h"
#include "web/header.h"

static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
#define LOCALES (sizeof locales / sizeof *locales)

enum { ADDRESS_MOST = 45, METHOD_MOST = 16 << 10, TARGET_MOST = 1 << 20 };

const char *exchange_locale_at(size_t index) {
    return index < LOCALES ? locales[index] : NULL;
}

static int exchange_operator(struct exchange *x, const struct field *outer) {
    struct field f = {NULL, "/operator", outer->error};
    const char *role = NULL;
    int code = json_take_object(outer, "operator", &f.object);

    if (code || !f.object) {
        return code;
    }
    code = json_need_string(&f, "name", EXCHANGE_ID_MOST, &x->operator_name);
    if (!code) {
        code = json_need_string(&f, "role", EXCHANGE_ID_MOST, &role);
    }
    if (!code) {
        x->role = route_role(role);
        code = x->role
                   ? 0
                   : error_set(outer->error, ERROR_INVALID, "/operator/role",
                               "the role is none of viewer moderator manager mediator "
                               "producer");
    }
    return code;
}

static int exchange_members(struct exchange *x, const char **target,
                            const json_t **headers, struct error *error) {
    struct field f = {x->request, "", error};
    json_t *body = json_object_get(x->request, "body");
    int code = json_need_string(&f, "method", METHOD_MOST, &x->method);

    if (!code) {
        code = json_need_text(&f, "target", TARGET_MOST, target);
    }
    if (!code) {
        code = json_take_object(&f, "headers", headers);
    }
    if (!code) {
        code = json_take_string(&f, "client_address", ADDRESS_MOST, &x->client_address);
    }
    if (!code) {
        code = exchange_operator(x, &f);
    }
    if (!code && body && !json_is_string(body) && !json_is_null(body)) {
        code = error_set(error, ERROR_INVALID, "/body", "body is text");
    }
    x->body = json_is_string(body) ? json_string_value(body) : "";
    x->body_length = json_string_length(body);
    x->client_address = x->client_address ? x->client_address : "";
    x->operator_name = x->operator_name ? x->operator_name : "";
    return code;
}

int exchange_read(struct exchange *x, const char *request, size_t length,
                  struct error *error) {
    const char *target = NULL;
    const json_t *headers = NULL;
    int status = 0;

    x->locale = locales[0];
    x->target.query = "";
    buffer_init(&x->answer, EXCHANGE_ANSWER_MOST);
    if (length > EXCHANGE_REQUEST_MOST) {
        return 413;
    }
    x->request = json_read_most(request, length, EXCHANGE_REQUEST_MOST, error);
    if (!x->request) {
        return error && error->code ? error->code : ERROR_INVALID;
    }
    if (!json_is_object(x->request)) {
        return error_set(error, ERROR_INVALID, "", "a request is a JSON object");
    }
    int code = exchange_members(x, &target, &headers, error);
    if (code) {
        return code;
    }
    status = header_read(headers, &x->headers);
    return status ? status : target_read(target, strlen(target), &x->target);
}

void exchange_free(struct exchange *x) {
    settings_release(x->settings);
    query_free(&x->form);
    query_free(&x->query);
    target_free(&x->target);
    json_decref(x->headers);
    json_decref(x->answer_headers);
    json_decref(x->next);
    json_decref(x->request);
    buffer_free(&x->answer);
}

bool exchange_unsafe(const struct exchange *x) {
    return strcmp(x->method, "POST") == 0;
}

const char *exchange_header(const struct exchange *x, const char *name) {
    return header_get(x->headers, name);
}

int exchange_form(struct exchange *x, bool multipart) {
    const char *type = exchange_header(x, "content-type");
    struct error error = {0};
    char boundary[71];
    size_t most = x->route->fields_most;
    int code;

    if (!*type || header_type_is(type, "application/x-www-form-urlencoded")) {
        code = query_read(x->body, x->body_length, most, &x->form, &error);
    } else if (multipart && header_type_is(type, "multipart/form-data")) {
        if (!header_parameter(type, "boundary", boundary, sizeof boundary)) {
            return 400;
        }
        code = query_read_multipart(x->body, x->body_length, boundary, most, &x->form,
                                    &error);
    } else {
        return 415;
    }
    return code ? (code == ERROR_INVALID ? 400 : 500) : 0;
}

static const char *exchange_accepted(const char *list) {
    for (const char *at = list; *at; at += *at == ',') {
        char tag[36];
        at += strspn(at, " \t");
        size_t n = strcspn(at, ",; \t");
        if (n > 0 && n < sizeof tag) {
            memcpy(tag, at, n);
            tag[n] = '\0';
            const char *found = text_locale(tag, locales, LOCALES, NULL);
            if (found) {
                return found;
            }
        }
        at += strcspn(at, ",");
    }
    return NULL;
}

void exchange_localize(struct exchange *x, const char *wished) {
    const char *asked = query_get(&x->query, "lang");
    const char *found = asked ? text_locale(asked, locales, LOCALES, NULL) : NULL;

    if (!found && wished) {
        found = text_locale(wished, locales, LOCALES, NULL);
    }
    if (!found) {
        found = exchange_accepted(exchange_header(x, "accept-language"));
    }
    x->localized = true;
    x->locale = found ? found
                      : locale_pick(x->settings ? settings_text(x->settings, "locale")
                                                : locales[0]);
}

int exchange_fault(const struct exchange *x, int code, const struct error *error) {
    if (code == ERROR_INVALID) {
        return 400;
    }
    if (code == ERROR_MISUSE) {
        return 409;
    }
    log_write(x->store->log, LOG_WARNING, "web: %s not answered: %s",
              x->route ? x->route->pattern : "", error->detail);
    return code == ERROR_UNAVAILABLE ? 503 : 500;
}

int exchange_ask(const struct exchange *x, const char *sql, const json_t *more,
                 json_t **value) {
    struct db_params p;
    struct error error = {0};
    uint8_t hash[32];

    crypto_token_hash(x->argument, strlen(x->argument), hash);
    db_params_open(&p);
    db_add_text(&p, x->store->name);
    db_add_bytes(&p, hash, sizeof hash);
    if (more) {
        db_add_json(&p, more);
    }
    int code = store_ask(x->store, sql, &p, x->deadline_us, value, &error);
    db_params_free(&p);
    return code ? exchange_fault(x, code, &error) : 0;
}
