/* SPDX-License-Identifier: MIT */
/* The command line, and where the options come from. */
#include "arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/memory.h"
#include "print.h"

static const struct cli_flag common[] = {
    {"options", true}, {"database", true}, {"store", true}, {NULL, false}};

static const struct cli_flag *arguments_flag(const struct cli_flag *flags,
                                             const char *name, size_t n) {
    for (; flags && flags->name; flags++) {
        if (strlen(flags->name) == n && memcmp(flags->name, name, n) == 0) {
            return flags;
        }
    }
    return NULL;
}

const char *cli_value(const struct cli *cli, const char *flag) {
    for (size_t i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].flag, flag) == 0) {
            return cli->given[i].value;
        }
    }
    return NULL;
}

int cli_misused(const struct cli *cli, const char *why) {
    print_error("%s", why);
    print_error("it is called as: vouchctl %s%s%s", cli->command->name,
                *cli->command->usage ? " " : "", cli->command->usage);
    return CLI_USAGE;
}

int cli_failed(const struct error *error) {
    print_error("%s%s%s", error->pointer, *error->pointer ? ": " : "", error->detail);
    return CLI_FAILED;
}

/* argv[*at] begins with "--". */
static int arguments_option(struct cli *cli, int argc, char **argv, int *at) {
    const char *name = argv[*at] + 2;
    size_t n = strcspn(name, "=");
    const char *value = name[n] ? name + n + 1 : NULL;
    const struct cli_flag *flag = arguments_flag(common, name, n);

    flag = flag ? flag : arguments_flag(cli->command->flags, name, n);
    if (!flag || cli->given_count == CLI_FLAGS_MOST || cli_value(cli, flag->name)) {
        return cli_misused(cli, flag ? "an option is given once" : "no such option");
    }
    if (flag->valued && !value && *at + 1 < argc) {
        value = argv[++*at];
    }
    if (flag->valued != (value != NULL)) {
        return cli_misused(cli, flag->valued ? "an option misses its value"
                                             : "an option takes no value");
    }
    cli->given[cli->given_count++] = (struct cli_given){flag->name, value ? value : ""};
    return CLI_DONE;
}

static int arguments_split(struct cli *cli, int argc, char **argv) {
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            if (arguments_option(cli, argc, argv, &i) != CLI_DONE) {
                return CLI_USAGE;
            }
        } else if (cli->word_count < cli->command->most) {
            cli->words[cli->word_count++] = argv[i];
        } else {
            return cli_misused(cli, "that is more than it takes");
        }
    }
    return cli->word_count < cli->command->least
               ? cli_misused(cli, "something is missing")
               : CLI_DONE;
}

/* A new reference; NULL with error. */
static json_t *arguments_file(const char *path, struct error *error) {
    json_t *root = NULL;
    FILE *file = fopen(path, "re");
    char *text = memory_get(JSON_MOST_BYTES + 1);

    if (!file || !text) {
        char why[128];
        error_set(error, ERROR_INVALID, "", "%.300s: %s", path,
                  strerror_r(errno, why, sizeof why));
        goto out;
    }
    root = json_read(text, fread(text, 1, JSON_MOST_BYTES + 1, file), error);
    if (root && !json_is_object(root)) {
        error_set(error, ERROR_INVALID, "", "%.300s: the options are a JSON object",
                  path);
        json_decref(root);
        root = NULL;
    }
out:
    if (text) {
        crypto_zero(text, JSON_MOST_BYTES + 1);
    }
    memory_free(text);
    if (file) {
        fclose(file);
    }
    return root;
}

/* flag before what the file says before the environment. */
static int arguments_put(const struct cli *cli, json_t *root, const char *name,
                         const char *variable) {
    const char *value = cli_value(cli, name);

    if (!value && !json_object_get(root, name)) {
        value = getenv(variable);
        value = value && *value ? value : NULL;
    }
    return value ? json_object_set_new(root, name, json_string(value)) : 0;
}

static int arguments_options(struct cli *cli, struct error *error) {
    const char *path = cli_value(cli, "options");
    json_t *root = path ? arguments_file(path, error) : json_object();
    int code = ERROR_INVALID;

    if (!root || arguments_put(cli, root, "database", "VOUCH_DATABASE_URL") ||
        arguments_put(cli, root, "store", "VOUCH_STORE")) {
        error_set(error, code, "", "the options are not valid UTF-8");
        goto out;
    }
    cli->store_named = json_object_get(root, "store") != NULL;
    cli->text = json_write(root);
    code = cli->text ? options_read(cli->text, &cli->options, error)
                     : error_set(error, ERROR_FAILED, "", "no memory for the options");
out:
    json_decref(root);
    return code;
}

int arguments_read(struct cli *cli, int argc, char **argv, struct error *error) {
    int code = arguments_split(cli, argc, argv);

    if (code == CLI_DONE && arguments_options(cli, error) != 0) {
        code = cli_failed(error);
    }
    return code;
}

void arguments_free(struct cli *cli) {
    if (cli->text) {
        crypto_zero(cli->text, strlen(cli->text));
        memory_free(cli->text);
    }
    options_free(cli->options);
}
