/* SPDX-License-Identifier: MIT */
/* vouchctl run: the worker for stores whose own processes have no threads. */
#include <signal.h>

#include "door.h"
#include "print.h"

enum { RUN_THREADS = 2, RUN_THREADS_MOST = 64, RUN_STOP_S = 30, RUN_LOOK_S = 3600 };

/* Blocked before the first thread, so that only run_wait receives them. */
static int run_block(sigset_t *signals) {
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    return sigprocmask(SIG_BLOCK, signals, NULL);
}

static void run_wait(const sigset_t *signals) {
    static const struct timespec look = {.tv_sec = RUN_LOOK_S};

    while (sigtimedwait(signals, NULL, &look) < 0) {
    }
}

int run_run(const struct cli *cli) {
    const struct options *o = cli->options;
    int threads = RUN_THREADS;
    vouch *module = NULL;
    char *problem = NULL;
    sigset_t signals;
    int code;

    if (!door_number(cli, "threads", 1, RUN_THREADS_MOST, &threads)) {
        return CLI_USAGE;
    }
    if (run_block(&signals) != 0) {
        print_error("signals cannot be blocked");
        return CLI_FAILED;
    }
    code = door_open(cli, &module);
    if (code != CLI_DONE) {
        return code;
    }
    if (vouch_start(module, threads, &problem) < 0) {
        code = door_failed(problem);
    } else {
        print_line("working for store %s%s, until SIGTERM or SIGINT", o->stores[0],
                   o->store_count > 1 ? " and others" : "");
        run_wait(&signals);
        print_line("stopping");
        code = door_stop(module, RUN_STOP_S);
    }
    if (vouch_close(module) == VOUCH_OK && code == CLI_DONE) {
        print_line("stopped");
    }
    return code;
}
