/* SPDX-License-Identifier: MIT */
/* A host with threads in every function of the module that forks all the while: each child
 * finds its parent's handle FORKED, opens, emits and closes. Arguments: vouch.so, options,
 * how many forks. Ends with 0 when all children did. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loaded.h"

enum { THREADS = 16, CHILD_SECONDS = 30, SIDE_BY_SIDE = 4 };

static vouch *module;
static const char *options;
static atomic_bool ending;
static atomic_int faults;

static int emit(vouch *into, long number) {
    char event[512];
    int n = snprintf(
        event, sizeof event,
        "{\"specversion\":\"1.0\",\"id\":\"c-%ld\",\"source\":\"/fork\",\"type\":"
        "\"order.paid\",\"data\":{\"order\":{\"id\":\"%ld\",\"at\":"
        "\"2026-11-01T10:00:00Z\"}}}",
        number, number);
    return v.emit(into, event, (size_t)n, NULL);
}

static void *caller(void *argument) {
    long self = (long)argument;
    char *reply = NULL;
    vouch *again = NULL;

    for (long n = 0; !atomic_load(&ending); n++) {
        int code = self % 4 == 0   ? v.step(module, 20, NULL)
                   : self % 4 == 1 ? v.take(module, 5, &reply)
                   : self % 4 == 2 ? v.open(options, &again, NULL)
                                   : emit(module, self * 1000000 + n);
        if (again && v.close(again)) {
            atomic_fetch_add(&faults, 1);
        }
        again = NULL;
        v.free(reply);
        reply = NULL;
        if (code < 0 && code != VOUCH_UNAVAILABLE) {
            fprintf(stderr, "caller %ld: %d\n", self, code);
            atomic_fetch_add(&faults, 1);
        }
    }
    return NULL;
}

static int child(long number) {
    vouch *own = NULL;
    char *reply = NULL;

    alarm(CHILD_SECONDS);
    if (emit(module, 1) != VOUCH_FORKED || v.step(module, 10, NULL) != VOUCH_FORKED ||
        v.start(module, 1, NULL) != VOUCH_FORKED ||
        v.stop(module, 0, NULL) != VOUCH_FORKED ||
        v.take(module, 0, &reply) != VOUCH_FORKED ||
        v.describe(module, NULL) != VOUCH_FORKED || v.close(module) != VOUCH_FORKED) {
        return 2;
    }
    v.free(reply);
    if (v.open(options, &own, &reply)) {
        fprintf(stderr, "child: %s\n", reply ? reply : "no reply");
        return 3;
    }
    int code = own == module ? 4 : emit(own, 900000000 + number) < 0 ? 5 : 0;
    return code ? code : v.close(own) ? 6 : 0;
}

int main(int count, char **words) {
    pthread_t threads[THREADS];
    long forks = count == 4 ? strtol(words[3], NULL, 10) : 0, done = 0, good = 0;

    if (forks < 1) {
        fprintf(stderr, "fork_host VOUCH.SO OPTIONS FORKS\n");
        return 2;
    }
    loaded(words[1]);
    options = words[2];
    if (v.open(options, &module, NULL) || v.start(module, 2, NULL)) {
        fprintf(stderr, "not opened\n");
        return 2;
    }
    for (long i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, caller, (void *)i);
    }
    for (long number = 0; number < forks; number++) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(child(number));
        }
        int status = 0;
        while (number - done >= SIDE_BY_SIDE - 1 && wait(&status) > 0) {
            done++;
            good += status == 0;
            if (status) {
                fprintf(stderr, "a child ended with %x\n", (unsigned)status);
            }
        }
    }
    int status = 0;
    while (wait(&status) > 0) {
        good += status == 0;
    }
    atomic_store(&ending, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    int ended = v.stop(module, 20000, NULL) || v.close(module);
    printf("%ld of %ld children well, %d faults, ended %d\n", good, forks,
           atomic_load(&faults), ended);
    return good == forks && !atomic_load(&faults) && !ended ? 0 : 1;
}
