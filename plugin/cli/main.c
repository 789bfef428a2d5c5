/* SPDX-License-Identifier: MIT */
/* vouchctl: the door for people at a terminal. The program on one screen. */
#include <string.h>

#include "arguments.h"
#include "cli.h"
#include "print.h"

static const struct cli_flag json[] = {{"json", false}, {NULL, false}};
static const struct cli_flag stepping[] = {{"budget", true}, {NULL, false}};
static const struct cli_flag running[] = {{"threads", true}, {NULL, false}};
static const struct cli_flag planning[] = {
    {"days", true}, {"list", false}, {"json", false}, {NULL, false}};
static const struct cli_flag approving[] = {
    {"operator", true}, {"note", true}, {NULL, false}};
static const struct cli_flag rejecting[] = {
    {"ground", true}, {"explanation", true}, {"operator", true}, {NULL, false}};
static const struct cli_flag rotating[] = {
    {"key-file", true}, {"generate", false}, {"end-links", false}, {"force", false},
    {NULL, false}};
static const struct cli_flag training[] = {
    {"locale", true}, {"note", true}, {NULL, false}};

static const struct cli_flag previewing[] = {
    {"kind", true}, {"locale", true}, {"html", false}, {NULL, false}};
static const struct cli_flag mailing[] = {
    {"to", true}, {"kind", true}, {"locale", true}, {NULL, false}};
static const struct cli_flag resuming[] = {{"operator", true}, {NULL, false}};

static const struct cli_command commands[] = {
    {"migrate", "", "bring the database's schema up to this version", NULL, 0, 0,
     migrate_run},
    {"check", "[--json]", "say what is wrong, and how to mend it", json, 0, 0, check_run},
    {"step", "[--budget MS]", "do what is due, once", stepping, 0, 0, step_run},
    {"run", "[--threads N]", "work until SIGTERM or SIGINT; --store '*' for all stores",
     running, 0, 0, run_run},
    {"emit", "FILE | -", "hand in an event, an array, or one event a line", NULL, 1, 1,
     emit_run},
    {"queue", "[--json]", "list the reviews that are held", json, 0, 0, queue_run},
    {"plan", "[--days N] [--list] [--json]",
     "say which requests go out in the coming days, and which do not and why", planning,
     0, 0, plan_run},
    {"approve", "REVIEW [--operator NAME] [--note TEXT]", "publish a review", approving,
     1, 1, approve_run},
    {"reject", "REVIEW --ground GROUND --explanation TEXT [--operator NAME]",
     "refuse a review on a ground of the closed list", rejecting, 1, 1, reject_run},
    {"train", "FILE --locale LANGUAGE [--note TEXT]",
     "learn what abuse is from lines of label, source and text", training, 1, 1,
     train_run},
    {"preview", "[--kind KIND] [--locale LANGUAGE] [--html]",
     "write out a mail about an order that never was", previewing, 0, 0, preview_run},
    {"test-mail", "--to ADDRESS [--kind KIND] [--locale LANGUAGE]",
     "send such a mail through the store's relay, now", mailing, 0, 0, test_mail_run},
    {"resume", "[--operator NAME]",
     "send again after a pause, as after a restored backup", resuming, 0, 0, resume_run},
    {"rotate-key", "--key-file FILE | --generate [--end-links] [--force]",
     "put another key in the place of the present one; stop the hosts first", rotating, 0,
     0, rotate_run},
    {"routes", "", "list what may be asked over HTTP, by whom and how", NULL, 0, 0,
     routes_run},
};

static int main_help(void) {
    print_line("Usage: vouchctl COMMAND [--options FILE | --database URL --store ID] …");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        print_line("  vouchctl %s%s%s", commands[i].name, *commands[i].usage ? " " : "",
                   commands[i].usage);
        print_line("        %s", commands[i].purpose);
    }
    print_line(
        "Where neither says so: VOUCH_DATABASE_URL, VOUCH_STORE. See vouchctl(1).");
    return print_ok() ? CLI_DONE : CLI_FAILED;
}

static const struct cli_command *main_find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    struct cli cli = {0};
    struct error error = {0};
    const char *name = argc > 1 ? argv[1] : "";
    int code = CLI_USAGE;

    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
        return main_help();
    }
    if (strcmp(name, "--version") == 0) {
        print_line("vouchctl " VOUCH_VERSION);
        return CLI_DONE;
    }
    cli.command = main_find(name);
    if (!cli.command) {
        print_error("%s%s; vouchctl help lists the commands",
                    *name ? "there is no command " : "no command was given", name);
        return CLI_USAGE;
    }
    code = arguments_read(&cli, argc - 2, argv + 2, &error);
    if (code == CLI_DONE) {
        code = cli.command->run(&cli);
    }
    arguments_free(&cli);
    return code == CLI_DONE && !print_ok() ? CLI_FAILED : code;
}
