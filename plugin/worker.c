/* SPDX-License-Identifier: MIT */
/* Steps. A worker owns its connections to relays and belongs to one thread at a time;
 * workers nobody runs wait in the module's list, dialogues and all. */
#include "worker.h"

#include "base/clock.h"
#include "base/memory.h"
#include "care/routine.h"
#include "io/net.h"
#include "mail/dispatch.h"
#include "notify/webhook.h"
#include "request/compose.h"
#include "review/chore.h"
#include "review/opinion.h"
#include "review/submission.h"
#include "settings.h"
#include "worker_spool.h"

enum {
    WORKER_CHORE_US = 250000,      /* chores of one store at most so often */
    WORKER_CALL_US = 2000000,      /* one statement of a chore */
    WORKER_CALL_LEAST_US = 250000, /* though the budget be smaller */
    WORKER_OPINION_US = 20000,     /* a classifier is thinking: look again */
    WORKER_RELEASE_US = 100000,    /* of one worker's dialogues at a time, stopping */
    WORKER_LOOK_US = 10000000,     /* for stores made since */
    WORKER_ATTEND_US = 1000000,    /* to a store's cases */
    WORKER_WEBHOOK_US = 50000      /* while one is under way */
};

struct desk { /* one store, as one worker sees it */
    struct dispatch *dispatch;
    struct opinion *opinion;
    struct webhook_sender *webhooks;
    int64_t chored_us, attended_us, watched_us;
};

struct worker {
    struct worker *next;
    struct net *net;
    struct desk *desks;
    size_t desk_count;
    size_t turn; /* which store comes first */
};

static void worker_free(struct worker *worker) {
    if (!worker) {
        return;
    }
    for (size_t i = 0; i < worker->desk_count; i++) {
        dispatch_close(worker->desks[i].dispatch);
        opinion_close(worker->desks[i].opinion);
        webhook_close(worker->desks[i].webhooks);
    }
    net_close(worker->net);
    memory_free(worker->desks);
    memory_free(worker);
}

void worker_free_all(struct vouch *module) {
    while (module->idle) {
        struct worker *gone = module->idle;
        module->idle = gone->next;
        worker_free(gone);
    }
}

static struct worker *worker_new(struct error *error) {
    struct worker *made = memory_zero(1, sizeof *made);

    if (!made) {
        error_set(error, ERROR_FAILED, "", "no memory for a worker");
        return NULL;
    }
    if (net_open(&made->net, error)) {
        worker_free(made);
        return NULL;
    }
    return made;
}

/* The longest idle one, so that no open dialogue is left alone for long; or a new one.
 * *worker is NULL while vouch_stop is at work. */
static int worker_get(struct vouch *module, struct worker **worker, struct error *error) {
    int code = 0;

    pthread_mutex_lock(&module->lock);
    struct worker *got = module->idle;
    bool stopping = module->stopping;
    bool make = !stopping && !got && module->workers < MODULE_WORKERS_MOST;
    if (got && !stopping) {
        module->idle = got->next;
        got->next = NULL;
    }
    module->workers += make;
    module->steps += !stopping && (got || make);
    pthread_mutex_unlock(&module->lock);
    *worker = stopping ? NULL : got;
    if (make) {
        *worker = worker_new(error);
        code = *worker ? 0 : ERROR_FAILED;
    } else if (!stopping && !got) {
        code = error_set(error, ERROR_UNAVAILABLE, "", "%d steps run already",
                         MODULE_WORKERS_MOST);
    }
    return code;
}

/* worker NULL: it could not be made. */
static void worker_put(struct vouch *module, struct worker *worker) {
    struct worker **last = &module->idle;

    pthread_mutex_lock(&module->lock);
    while (*last) {
        last = &(*last)->next;
    }
    *last = worker;
    module->workers -= !worker;
    module->steps--;
    if (module->stopping) {
        pthread_cond_broadcast(&module->changed);
    }
    pthread_mutex_unlock(&module->lock);
}

int64_t worker_patience(int64_t deadline_us) {
    int64_t now = clock_now_us();
    int64_t least = now + WORKER_CALL_LEAST_US, most = now + WORKER_CALL_US;

    return deadline_us < least ? least : deadline_us < most ? deadline_us : most;
}

