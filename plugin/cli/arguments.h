/* SPDX-License-Identifier: MIT */
/* The command line, and where the options come from. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "cli.h"

/* Reads what follows the command's name into cli, whose command is set. --options, a file,
 * gives way to --database and --store; what neither names is taken from VOUCH_DATABASE_URL
 * and VOUCH_STORE. CLI_DONE, CLI_FAILED or CLI_USAGE, said on the terminal. argv is
 * borrowed as long as cli; arguments_free is due in any case. */
int arguments_read(struct cli *cli, int argc, char **argv, struct error *error);
void arguments_free(struct cli *cli);

#endif
