/* SPDX-License-Identifier: MIT */
/* vouch_emit: checked, then committed in PostgreSQL, or, while that is away, synchronised
 * to the spool; one answer within the deadline either way. */
#include "emit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    EMIT_SPOOL_SHARE = 3, /* of the deadline, at most */
    EMIT_SPOOL_US = 200000,
    EMIT_REFRESH_SHARE = 2 /* of the deadline, at least, is left for new settings */
};

struct emission {
    struct vouch *module;
    struct shop *shop;
    json_t *root; /* the batch's once there is one */
    int flags;
    int64_t deadline_us, database_us;
    struct settings *settings;
    struct intake_batch *batch;
    json_t *applied; /* the plain answer, which most events share; NULL until asked for */
};

static json_t *emit_read(const char *text, size_t length, struct error *error) {
    size_t blank = 0;

    while (blank < length && strchr(" \t\r\n", text[blank])) {
        blank++;
    }
    bool array = blank < length && text[blank] == '[';
    if (!array && length > EVENT_BYTES) {
        error_set(error, ERROR_INVALID, "", "an event has at most %d bytes", EVENT_BYTES);
        return NULL;
    }
    return json_read_most(text, length, array ? EVENT_ARRAY_BYTES : EVENT_BYTES, error);
}

/* The store all events name; one array is one transaction of one store. */
static int emit_shop(struct emission *e, struct error *error) {
    bool array = json_is_array(e->root);
    size_t count = array ? json_array_size(e->root) : 1;
    char pointer[160] = "/store";

    e->shop = module_shop(e->module, NULL);
    if (!e->shop && !module_ready(e->module, e->database_us, NULL)) {
        e->shop = module_shop(e->module, NULL);
    }
    if (!e->shop) { /* "*", and PostgreSQL was never asked for the stores */
        return error_set(error, ERROR_UNAVAILABLE, "", "no store is known yet");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *one = array ? json_array_get(e->root, i) : e->root;
        const char *name = json_string_value(json_object_get(one, "store"));
        struct shop *shop = module_shop(e->module, name);
        if (array) {
            snprintf(pointer, sizeof pointer, "/%zu/store", i);
        }
        if (!shop) {
            return error_set(
                error, ERROR_INVALID, pointer,
                "this instance does not serve that store: see options.store");
        }
        if (i > 0 && shop != e->shop) {
            return error_set(error, ERROR_INVALID, pointer,
                             "the events of an array are all of one store");
        }
        e->shop = shop;
    }
    return 0;
}

/* 0: PostgreSQL may be asked, and all is known that checking these events needs.
 * ERROR_UNAVAILABLE: not now. Else what it holds does not fit, and never will by waiting. */
static int emit_online(struct emission *e, struct error *error) {
    if (!db_pool_probe(e->module->pool)) {
        return ERROR_UNAVAILABLE;
    }
    int code = module_ready(e->module, e->database_us, error);
    if (!code && e->flags & EMIT_NEEDS_SETTINGS) {
        code = settings_get(&e->shop->store, e->database_us, &e->settings, error);
    }
    return code;
}

static int emit_spool(struct emission *e, struct error *error) {
    bool array = json_is_array(e->root);
    size_t count = array ? json_array_size(e->root) : 1;
    const char **texts = memory_zero(count, sizeof *texts);
    size_t *lengths = memory_zero(count, sizeof *lengths);
    int code = texts && lengths ? 0 : ERROR_FAILED;

    for (size_t i = 0; i < count && !code; i++) {
        texts[i] = json_write(array ? json_array_get(e->root, i) : e->root);
        lengths[i] = texts[i] ? strlen(texts[i]) : 0;
        code = texts[i] ? 0 : ERROR_FAILED;
    }
    code = code ? error_set(error, code, "", "no memory to spool the events")
                : spooler_put(e->module->spooler, e->shop->store.name, texts, lengths,
                              count, e->deadline_us, error);
    for (size_t i = 0; texts && i < count; i++) {
        memory_free((char *)(uintptr_t)texts[i]);
    }
    memory_free(texts);
    memory_free(lengths);
    return code ? code : 1;
}

/* PostgreSQL is away, or did not answer in time: the keys make doing it again safe. */
static int emit_away(struct emission *e, struct error *error) {
    if (e->flags & EMIT_NEVER_SPOOLED) {
        return error_set(
            error, ERROR_UNAVAILABLE, "",
            "a code is not redeemed without the database: ask again with the "
            "same id");
    }
    if (!e->module->spool) {
        return error_set(error, ERROR_UNAVAILABLE, "",
                         "PostgreSQL is out of reach and the options name no spool");
    }
    return emit_spool(e, error);
}

