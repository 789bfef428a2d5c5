/* SPDX-License-Identifier: MIT */
/* One caller leads, writes for those who wait behind it, and passes the lead to the next.
 * The queue is in order of arrival, so a leader's deadline is the earliest of its group. */
#include "intake_spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    SPOOLER_EVENTS = 1000, /* of a group */
    SPOOLER_BYTES = 8 * 1024 * 1024,
    SPOOLER_LEAST_US = 20000
};

enum ticket_state {
    TICKET_WAITS = 0,
    TICKET_LEADS = 1,
    TICKET_TAKEN = 2,
    TICKET_DONE = 3
};

/* A caller's, on its stack: it stays until the leader who took it is through. */
struct ticket {
    struct ticket *next;
    enum ticket_state state;
    const char *store;
    const char *const *events;
    const size_t *lengths;
    size_t count, bytes;
    int code;
    struct error error;
};

struct spooler {
    struct spool *spool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ticket *first;
    bool led;
};

int spooler_open(struct spool *spool, struct spooler **spooler, struct error *error) {
    struct spooler *made = memory_zero(1, sizeof *made);
    pthread_condattr_t clock;
    int fault = !made || pthread_condattr_init(&clock);

    *spooler = NULL;
    if (!fault) {
        fault = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) ||
                pthread_cond_init(&made->changed, &clock) ||
                pthread_mutex_init(&made->lock, NULL);
        pthread_condattr_destroy(&clock);
    }
    if (fault) {
        memory_free(made);
        return error_set(error, ERROR_FAILED, "", "no memory for the spool");
    }
    made->spool = spool;
    *spooler = made;
    return 0;
}

void spooler_close(struct spooler *spooler) {
    if (spooler) {
        pthread_mutex_destroy(&spooler->lock);
        pthread_cond_destroy(&spooler->changed);
        memory_free(spooler);
    }
}

static void queue_append(struct spooler *spooler, struct ticket *ticket) {
    struct ticket **at = &spooler->first;

    while (*at) {
        at = &(*at)->next;
    }
    *at = ticket;
}

static void queue_remove(struct spooler *spooler, const struct ticket *ticket) {
    struct ticket **at = &spooler->first;

    while (*at && *at != ticket) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = ticket->next;
    }
}

/* Chains what may go along behind own; how many events that are together. */
static size_t group_take(struct spooler *spooler, struct ticket *own) {
    struct ticket *last = own, *next;
    size_t count = own->count, bytes = 0;

    own->next = NULL;
    while ((next = spooler->first) && strcmp(next->store, own->store) == 0 &&
           count + next->count <= SPOOLER_EVENTS &&
           bytes + next->bytes <= SPOOLER_BYTES) {
        spooler->first = next->next;
        next->next = NULL;
        next->state = TICKET_TAKEN;
        count += next->count;
        bytes += next->bytes;
        last->next = next;
        last = next;
    }
    return count;
}

static int group_put(struct spooler *spooler, const struct ticket *group, size_t count,
                     int64_t deadline_us, struct error *error) {
    const char **events = memory_zero(count, sizeof *events);
    size_t *lengths = memory_zero(count, sizeof *lengths);
    size_t n = 0;
    int code = events && lengths ? 0 : error_set(error, ERROR_FAILED, "", "no memory");

    for (const struct ticket *t = group; t && !code; t = t->next) {
        memcpy(events + n, t->events, t->count * sizeof *events);
        memcpy(lengths + n, t->lengths, t->count * sizeof *lengths);
        n += t->count;
    }
    if (!code) {
        code = spool_put(spooler->spool, group->store, events, lengths, count,
                         deadline_us, error);
    }
    memory_free(events);
    memory_free(lengths);
    return code;
}

/* With the lock held, which is given up meanwhile. With hardly any time left it takes nobody
 * along: they have more. */
static void lead(struct spooler *spooler, struct ticket *own, int64_t deadline_us) {
    struct error why = {0};

    own->next = NULL;
    bool hurried = deadline_us - clock_now_us() < SPOOLER_LEAST_US;
    size_t count = hurried ? own->count : group_take(spooler, own);

    pthread_mutex_unlock(&spooler->lock);
    int code = group_put(spooler, own, count, deadline_us, &why);
    pthread_mutex_lock(&spooler->lock);
    for (struct ticket *t = own; t; t = t->next) {
        t->code = code;
        t->error = why;
        t->state = TICKET_DONE;
    }
}

static void lead_pass(struct spooler *spooler) {
    struct ticket *next = spooler->first;

    spooler->led = next != NULL;
    if (next) {
        spooler->first = next->next;
        next->state = TICKET_LEADS;
    }
    pthread_cond_broadcast(&spooler->changed);
}

/* Who is taken waits for the leader, whose deadline comes first. */
static void ticket_wait(struct spooler *spooler, struct ticket *own,
                        int64_t deadline_us) {
    const struct timespec until = {deadline_us / 1000000, (deadline_us % 1000000) * 1000};

    while (own->state == TICKET_WAITS || own->state == TICKET_TAKEN) {
        if (own->state == TICKET_TAKEN) {
            pthread_cond_wait(&spooler->changed, &spooler->lock);
        } else if (pthread_cond_timedwait(&spooler->changed, &spooler->lock, &until) ==
                       ETIMEDOUT &&
                   own->state == TICKET_WAITS) {
            queue_remove(spooler, own);
            own->code =
                error_set(&own->error, ERROR_UNAVAILABLE, "", "the spool is busy");
            own->state = TICKET_DONE;
        }
    }
}

int spooler_put(struct spooler *spooler, const char *store, const char *const events[],
                const size_t lengths[], size_t count, int64_t deadline_us,
                struct error *error) {
    struct ticket own = {
        .store = store, .events = events, .lengths = lengths, .count = count};

    for (size_t i = 0; i < count; i++) {
        own.bytes += lengths[i];
    }
    pthread_mutex_lock(&spooler->lock);
    if (spooler->led) {
        queue_append(spooler, &own);
        ticket_wait(spooler, &own, deadline_us);
    } else {
        spooler->led = true;
        own.state = TICKET_LEADS;
    }
    if (own.state == TICKET_LEADS) {
        lead(spooler, &own, deadline_us);
        lead_pass(spooler);
    }
    pthread_mutex_unlock(&spooler->lock);
    return own.code
               ? error_set(error, own.code, own.error.pointer, "%s", own.error.detail)
               : 0;
}
