/* SPDX-License-Identifier: MIT */
/* What every command of vouchctl is given, and how commands are listed. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "io/db.h"
#include "options.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };
enum { CLI_WORDS_MOST = 32, CLI_FLAGS_MOST = 12 };

/* A command's own option, written --name, with a value when it takes one. */
struct cli_flag {
    const char *name;
    bool valued;
};

struct cli_given {
    const char *flag;
    const char *value; /* "" where none is taken; borrowed from argv */
};

/* A command line, read. */
struct cli {
    const struct cli_command *command;
    const char *words[CLI_WORDS_MOST]; /* what is no option, after the command's name */
    size_t word_count;
    struct cli_given given[CLI_FLAGS_MOST];
    size_t given_count;
    char *text;              /* the options as JSON, for vouch_open */
    struct options *options; /* the same, read */
    bool store_named;        /* false: nobody named one, options->stores is a guess */
};

struct cli_command {
    const char *name;
    const char *usage; /* what follows the name */
    const char *purpose;
    const struct cli_flag *flags; /* ended by a NULL name; NULL: none */
    size_t least, most;           /* words */
    int (*run)(const struct cli *cli);
};

/* NULL when the option was not given. Borrowed. */
const char *cli_value(const struct cli *cli, const char *flag);
/* Says how the command is called. CLI_USAGE. */
int cli_misused(const struct cli *cli, const char *why);
/* Says what went wrong. CLI_FAILED. */
int cli_failed(const struct error *error);

int migrate_run(const struct cli *cli);
int check_run(const struct cli *cli);
int step_run(const struct cli *cli);
int run_run(const struct cli *cli);
int emit_run(const struct cli *cli);
int queue_run(const struct cli *cli);
int approve_run(const struct cli *cli);
int preview_run(const struct cli *cli);
int test_mail_run(const struct cli *cli);
int resume_run(const struct cli *cli);
int reject_run(const struct cli *cli);
int train_run(const struct cli *cli);
int rotate_run(const struct cli *cli);
int routes_run(const struct cli *cli);
int plan_run(const struct cli *cli);

#endif