/* A rule of the tables that says "not in this state" is a refusal like any other. */
static int emit_submit(struct emission *e, struct error *error) {
    struct error why = {0};
    int code = intake_submit(e->shop->intake, e->batch, e->database_us, &why);

    code = code == ERROR_MISUSE ? ERROR_INVALID : code;
    return code ? error_set(error, code, why.pointer, "%s", why.detail) : 0;
}

static int emit_build(struct emission *e, struct error *error) {
    int code = event_build(&e->shop->store, e->settings, e->root, &e->batch, error);

    e->root = code ? NULL : e->root;
    return code;
}

static int emit_apply(struct emission *e, struct error *error) {
    struct error why = {0};
    int online = emit_online(e, &why);
    int code = emit_build(e, error);

    if (code) {
        return code;
    }
    code = online ? online : emit_submit(e, &why);
    if (code == ERROR_UNAVAILABLE) {
        return emit_away(e, error);
    }
    return code ? error_set(error, code, why.pointer, "%s", why.detail) : 0;
}

static json_t *emit_answer(struct emission *e, size_t i, bool spooled) {
    json_t *given = spooled ? NULL : intake_reply(e->batch, i);

    if (given) {
        return given;
    }
    if (!spooled && intake_at(e->batch, i)->kept) {
        return json_pack("{s:s}", "state", "ignored");
    }
    if (!e->applied) {
        e->applied = json_pack("{s:s}", "state", spooled ? "spooled" : "applied");
    }
    return json_incref(e->applied);
}

static json_t *emit_reply(struct emission *e, bool spooled) {
    json_t *results;

    if (!json_is_array(e->root)) {
        return emit_answer(e, 0, spooled);
    }
    results = json_array();
    for (size_t i = 0; results && i < intake_count(e->batch); i++) {
        json_array_append_new(results, emit_answer(e, i, spooled));
    }
    return json_pack("{s:o}", "results", results);
}

/* A process that only emits learns of new settings here; the event is in already. In a
 * hurry it is left to a later one: a call cut short would say that PostgreSQL is away. */
static void emit_refresh(const struct emission *e) {
    int64_t whole_us = (int64_t)e->module->options->emit_deadline_ms * 1000;

    if (e->deadline_us - clock_now_us() >= whole_us / EMIT_REFRESH_SHARE) {
        settings_refresh(&e->shop->store, e->deadline_us);
    }
}

static void emission_end(struct emission *e) {
    if (!e->batch) {
        json_decref(e->root);
    }
    json_decref(e->applied);
    intake_drop(e->batch);
    settings_release(e->settings);
}

int event_emit(struct vouch *module, const char *text, size_t length, json_t **reply,
               struct error *error) {
    int64_t whole = (int64_t)module->options->emit_deadline_ms * 1000;
    int64_t kept = module->spool ? whole / EMIT_SPOOL_SHARE : 0;
    int64_t now = clock_now_us();
    struct emission e = {.module = module, .deadline_us = now + whole};
    int code = ERROR_INVALID;

    *reply = NULL;
    e.database_us = e.deadline_us - (kept < EMIT_SPOOL_US ? kept : EMIT_SPOOL_US);
    e.root = emit_read(text, length, error);
    if (e.root) {
        e.flags = event_flags(e.root);
        code = emit_shop(&e, error);
    }
    if (e.root && !code) {
        code = emit_apply(&e, error);
    }
    if (code >= 0) {
        *reply = emit_reply(&e, code == 1);
    }
    if (code == 0) {
        emit_refresh(&e);
    }
    emission_end(&e);
    return code;
}

static int event_replay(struct vouch *module, struct shop *shop, const char *text,
                        size_t length, int64_t deadline_us, struct error *error) {
    struct emission e = {.module = module, .shop = shop, .database_us = deadline_us};
    int code = module_ready(module, deadline_us, error);

    if (!code) {
        e.root = emit_read(text, length, error);
        code = e.root ? 0 : ERROR_INVALID;
    }
    if (!code && event_flags(e.root) & EMIT_NEEDS_SETTINGS) {
        code = settings_get(&shop->store, deadline_us, &e.settings, error);
    }
    if (!code) {
        code = emit_build(&e, error);
    }
    if (!code) {
        code = emit_submit(&e, error);
    }
    emission_end(&e);
    return code;
}

const struct module_doors event_doors = {event_replay};
