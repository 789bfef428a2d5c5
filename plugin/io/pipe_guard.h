/* SPDX-License-Identifier: MIT */
/* OpenSSL writes without MSG_NOSIGNAL. The host's handler for SIGPIPE is not ours to change, so the
   signal is blocked in this thread and taken back before the host can see it. */
#ifndef IO_PIPE_GUARD_H
#define IO_PIPE_GUARD_H

#include <signal.h>
#include <stdbool.h>

struct pipe_guard {
    sigset_t before;
    bool pending;
};

/* In pairs, in one thread. */
void pipe_guard_enter(struct pipe_guard *guard);
void pipe_guard_leave(struct pipe_guard *guard);

#endif
