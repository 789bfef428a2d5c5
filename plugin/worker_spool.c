/* SPDX-License-Identifier: MIT */
/* Spooled events go back through the door they came in by, many in one statement; one that
 * can never be applied is set aside, and the rest goes on. */
#include "worker_spool.h"

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    DRAIN_EVENTS = 200,
    DRAIN_BYTES = 8 * 1024 * 1024,
    DRAIN_LEASE_MS = 30000,
    DRAIN_CALL_US = 5000000
};

struct run { /* neighbours of one store */
    const struct spool_entry *entries;
    size_t count;
};

static size_t run_length(const struct spool_entry *entries, size_t count) {
    size_t n = 1, bytes = entries[0].length;

    while (n < count && strcmp(entries[n].store, entries[0].store) == 0 &&
           bytes + entries[n].length < DRAIN_BYTES) {
        bytes += entries[n++].length;
    }
    return n;
}

static int run_replay(struct vouch *module, const struct run *run, struct error *error) {
    struct shop *shop = module_shop(module, run->entries[0].store);
    struct buffer all;
    int code;

    if (!shop) {
        return error_set(error, ERROR_INVALID, "/store",
                         "this process does not serve the store of a spooled event");
    }
    buffer_init(&all, DRAIN_BYTES + DRAIN_EVENTS + (2U << 20));
    for (size_t i = 0; i < run->count; i++) {
        buffer_char(&all, i ? ',' : '[');
        buffer_append(&all, run->entries[i].event, run->entries[i].length);
    }
    buffer_char(&all, ']');
    code = buffer_ok(&all)
               ? module->doors->replay(module, shop, all.data, all.length,
                                       clock_now_us() + DRAIN_CALL_US, error)
               : error_set(error, ERROR_UNAVAILABLE, "", "no memory to drain the spool");
    buffer_free(&all);
    return code;
}

static int run_done(struct vouch *module, const struct run *run, int *done,
                    struct error *error) {
    int64_t ids[DRAIN_EVENTS];

    for (size_t i = 0; i < run->count; i++) {
        ids[i] = run->entries[i].id;
    }
    *done += (int)run->count;
    return spool_done(module->spool, ids, run->count, error);
}

/* One that is refused for good does not hold up the others. */
static int run_single(struct vouch *module, const struct spool_entry *entry, int *done,
                      struct error *error) {
    const struct run run = {entry, 1};
    struct error why = {0};
    int code = run_replay(module, &run, &why);

    if (!code) {
        return run_done(module, &run, done, error);
    }
    if (code == ERROR_UNAVAILABLE) {
        return error_set(error, code, why.pointer, "%s", why.detail);
    }
    log_write(module->log, LOG_ERROR, "a spooled event is set aside: %s %s", why.pointer,
              why.detail);
    return spool_fail(module->spool, entry->id, why.detail, error);
}

static int run_apply(struct vouch *module, const struct run *run, int *done,
                     struct error *error) {
    struct error why = {0};
    int code = run_replay(module, run, &why);

    if (!code) {
        return run_done(module, run, done, error);
    }
    if (code == ERROR_UNAVAILABLE) {
        return error_set(error, code, why.pointer, "%s", why.detail);
    }
    code = 0;
    for (size_t i = 0; i < run->count && !code; i++) {
        code = run_single(module, &run->entries[i], done, error);
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

int worker_drain(struct vouch *module, int64_t deadline_us, int *done,
                 struct error *error) {
    int64_t until = clock_now_us() + (deadline_us - clock_now_us()) / 2;
    struct spool_entry *entries = NULL;
    size_t count = 0;
    int code = 0;

    if (!module->spool) {
        return 0;
    }
    drain_warn(module);
    do {
        code = spool_take(module->spool, DRAIN_LEASE_MS, DRAIN_EVENTS, &entries, &count,
                          error);
        for (size_t i = 0; i < count && !code;) {
            struct run run = {entries + i, run_length(entries + i, count - i)};
            code = run_apply(module, &run, done, error);
            i += run.count;
        }
        if (code) {
            drain_return(module, entries, count);
        }
        spool_entries_free(entries, count);
        entries = NULL;
    } while (!code && count == DRAIN_EVENTS && clock_now_us() < until);
    return code;
}
