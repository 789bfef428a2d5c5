/* SPDX-License-Identifier: MIT */
/* Threads that step, and their end. They are joined, so that nothing of ours runs on after
 * vouch_stop. */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "worker.h"

enum { CREW_STACK = 512 * 1024, CREW_STEP_US = 1000000, CREW_FAILED_US = 5000000 };

static struct timespec crew_time(int64_t us) {
    return (struct timespec){us / 1000000, (us % 1000000) * 1000};
}

unsigned worker_stops(struct vouch *module) {
    pthread_mutex_lock(&module->lock);
    unsigned stops = module->stops;
    pthread_mutex_unlock(&module->lock);
    return stops;
}

bool worker_pause(struct vouch *module, unsigned stops, int64_t until_us) {
    const struct timespec until = crew_time(until_us);
    int waited = 0;

    pthread_mutex_lock(&module->lock);
    while (!module->stopping && stops == module->stops && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&module->changed, &module->lock, &until);
    }
    bool stopped = module->stopping || stops != module->stops;
    pthread_mutex_unlock(&module->lock);
    return stopped;
}

static void *crew_run(void *self) {
    struct vouch *module = self;
    unsigned stops = worker_stops(module);
    int64_t next = 0;

    pthread_setname_np(pthread_self(), "vouch-worker");
    while (!worker_pause(module, stops, next)) {
        struct step_report report;
        struct error error = {0};
        if (worker_step(module, clock_now_us() + CREW_STEP_US, &report, &error)) {
            log_write(module->log, LOG_WARNING, "%s", error.detail);
            report.next_us = WORKER_IDLE_US;
        }
        next = clock_now_us() + report.next_us;
    }
    pthread_mutex_lock(&module->lock);
    module->threads--;
    pthread_cond_broadcast(&module->changed);
    pthread_mutex_unlock(&module->lock);
    return NULL;
}

/* With every signal blocked: the host's handlers never run on our threads. */
static int crew_make(struct vouch *module, pthread_t *thread) {
    pthread_attr_t attributes;
    sigset_t all, before;
    int code = pthread_attr_init(&attributes);

    if (code) {
        return code;
    }
    pthread_attr_setstacksize(&attributes, CREW_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(thread, &attributes, crew_run, module);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return code;
}

/* Under the lock, so that no thread of a crew is gone before it is counted. */
static int crew_fill(struct vouch *module, int threads) {
    int code = 0;

    while (module->threads < threads && !code) {
        code = crew_make(module, &module->crew[module->threads]);
        module->threads += !code;
    }
    module->crewed = module->threads;
    return code;
}

int worker_start(struct vouch *module, int threads, struct error *error) {
    int in_flight = 0;
    int code = 0;

    pthread_mutex_lock(&module->lock);
    bool fresh = module->crewed == 0 && !module->stopping;
    if (fresh) {
        code = crew_fill(module, threads);
    }
    pthread_mutex_unlock(&module->lock);
    if (!fresh) {
        return error_set(error, ERROR_MISUSE, "", "background work was started already");
    }
    if (code) {
        worker_stop(module, clock_now_us() + CREW_FAILED_US, &in_flight, NULL);
        return error_set(error, ERROR_FAILED, "", "no thread could be made");
    }
    return 0;
}

/* Waits for threads and for steps of others. */
static bool crew_ended(struct vouch *module, int64_t deadline_us) {
    const struct timespec until = crew_time(deadline_us);
    int waited = 0;

    pthread_mutex_lock(&module->lock);
    module->stopping = true;
    module->stops++;
    pthread_cond_broadcast(&module->changed);
    while ((module->threads > 0 || module->steps > 0) && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&module->changed, &module->lock, &until);
    }
    bool ended = module->threads == 0 && module->steps == 0;
    pthread_mutex_unlock(&module->lock);
    return ended;
}

/* They have said their last word; whoever asks first waits for the very end of each. */
static void crew_join(struct vouch *module) {
    pthread_t crew[MODULE_WORKERS_MOST];
    int crewed = 0;

    pthread_mutex_lock(&module->lock);
    if (module->threads == 0) {
        crewed = module->crewed;
        module->crewed = 0;
    }
    for (int i = 0; i < crewed; i++) {
        crew[i] = module->crew[i];
    }
    pthread_mutex_unlock(&module->lock);
    for (int i = 0; i < crewed; i++) {
        pthread_join(crew[i], NULL);
    }
}

int worker_stop(struct vouch *module, int64_t deadline_us, int *in_flight,
                struct error *error) {
    bool ended = crew_ended(module, deadline_us);

    *in_flight = ended ? worker_release_all(module, deadline_us) : 1;
    crew_join(module);
    pthread_mutex_lock(&module->lock);
    module->stopping = module->threads > 0;
    pthread_mutex_unlock(&module->lock);
    if (!ended || *in_flight) {
        return error_set(
            error, ERROR_MISUSE, "",
            "work is still in flight at the deadline: call vouch_stop again");
    }
    return 0;
}
