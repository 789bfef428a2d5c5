/* SPDX-License-Identifier: MIT */
/* vouchctl approve and reject: an operator's decision, through vouch.decide. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli.h"
#include "print.h"
#include "session.h"

enum { APPROVE_CALL_S = 10 };

static bool approve_number(const char *word, int64_t *review) {
    char *end = NULL;

    *review = strtoll(word, &end, 10);
    return *word >= '0' && *word <= '9' && *end == '\0' && *review > 0 &&
           *review < INT64_MAX;
}

static int approve_call(const struct cli *cli, struct db_params *params,
                        struct error *error) {
    struct session session;
    struct db_result *result = NULL;
    json_t *reply = NULL;
    int code = session_open(cli, APPROVE_CALL_S * INT64_C(1000000), &session, error);

    if (!code) {
        code = session_call(&session, "SELECT vouch.decide($1, $2, $3, $4, $5, $6)",
                            params, &result, error);
    }
    if (!code) {
        json_t *review = NULL;
        const char *state = NULL;
        reply = db_json(result, 0, 0);
        review = json_object_get(reply, "review");
        state = json_string_value(json_object_get(review, "state"));
        print_line("review %s is %s", cli->words[0], state ? state : "decided");
    }
    json_decref(reply);
    db_result_free(result);
    session_close(&session);
    return code;
}

static int approve_decide(const struct cli *cli, const char *action, const char *ground,
                          const char *note) {
    struct db_params params;
    struct error error = {0};
    int64_t review = 0;
    int code = CLI_DONE;

    db_params_open(&params);
    if (!approve_number(cli->words[0], &review)) {
        code = cli_misused(cli, "a review is named by its number, see vouchctl queue");
    } else if (cli->options->store_count != 1 ||
               strcmp(cli->options->stores[0], "*") == 0) {
        code = cli_misused(cli, "in which store? say --store ID");
    } else {
        db_add_text(&params, cli->options->stores[0]);
        db_add_int(&params, review);
        db_add_text(&params, cli_value(cli, "operator"));
        db_add_text(&params, action);
        db_add_text(&params, ground);
        db_add_text(&params, note);
        code = approve_call(cli, &params, &error) ? cli_failed(&error) : CLI_DONE;
    }
    db_params_free(&params);
    return code;
}

int approve_run(const struct cli *cli) {
    return approve_decide(cli, "approve", NULL, cli_value(cli, "note"));
}

int reject_run(const struct cli *cli) {
    const char *ground = cli_value(cli, "ground");

    if (!ground) {
        return cli_misused(cli, "on which ground? say --ground GROUND");
    }
    return approve_decide(cli, "reject", ground, cli_value(cli, "explanation"));
}
