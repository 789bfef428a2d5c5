/* SPDX-License-Identifier: MIT */
/* The module as any store opens it, for the commands that work as a store does. */
#include "door.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "print.h"

enum { DOOR_SLICE_MS = 1000 };

int door_open(const struct cli *cli, vouch **module) {
    char *problem = NULL;
    int code = vouch_open(cli->text, module, &problem);

    if (code < 0) {
        return door_failed(problem);
    }
    vouch_free(problem);
    return CLI_DONE;
}

int door_failed(char *problem) {
    json_t *said = problem ? json_read(problem, strlen(problem), NULL) : NULL;
    const char *detail = json_string_value(json_object_get(said, "detail"));
    const char *pointer = json_string_value(json_object_get(said, "pointer"));

    print_error("%s%s%s", pointer ? pointer : "", pointer && *pointer ? ": " : "",
                detail ? detail : "it failed, and there was no memory to say why");
    json_decref(said);
    vouch_free(problem);
    return CLI_FAILED;
}

static bool door_signalled(void) {
    static const struct timespec now = {0};
    sigset_t again;

    sigemptyset(&again);
    sigaddset(&again, SIGTERM);
    sigaddset(&again, SIGINT);
    return sigtimedwait(&again, NULL, &now) > 0;
}

int door_stop(vouch *module, int seconds) {
    for (int i = 0; i < seconds; i++) {
        char *reply = NULL;
        int code = vouch_stop(module, DOOR_SLICE_MS, &reply);
        if (code == VOUCH_OK) {
            vouch_free(reply);
            return CLI_DONE;
        }
        if (code != VOUCH_MISUSE) {
            return door_failed(reply);
        }
        vouch_free(reply);
        if (door_signalled()) {
            break;
        }
    }
    print_error("mails were still in flight; they are taken up again by themselves");
    return CLI_FAILED;
}

bool door_number(const struct cli *cli, const char *flag, int least, int most,
                 int *value) {
    const char *text = cli_value(cli, flag);
    char *end = NULL;
    long number;

    if (!text) {
        return true;
    }
    number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number < least || number > most) {
        print_error("--%s is a number from %d to %d", flag, least, most);
        return false;
    }
    *value = (int)number;
    return true;
}
