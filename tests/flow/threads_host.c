/* SPDX-License-Identifier: MIT */
/* Sixty-four callers of every function on one handle, beside four threads of the module that
 * are stopped and started all the while. Arguments: vouch.so, options, seconds. Prints how
 * often each function answered what; ends with 0 when every code was one of its own. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "loaded.h"

enum { CALLERS = 64, CREW = 4, CODES = 8, EVENT_MOST = 2048 };

enum call { EMIT, ARRAY, BAD, REVIEW, TAKE, SERVE, DESCRIBE, STEP, OPEN, CALLS };

static const struct {
    const char *name;
    const char *allowed; /* letters of letter() */
} calls[CALLS] = {
    [EMIT] = {"emit", "os"},        [ARRAY] = {"array", "os"}, [BAD] = {"bad", "i"},
    [REVIEW] = {"review", "os"},    [TAKE] = {"take", "oeu"},  [SERVE] = {"serve", "o"},
    [DESCRIBE] = {"describe", "o"}, [STEP] = {"step", "ou"},   [OPEN] = {"open", "o"},
};

static vouch *module;
static const char *options;
static atomic_bool ending;
static atomic_int faults;
static atomic_long counts[CALLS];

/* f failed -5, k forked -4, m misuse -3, u unavailable -2, i invalid -1, o, s, e. */
static char letter(int code) {
    return code >= -5 && code <= 2 ? "fkmuiose"[code + 5] : '?';
}

static size_t order(char *out, size_t room, long self, long n) {
    return (size_t)snprintf(
        out, room,
        "{\"specversion\":\"1.0\",\"id\":\"t-%ld-%ld\",\"source\":\"/threads\",\"type\":"
        "\"order.placed\",\"data\":{\"order\":{\"id\":\"%ld-%ld\",\"placed_at\":"
        "\"2026-11-01T10:00:00Z\",\"customer\":{\"email\":\"a%ld@example.test\"},"
        "\"items\":"
        "[{\"id\":\"1\",\"product_id\":\"kettle\"}]}}}",
        self, n, self, n, self);
}

static int emit(long self, long n, enum call kind, char **reply) {
    char event[EVENT_MOST] = "[", *at = event;

    if (kind == REVIEW) {
        snprintf(event, sizeof event,
                 "{\"specversion\":\"1.0\",\"id\":\"r-%ld-%ld\",\"source\":\"/"
                 "threads\",\"type\":"
                 "\"review.submitted\",\"data\":{\"review\":{\"id\":\"r-%ld-%ld\","
                 "\"product_id\":"
                 "\"kettle\",\"rating\":4,\"body\":\"Boils water.\",\"author\":{\"name\":"
                 "\"Eve\"}}}}",
                 self, n, self, n);
    } else if (kind == EMIT) {
        order(event, sizeof event, self, n);
    } else {
        at += 1;
        at += order(at, sizeof event - 1, self, n);
        *at++ = ',';
        at += order(at, (size_t)(event + sizeof event - at), self, n + 500000);
        strcpy(at, kind == BAD ? ",{}]" : "]");
    }
    return v.emit(module, event, strlen(event), reply);
}

static int call(enum call kind, long self, long n, char **reply) {
    static const char page[] =
        "{\"method\":\"GET\",\"target\":\"/products/kettle/reviews\"}";
    vouch *again = NULL;
    int code;

    switch (kind) {
    case TAKE:
        return v.take(module, 20, reply);
    case SERVE:
        return v.serve(module, page, sizeof page - 1, reply);
    case DESCRIBE:
        return v.describe(module, reply);
    case STEP:
        return v.step(module, 20, reply);
    case OPEN:
        code = v.open(options, &again, reply);
        return code ? code : again != module ? VOUCH_FAILED : v.close(again);
    default:
        return emit(self, n, kind, reply);
    }
}

static void *caller(void *argument) {
    long self = (long)argument;

    for (long n = 0; !atomic_load(&ending); n++) {
        enum call kind =
            self % 4 ? (enum call)((self + n) % 4) : (enum call)((self / 4 + n) % CALLS);
        char *reply = NULL;
        int code = call(kind, self, n, &reply);
        atomic_fetch_add(&counts[kind], 1);
        if (!strchr(calls[kind].allowed, letter(code))) {
            fprintf(stderr, "%s: %d %s\n", calls[kind].name, code, reply ? reply : "");
            atomic_fetch_add(&faults, 1);
        }
        v.free(reply);
    }
    return NULL;
}

int main(int count, char **words) {
    pthread_t threads[CALLERS];
    const struct timespec pause = {0, 300 * 1000 * 1000};
    time_t until = count == 4 ? time(NULL) + strtol(words[3], NULL, 10) : 0;

    if (!until) {
        fprintf(stderr, "threads_host VOUCH.SO OPTIONS SECONDS\n");
        return 2;
    }
    loaded(words[1]);
    options = words[2];
    if (v.open(options, &module, NULL)) {
        return 2;
    }
    for (long i = 0; i < CALLERS; i++) {
        pthread_create(&threads[i], NULL, caller, (void *)i);
    }
    int turns = 0;
    for (; time(NULL) < until; turns++) {
        if (v.start(module, CREW, NULL) || v.start(module, 1, NULL) != VOUCH_MISUSE) {
            atomic_fetch_add(&faults, 1);
        }
        nanosleep(&pause, NULL);
        if (v.stop(module, 30000, NULL)) {
            fprintf(stderr, "not stopped\n");
            atomic_fetch_add(&faults, 1);
        }
    }
    atomic_store(&ending, true);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < CALLS; i++) {
        printf("%s %ld, ", calls[i].name, atomic_load(&counts[i]));
    }
    printf("%d starts\n", turns);
    if (v.stop(module, 30000, NULL) || v.close(module)) {
        atomic_fetch_add(&faults, 1);
    }
    return atomic_load(&faults) ? 1 : 0;
}
