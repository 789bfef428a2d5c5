/* SPDX-License-Identifier: MIT */
/* Spooled events go back through the door they came in by, many in one statement; one that
 * can never be applied is set aside, and the rest goes on. */
#include "worker_spool.h"

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "worker.h"

enum {
    DRAIN_EVENTS = 200,
    DRAIN_BYTES = 8 * 1024 * 1024,
    DRAIN_LEASE_MS = 30000,
    DRAIN_TAKES = 10 /* with a lease between: five minutes of a fault of ours */
};

struct drain {
    struct vouch *module;
    struct shop *shop;
    int64_t deadline_us;
    int *done;
    bool kept; /* an entry met a fault: its lease is the pause before the next try */
};

struct run {
    const struct spool_entry *entries;
    size_t count;
};

static size_t run_length(const struct spool_entry *entries, size_t count) {
    size_t n = 1, bytes = entries[0].length;

    while (n < count && bytes + entries[n].length < DRAIN_BYTES) {
        bytes += entries[n++].length;
    }
    return n;
}

static int run_replay(const struct drain *drain, const struct run *run,
                      struct error *error) {
    struct buffer all;
    int code;

    buffer_init(&all, DRAIN_BYTES + DRAIN_EVENTS + (2U << 20));
    for (size_t i = 0; i < run->count; i++) {
        buffer_char(&all, i ? ',' : '[');
        buffer_append(&all, run->entries[i].event, run->entries[i].length);
    }
    buffer_char(&all, ']');
    code = buffer_ok(&all)
               ? drain->module->doors->replay(drain->module, drain->shop, all.data,
                                              all.length,
                                              worker_patience(drain->deadline_us), error)
               : error_set(error, ERROR_UNAVAILABLE, "", "no memory to drain the spool");
    buffer_free(&all);
    return code;
}

static int run_done(const struct drain *drain, const struct run *run,
                    struct error *error) {
    int64_t ids[DRAIN_EVENTS];

    for (size_t i = 0; i < run->count; i++) {
        ids[i] = run->entries[i].id;
    }
    *drain->done += (int)run->count;
    return spool_done(drain->module->spool, ids, run->count, error);
}

/* Refused by a rule, or by a fault again and again: kept, but out of the others' way. */
static int run_refused(struct drain *drain, const struct spool_entry *entry, int code,
                       const struct error *why, struct error *error) {
    if (code != ERROR_INVALID && entry->takes < DRAIN_TAKES) {
        log_write(drain->module->log, LOG_ERROR, "a spooled event waits: %s",
                  why->detail);
        drain->kept = true;
        return 0;
    }
    log_write(drain->module->log, LOG_ERROR, "a spooled event is set aside: %s %s",
              why->pointer, why->detail);
    return spool_fail(drain->module->spool, entry->id, why->detail, error);
}

static int run_apply(struct drain *drain, const struct run *run, struct error *error) {
    struct error why = {0};
    int code = run_replay(drain, run, &why);

    if (!code) {
        return run_done(drain, run, error);
    }
    if (code == ERROR_UNAVAILABLE) {
        return error_set(error, code, why.pointer, "%s", why.detail);
    }
    if (run->count == 1) {
        return run_refused(drain, run->entries, code, &why, error);
    }
    code = 0;
    for (size_t i = 0; i < run->count && !code; i++) {
        const struct run single = {run->entries + i, 1};
        code = run_apply(drain, &single, error);
    }
    return code;
}

static void drain_warn(struct vouch *module) {
    char *warning = spool_warning(module->spool);

    if (warning) {
        log_write(module->log, LOG_WARNING, "%s", warning);
    }
    memory_free(warning);
}

/* So that the next look does not wait for leases to end. Ids already done do no harm. */
static void drain_return(struct vouch *module, const struct spool_entry *entries,
                         size_t count) {
    int64_t ids[DRAIN_EVENTS];

    for (size_t i = 0; i < count; i++) {
        ids[i] = entries[i].id;
    }
    spool_return(module->spool, ids, count, NULL);
}

/* *more: there may be. */
static int drain_some(struct drain *drain, bool *more, struct error *error) {
    struct spool_entry *entries = NULL;
    size_t count = 0;
    int code = spool_take(drain->module->spool, drain->shop->store.name, DRAIN_LEASE_MS,
                          DRAIN_EVENTS, &entries, &count, error);

    for (size_t i = 0; i < count && !code;) {
        struct run run = {entries + i, run_length(entries + i, count - i)};
        code = run_apply(drain, &run, error);
        i += run.count;
    }
    if (code) {
        drain_return(drain->module, entries, count);
    }
    spool_entries_free(entries, count);
    *more = !code && count > 0 && !drain->kept;
    return code;
}

/* Whether there is something to drain, and somebody to drain it to. */
static int drain_look(struct vouch *module, bool *some, struct error *error) {
    int64_t waiting = 0;
    int code = spool_count(module->spool, &waiting, NULL, error);

    drain_warn(module);
    *some = !code && waiting > 0;
    if (*some && !db_pool_probe(module->pool)) {
        code = error_set(error, ERROR_UNAVAILABLE, "", "PostgreSQL is out of reach");
    }
    return code;
}

static int drain_all(struct vouch *module, size_t turn, int64_t deadline_us, int *done,
                     struct error *error) {
    int64_t now = clock_now_us();
    int64_t until = now + (deadline_us - now) / 2;
    size_t count = 0;
    bool some = false;
    int code;

    code = drain_look(module, &some, error);
    while (some && module_shop_at(module, count)) {
        count++;
    }
    for (size_t n = 0; n < count && !code && (n == 0 || clock_now_us() < until); n++) {
        struct shop *shop = module_shop_at(module, (turn + n) % count);
        struct drain drain = {module, shop, deadline_us, done, false};
        bool more = true;
        while (more && !code) {
            code = drain_some(&drain, &more, error);
            more = more && clock_now_us() < until;
        }
    }
    return code;
}

/* Only one at a time: a second would keep those who write to the spool from its lock. */
static bool drain_mine(struct vouch *module, bool begin) {
    pthread_mutex_lock(&module->lock);
    bool mine = !begin || !module->draining;
    module->draining = begin;
    pthread_mutex_unlock(&module->lock);
    return mine;
}

int worker_drain(struct vouch *module, size_t turn, int64_t deadline_us, int *done,
                 struct error *error) {
    int code = 0;

    if (module->spool && drain_mine(module, true)) {
        code = drain_all(module, turn, deadline_us, done, error);
        drain_mine(module, false);
    }
    return code;
}