static int desk_open(struct worker *worker, const struct shop *shop, size_t i,
                     struct error *error) {
    if (i >= worker->desk_count) {
        struct desk *grown = memory_grow(worker->desks, (i + 1) * sizeof *grown);
        if (!grown) {
            return error_set(error, ERROR_FAILED, "", "no memory for a store's work");
        }
        worker->desks = grown;
        while (worker->desk_count <= i) {
            worker->desks[worker->desk_count++] = (struct desk){0};
        }
    }
    if (worker->desks[i].dispatch) {
        return 0;
    }
    if (!worker->desks[i].webhooks &&
        webhook_open(&shop->store, &worker->desks[i].webhooks, error)) {
        return ERROR_FAILED;
    }
    return dispatch_open(&shop->store, worker->net, compose_kinds, compose_kinds_count,
                         NULL, &worker->desks[i].dispatch, error);
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int desk_chores(struct desk *desk, const struct store *store, int64_t deadline_us,
                       struct step_report *report, struct error *error) {
    int64_t now = clock_now_us();
    int moved = 0;
    int code = 0;

    if (now - desk->chored_us < WORKER_CHORE_US) {
        return 0;
    }
    desk->chored_us = now;
    code = settings_poll(store, worker_patience(deadline_us), error);
    if (!code) {
        settings_refresh(store, worker_patience(deadline_us));
        code = submission_warm(store, worker_patience(deadline_us), error);
    }
    if (!code) {
        code = chore_run(store, worker_patience(deadline_us), &moved, error);
    }
    report->done += moved;
    if (!code && now - desk->attended_us >= WORKER_ATTEND_US) {
        desk->attended_us = now;
        code = routine_run(store, &desk->watched_us, now + WORKER_CALL_US, &moved, error);
        report->done += moved;
    }
    return code;
}

static int desk_webhooks(struct desk *desk, struct step_report *report,
                         struct error *error) {
    int done = 0, in_flight = 0;
    int code = webhook_run(desk->webhooks, clock_now_us() + WORKER_CALL_US, &done,
                           &in_flight, error);

    report->done += done;
    report->in_flight += in_flight;
    if (in_flight) {
        report->next_us = sooner(report->next_us, WORKER_WEBHOOK_US);
    }
    return code;
}

/* Second opinions are never waited for. */
static int desk_opinions(struct desk *desk, const struct store *store,
                         int64_t deadline_us, struct step_report *report,
                         struct error *error) {
    bool busy = false;
    int code = desk->opinion ? 0 : opinion_open(&desk->opinion, error);

    if (!code) {
        code = opinion_run(desk->opinion, store, worker_patience(deadline_us),
                           &report->done, &busy, error);
    }
    if (busy) {
        report->next_us = sooner(report->next_us, WORKER_OPINION_US);
    }
    return code;
}

/* Dialogues go on whatever else fails; away: PostgreSQL is, so nothing else is tried. */
static int desk_step(struct worker *worker, struct shop *shop, size_t i, bool away,
                     int64_t deadline_us, struct step_report *report,
                     struct error *error) {
    struct dispatch_report mail = {0};
    int code = desk_open(worker, shop, i, error);

    if (code) {
        return code;
    }
    if (!away) {
        code = desk_chores(&worker->desks[i], &shop->store, deadline_us, report, error);
        code = code ? code : desk_webhooks(&worker->desks[i], report, error);
        code = code ? code
                    : desk_opinions(&worker->desks[i], &shop->store, deadline_us, report,
                                    error);
        away = code == ERROR_UNAVAILABLE;
    }
    if (!away || !dispatch_idle(worker->desks[i].dispatch)) {
        int met = dispatch_run(worker->desks[i].dispatch, deadline_us, &mail, error);
        code = code ? code : met;
        report->done += mail.done;
        report->in_flight += mail.in_flight;
        report->next_us = sooner(report->next_us, mail.next_us);
    }
    return code;
}

/* Every store in turn, each step beginning with another one. */
static int worker_shops(struct vouch *module, struct worker *worker, bool away,
                        int64_t deadline_us, struct step_report *report,
                        struct error *error) {
    size_t count = 0;
    int code = 0;

    while (module_shop_at(module, count)) {
        count++;
    }
    for (size_t n = 0; n < count; n++) {
        size_t i = (worker->turn + n) % count;
        struct shop *shop = module_shop_at(module, i);
        struct error why = {0};
        int64_t now = clock_now_us();
        int64_t share = now + (deadline_us - now) / (int64_t)(count - n);
        int met = 0;
        if (now < deadline_us || n == 0) {
            met = desk_step(worker, shop, i, away, share, report, &why);
        }
        if (met) {
            log_write(module->log, LOG_WARNING, "work for %s: %s", shop->store.name,
                      why.detail);
            error_set(error, met, why.pointer, "%s", why.detail);
            code = code ? code : met;
            away = away || met == ERROR_UNAVAILABLE;
        }
    }
    worker->turn++;
    return code;
}

static int worker_run(struct vouch *module, struct worker *worker, int64_t deadline_us,
                      struct step_report *report, struct error *error) {
    int code;

    log_tick(module->log, clock_now_us());
    db_pool_resolve(module->pool, NULL);
    code = module_ready(module, worker_patience(deadline_us), error);
    if (!code) {
        code = module_look(module, WORKER_LOOK_US, worker_patience(deadline_us), error);
    }
    if (!code) {
        code = worker_drain(module, worker->turn, deadline_us, &report->done, error);
    }
    int met = worker_shops(module, worker, code == ERROR_UNAVAILABLE, deadline_us, report,
                           error);
    return code ? code : met;
}

int worker_step(struct vouch *module, int64_t deadline_us, struct step_report *report,
                struct error *error) {
    struct worker *worker = NULL;
    int code = worker_get(module, &worker, error);

    *report = (struct step_report){.next_us = WORKER_IDLE_US};
    if (worker) {
        code = worker_run(module, worker, deadline_us, report, error);
    }
    if (worker || code == ERROR_FAILED) {
        worker_put(module, worker);
    }
    return code;
}

static bool worker_release(struct worker *worker, int64_t deadline_us) {
    bool held = false;

    for (size_t i = 0; i < worker->desk_count; i++) {
        struct dispatch *dispatch = worker->desks[i].dispatch;
        held |= dispatch && dispatch_release(dispatch, deadline_us, NULL);
    }
    return held;
}

int worker_release_all(struct vouch *module, int64_t deadline_us) {
    int held;

    pthread_mutex_lock(&module->lock);
    struct worker *all = module->idle;
    module->idle = NULL;
    pthread_mutex_unlock(&module->lock);
    do {
        held = 0;
        for (struct worker *one = all; one; one = one->next) {
            held += worker_release(
                one, sooner(deadline_us, clock_now_us() + WORKER_RELEASE_US));
        }
    } while (held && clock_now_us() < deadline_us);
    pthread_mutex_lock(&module->lock);
    module->idle = all;
    pthread_mutex_unlock(&module->lock);
    return held;
}
