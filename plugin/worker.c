/* SPDX-License-Identifier: MIT */
/* Steps. A worker owns its connections to relays and belongs to one thread at a time;
 * workers nobody runs wait in the module's list, dialogues and all. */
#include "worker.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/net.h"
#include "mail/dispatch.h"
#include "request/compose.h"
#include "review/chore.h"
#include "review/submission.h"
#include "settings.h"
#include "worker_spool.h"

enum {
    WORKER_STACK = 512 * 1024,
    WORKER_STEP_US = 1000000,  /* a thread's step */
    WORKER_IDLE_US = 1000000,  /* nothing known to be due: look again */
    WORKER_CHORE_US = 250000,  /* chores of one store at most so often */
    WORKER_CALL_US = 2000000   /* one statement of a chore */
};

struct desk { /* one store, as one worker sees it */
    struct dispatch *dispatch;
    int64_t chored_us;
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

/* The longest idle one, so that no open dialogue is left alone for long; or a new one. */
static struct worker *worker_get(struct vouch *module, struct error *error) {
    struct worker *got = NULL;
    bool full;

    pthread_mutex_lock(&module->lock);
    got = module->idle;
    full = !got && module->workers >= MODULE_WORKERS_MOST;
    if (got) {
        module->idle = got->next;
        got->next = NULL;
    } else if (!full) {
        module->workers++;
    }
    pthread_mutex_unlock(&module->lock);
    if (full) {
        error_set(error, ERROR_MISUSE, "", "%d steps run already", MODULE_WORKERS_MOST);
    } else if (!got) {
        got = worker_new(error);
        if (!got) {
            pthread_mutex_lock(&module->lock);
            module->workers--;
            pthread_mutex_unlock(&module->lock);
        }
    }
    return got;
}

static void worker_put(struct vouch *module, struct worker *worker) {
    struct worker **last;

    pthread_mutex_lock(&module->lock);
    for (last = &module->idle; *last; last = &(*last)->next) {
    }
    *last = worker;
    worker->next = NULL;
    pthread_mutex_unlock(&module->lock);
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
    return dispatch_open(&shop->store, worker->net, compose_kinds, compose_kinds_count,
                         NULL, &worker->desks[i].dispatch, error);
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int desk_step(struct worker *worker, struct shop *shop, size_t i,
                     int64_t deadline_us, struct step_report *report,
                     struct error *error) {
    struct dispatch_report mail = {0};
    int64_t now = clock_now_us();
    int moved = 0;
    int code = desk_open(worker, shop, i, error);

    if (!code && now - worker->desks[i].chored_us >= WORKER_CHORE_US) {
        worker->desks[i].chored_us = now;
        code = settings_poll(&shop->store, now + WORKER_CALL_US, error);
        if (!code) {
            code = submission_warm(&shop->store, now + WORKER_CALL_US, error);
        }
        if (!code) {
            code = chore_run(&shop->store, now + WORKER_CALL_US, &moved, error);
        }
        report->done += moved;
    }
    if (!code) {
        code = dispatch_run(worker->desks[i].dispatch, deadline_us, &mail, error);
        report->done += mail.done;
        report->in_flight += mail.in_flight;
        report->next_us = sooner(report->next_us, mail.next_us);
    }
    return code;
}

/* Every store in turn, each step beginning with another one. */
static int worker_shops(struct vouch *module, struct worker *worker, int64_t deadline_us,
                        struct step_report *report, struct error *error) {
    struct error why;
    size_t count = 0;
    int code = 0;

    while (module_shop_at(module, count)) {
        count++;
    }
    for (size_t n = 0; n < count; n++) {
        size_t i = (worker->turn + n) % count;
        int64_t now = clock_now_us();
        int64_t share = now + (deadline_us - now) / (int64_t)(count - n);
        struct shop *shop = module_shop_at(module, i);

        why = (struct error){0};
        int met = now < deadline_us ? desk_step(worker, shop, i, share, report, &why) : 0;
        if (met) {
            log_write(module->log, LOG_WARNING, "work for %s: %s", shop->store.name,
                      why.detail);
            code = error_set(error, met, why.pointer, "%s", why.detail);
        }
    }
    worker->turn++;
    return code;
}

static int worker_run(struct vouch *module, struct worker *worker, int64_t deadline_us,
                      struct step_report *report, struct error *error) {
    int64_t now = clock_now_us();
    int code;

    *report = (struct step_report){.next_us = WORKER_IDLE_US};
    log_tick(module->log, now);
    db_pool_resolve(module->pool, NULL);
    code = module_ready(module, now + WORKER_CALL_US, error);
    if (!code) {
        code = worker_drain(module, deadline_us, &report->done, error);
    }
    if (!code) {
        code = worker_shops(module, worker, deadline_us, report, error);
    }
    return code;
}

int worker_step(struct vouch *module, int64_t deadline_us, struct step_report *report,
                struct error *error) {
    struct worker *worker = worker_get(module, error);

    if (!worker) {
        return error ? error->code : ERROR_FAILED;
    }
    int code = worker_run(module, worker, deadline_us, report, error);
    worker_put(module, worker);
    return code;
}

bool worker_pause(struct vouch *module, int64_t a_us, int64_t b_us) {
    int64_t until_us = sooner(a_us, b_us);
    const struct timespec until = {until_us / 1000000, (until_us % 1000000) * 1000};

    pthread_mutex_lock(&module->lock);
    unsigned stops = module->stops;
    if (!module->stopping) {
        pthread_cond_timedwait(&module->changed, &module->lock, &until);
    }
    bool stopping = module->stopping || stops != module->stops;
    pthread_mutex_unlock(&module->lock);
    return stopping;
}

static bool worker_stopping(struct vouch *module) {
    pthread_mutex_lock(&module->lock);
    bool stopping = module->stopping;
    pthread_mutex_unlock(&module->lock);
    return stopping;
}

static void *worker_thread(void *self) {
    struct vouch *module = self;

    while (!worker_stopping(module)) {
        struct step_report report = {.next_us = WORKER_IDLE_US};
        struct error error = {0};
        if (worker_step(module, clock_now_us() + WORKER_STEP_US, &report, &error)) {
            log_write(module->log, LOG_WARNING, "%s", error.detail);
            report.next_us = WORKER_IDLE_US;
        }
        int64_t now = clock_now_us();
        worker_pause(module, now + report.next_us, now + WORKER_IDLE_US);
    }
    pthread_mutex_lock(&module->lock);
    module->threads--;
    pthread_cond_broadcast(&module->changed);
    pthread_mutex_unlock(&module->lock);
    return NULL;
}

static int thread_start(struct vouch *module) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int code = pthread_attr_init(&attributes);

    if (code) {
        return code;
    }
    pthread_attr_setstacksize(&attributes, WORKER_STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&thread, &attributes, worker_thread, module);
    if (!code) {
        pthread_setname_np(thread, "vouch-worker");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return code;
}

static bool worker_begin(struct vouch *module) {
    pthread_mutex_lock(&module->lock);
    bool fresh = !module->started && module->threads == 0;
    if (fresh) {
        module->started = true;
        module->stopping = false;
    }
    pthread_mutex_unlock(&module->lock);
    return fresh;
}

int worker_start(struct vouch *module, int threads, struct error *error) {
    int in_flight = 0;

    if (!worker_begin(module)) {
        return error_set(error, ERROR_MISUSE, "", "background work was started already");
    }
    for (int i = 0; i < threads; i++) {
        pthread_mutex_lock(&module->lock);
        module->threads++;
        pthread_mutex_unlock(&module->lock);
        if (thread_start(module)) {
            pthread_mutex_lock(&module->lock);
            module->threads--;
            pthread_mutex_unlock(&module->lock);
            worker_stop(module, clock_now_us() + WORKER_STEP_US * 5, &in_flight, NULL);
            return error_set(error, ERROR_FAILED, "", "no thread could be made");
        }
    }
    return 0;
}

static bool threads_ended(struct vouch *module, int64_t deadline_us) {
    const struct timespec until = {deadline_us / 1000000,
                                   (deadline_us % 1000000) * 1000};
    int waited = 0;

    pthread_mutex_lock(&module->lock);
    module->stopping = true;
    module->stops++;
    pthread_cond_broadcast(&module->changed);
    while (module->threads > 0 && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&module->changed, &module->lock, &until);
    }
    bool ended = module->threads == 0;
    pthread_mutex_unlock(&module->lock);
    return ended;
}

/* Finishes the dialogues of idle workers; how many mails are still held. */
static int workers_release(struct vouch *module, int64_t deadline_us) {
    int held = 0;
    struct worker *worker;

    pthread_mutex_lock(&module->lock);
    worker = module->idle;
    module->idle = NULL;
    pthread_mutex_unlock(&module->lock);
    while (worker) {
        struct worker *next = worker->next;
        for (size_t i = 0; i < worker->desk_count; i++) {
            struct dispatch *dispatch = worker->desks[i].dispatch;
            held += dispatch && dispatch_release(dispatch, deadline_us, NULL);
        }
        worker_put(module, worker);
        worker = next;
    }
    return held;
}

int worker_stop(struct vouch *module, int64_t deadline_us, int *in_flight,
                struct error *error) {
    bool ended = threads_ended(module, deadline_us);

    *in_flight = ended ? workers_release(module, deadline_us) : 1;
    if (!ended || *in_flight) {
        return error_set(error, ERROR_MISUSE, "",
                         "work is still in flight at the deadline: call vouch_stop again");
    }
    pthread_mutex_lock(&module->lock);
    module->started = false;
    module->stopping = false;
    pthread_mutex_unlock(&module->lock);
    return 0;
}

void worker_wake(struct vouch *module) {
    pthread_mutex_lock(&module->lock);
    if (module->threads) {
        pthread_cond_broadcast(&module->changed);
    }
    pthread_mutex_unlock(&module->lock);
}
