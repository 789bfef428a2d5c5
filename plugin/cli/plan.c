/* SPDX-License-Identifier: MIT */
/* vouchctl plan: which requests and reminders go out in the coming days, and which do not
 * and why. Changes nothing. */
#include <string.h>

#include "base/memory.h"
#include "cli.h"
#include "door.h"
#include "print.h"
#include "session.h"

enum {
    PLAN_CALL_S = 60,
    PLAN_DAYS = 14, /* when not said otherwise */
    PLAN_DAYS_MOST = 730,
    PLAN_ROWS_MOST = 100000 /* listed at most */
};

static const char *plan_text(const json_t *row, const char *name) {
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

static json_int_t plan_number(const json_t *row, const char *name) {
    return json_integer_value(json_object_get(row, name));
}

static void plan_day(const json_t *row) {
    print_line("%-10s  %-8s  %-4s  %9" JSON_INTEGER_FORMAT "  %s", plan_text(row, "day"),
               plan_text(row, "kind"), plan_text(row, "outcome"),
               plan_number(row, "mails"), plan_text(row, "reason"));
}

static void plan_mail(const json_t *row) {
    print_line("%-25.25s  %-8s  %-4s  %9" JSON_INTEGER_FORMAT "  %s%s%s",
               plan_text(row, "send_at"), plan_text(row, "kind"),
               plan_text(row, "outcome"), plan_number(row, "request_id"),
               plan_text(row, "order_id"), *plan_text(row, "reason") ? "  " : "",
               plan_text(row, "reason"));
}

static void plan_print(const json_t *rows, bool listed) {
    json_int_t sent = 0, skipped = 0;
    size_t i;
    json_t *row;

    if (listed) {
        print_line("%-25s  %-8s  %-4s  %9s  %s", "AT", "MAIL", "", "REQUEST",
                   "ORDER, REASON");
    } else {
        print_line("%-10s  %-8s  %-4s  %9s  %s", "DAY", "MAIL", "", "COUNT", "REASON");
    }
    json_array_foreach(rows, i, row) {
        json_int_t n = listed ? 1 : plan_number(row, "mails");
        bool skip = strcmp(plan_text(row, "outcome"), "skip") == 0;
        *(skip ? &skipped : &sent) += n;
        listed ? plan_mail(row) : plan_day(row);
    }
    print_line("%" JSON_INTEGER_FORMAT " to send, %" JSON_INTEGER_FORMAT " skipped", sent,
               skipped);
}

/* *rows a new reference. */
static int plan_ask(struct session *session, const char *store, int days, bool listed,
                    json_t **rows, struct error *error) {
    struct db_result *result = NULL;
    struct db_params params;
    int code;

    db_params_open(&params);
    db_add_text(&params, store);
    db_add_int(&params, days);
    db_add_bool(&params, listed);
    db_add_int(&params, PLAN_ROWS_MOST);
    code = session_call(session, "SELECT vouch.plan_view($1, $2::integer, $3, $4::integer)",
                        &params, &result, error);
    if (!code) {
        *rows = db_json(result, 0, 0);
    }
    db_result_free(result);
    db_params_free(&params);
    return code;
}

int plan_run(const struct cli *cli) {
    const char *store = cli->options->stores[0];
    bool listed = cli_value(cli, "list") != NULL;
    struct session session = {0};
    struct error error = {0};
    json_t *rows = NULL;
    char *text = NULL;
    int days = PLAN_DAYS, code;

    if (cli->options->store_count != 1 || strcmp(store, "*") == 0) {
        return cli_misused(cli, "of which store? say --store ID");
    }
    if (!door_number(cli, "days", 1, PLAN_DAYS_MOST, &days)) {
        return CLI_USAGE;
    }
    code = session_open(cli, PLAN_CALL_S * INT64_C(1000000), &session, &error);
    if (!code) {
        code = plan_ask(&session, store, days, listed, &rows, &error);
    }
    session_close(&session);
    if (!code && cli_value(cli, "json")) {
        text = json_write(rows);
        print_raw(text ? text : "[]");
    } else if (!code) {
        plan_print(rows, listed);
    }
    memory_free(text);
    json_decref(rows);
    return code ? cli_failed(&error) : CLI_DONE;
}
