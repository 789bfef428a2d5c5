/* SPDX-License-Identifier: MIT */
/* Of what the module says of itself, numbers and truths are passed on, words never: words
   may hold anything. */
#include "web/machine.h"

#include <string.h>

#include "base/memory.h"
#include "web/answer.h"
#include "web/header.h"

enum { METRIC_NAME_MOST = 120, METRICS_MOST = 1 << 20, METRIC_DEPTH_MOST = 4 };

static bool machine_is_json(const char *type) {
    static const char *const types[] = {"application/json",
                                        "application/cloudevents+json",
                                        "application/cloudevents-batch+json"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (header_type_is(type, types[i])) {
            return true;
        }
    }
    return *type == '\0';
}

/* A page of another site can send text/plain, never JSON, without asking first. */
int machine_events(struct exchange *x) {
    static const struct {
        int code, status;
    } codes[] = {{0, 200},
                 {1, 202},
                 {ERROR_INVALID, 400},
                 {ERROR_UNAVAILABLE, 503},
                 {ERROR_MISUSE, 503},
                 {ERROR_FORKED, 503},
                 {ERROR_FAILED, 500}};
    char *reply = NULL;
    size_t i = 0;

    if (!machine_is_json(exchange_header(x, "content-type"))) {
        return 415;
    }
    int code = x->doors->emit(x->doors->self, x->body, x->body_length, &reply);
    while (codes[i].code != code && i + 1 < sizeof codes / sizeof *codes) {
        i++;
    }
    int status = codes[i].status;
    const char *text = reply ? reply : "{}";
    int failed = answer_bytes(x, status,
                              code < 0 ? "application/problem+json; charset=utf-8"
                                       : "application/json; charset=utf-8",
                              text, strlen(text));
    memory_free(reply);
    if (!failed && status == 503) {
        failed = header_set(x->answer_headers, "retry-after", "5") ? 500 : 0;
    }
    return failed;
}

/* Numbers and truths of value, objects within objects kept. */
static json_t *machine_counts(const json_t *value, int depth) {
    json_t *made = json_object(), *member;
    const char *name;

    /* jansson walks an object only through a pointer to what is not const. */
    json_object_foreach((json_t *)(uintptr_t)value, name, member) {
        if (json_is_number(member) || json_is_boolean(member)) {
            json_object_set(made, name, member);
        } else if (json_is_object(member) && depth > 0) {
            json_object_set_new(made, name, machine_counts(member, depth - 1));
        }
    }
    return made;
}

/* {"database":{…},"spool":{…},"stores":{NAME:{…}}}, and whether it is well. */
static json_t *machine_state(const struct exchange *x, bool *well) {
    json_t *told = NULL, *stores, *store, *shown = json_object();
    const char *name;

    *well = x->doors->health(x->doors->self, &told) == 0;
    stores = json_object_get(told, "stores");
    json_object_foreach(stores, name, store) {
        const json_t *health = json_object_get(store, "health");
        *well = *well && json_is_object(health);
        json_object_set_new(shown, name, machine_counts(health, 1));
    }
    *well = *well &&
            json_is_true(json_object_get(json_object_get(told, "database"), "reachable"));
    json_t *state =
        json_pack("{s:o, s:o, s:o}", "database",
                  machine_counts(json_object_get(told, "database"), 0), "spool",
                  machine_counts(json_object_get(told, "spool"), 0), "stores", shown);
    json_decref(told);
    return state;
}

int machine_health(struct exchange *x) {
    bool well = false;
    json_t *state = machine_state(x, &well);

    if (json_object_set_new(state, "status", json_string(well ? "ok" : "unavailable"))) {
        json_decref(state);
        return 500;
    }
    return answer_json(x, well ? 200 : 503, state);
}

/* A name is made of [a-z0-9_]; anything else becomes an underscore. */
static void machine_metric(struct buffer *out, const char *name, const json_t *value,
                           const char *label) {
    buffer_text(out, "vouch_");
    for (const char *c = name; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_';
        buffer_char(out, plain ? *c : '_');
    }
    if (label) {
        buffer_format(out, "{store=\"%s\"}", label);
    }
    if (json_is_boolean(value)) {
        buffer_format(out, " %d\n", json_is_true(value));
    } else {
        buffer_format(out, " %.15g\n", json_number_value(value));
    }
}

static void machine_group(struct buffer *out, const char *group, json_t *counts,
                          const char *label, int depth) {
    const char *name;
    json_t *value;

    json_object_foreach(counts, name, value) {
        char path[METRIC_NAME_MOST] = "";
        struct buffer full;
        buffer_init(&full, sizeof path - 1);
        buffer_format(&full, "%s_%s", group, name);
        if (buffer_ok(&full) && !json_is_object(value)) {
            machine_metric(out, full.data, value, label);
        } else if (buffer_ok(&full) && depth > 0) {
            machine_group(out, full.data, value, label, depth - 1);
        }
        buffer_free(&full);
    }
}

/* Names of stores are [a-z0-9_.-]: nothing to escape in a label. */
int machine_metrics(struct exchange *x) {
    bool well = false;
    json_t *state = machine_state(x, &well), *store;
    const char *name;
    struct buffer out;

    buffer_init(&out, METRICS_MOST);
    buffer_format(&out, "vouch_up %d\n", well);
    machine_group(&out, "database", json_object_get(state, "database"), NULL, 0);
    machine_group(&out, "spool", json_object_get(state, "spool"), NULL, 0);
    json_object_foreach(json_object_get(state, "stores"), name, store) {
        machine_group(&out, "store", store, name, METRIC_DEPTH_MOST);
    }
    int failed = buffer_ok(&out)
                     ? answer_bytes(x, 200, "text/plain; version=0.0.4; charset=utf-8",
                                    out.data, out.length)
                     : 500;
    buffer_free(&out);
    json_decref(state);
    return failed;
}
