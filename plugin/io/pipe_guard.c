/* SPDX-License-Identifier: MIT */
/* SIGPIPE, kept from the host while a library writes. */
#include "io/pipe_guard.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

void pipe_guard_enter(struct pipe_guard *guard) {
    sigset_t set;
    sigpending(&set);
    guard->pending = sigismember(&set, SIGPIPE) == 1;
    if (guard->pending)
        return;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &guard->before);
}

void pipe_guard_leave(struct pipe_guard *guard) {
    static const struct timespec at_once = {0, 0};
    sigset_t set;
    if (guard->pending)
        return;
    sigpending(&set);
    if (sigismember(&set, SIGPIPE) == 1) {
        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
