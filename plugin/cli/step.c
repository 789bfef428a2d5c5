/* SPDX-License-Identifier: MIT */
/* vouchctl step: what is due, once. */
#include "door.h"
#include "print.h"

enum { STEP_BUDGET_MS = 5000, STEP_MOST_MS = 60000, STEP_STOP_S = 30 };

int step_run(const struct cli *cli) {
    int budget_ms = STEP_BUDGET_MS;
    vouch *module = NULL;
    char *reply = NULL;
    int code;

    if (!door_number(cli, "budget", 1, STEP_MOST_MS, &budget_ms)) {
        return CLI_USAGE;
    }
    code = door_open(cli, &module);
    if (code != CLI_DONE) {
        return code;
    }
    if (vouch_step(module, budget_ms, &reply) < 0) {
        code = door_failed(reply);
    } else {
        print_raw(reply ? reply : "{}");
        vouch_free(reply);
    }
    if (door_stop(module, STEP_STOP_S) != CLI_DONE) {
        code = CLI_FAILED;
    }
    vouch_close(module);
    return code;
}
