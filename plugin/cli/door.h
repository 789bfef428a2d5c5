/* SPDX-License-Identifier: MIT */
/* The module as any store opens it, for the commands that work as a store does. */
#ifndef CLI_DOOR_H
#define CLI_DOOR_H

#include "cli.h"
#include "vouch.h"

/* Opens with the command line's options. CLI_DONE, or CLI_FAILED, said on the terminal.
 * Closed with vouch_close. */
int door_open(const struct cli *cli, vouch **module);
/* Says what a problem says, and frees it; NULL is fine. CLI_FAILED. */
int door_failed(char *problem);
/* Stops within so many seconds, or at a second signal that the caller blocks and waits
 * for. CLI_DONE, or CLI_FAILED when something was still in flight. */
int door_stop(vouch *module, int seconds);
/* A number from least to most, the default when the option is not given. False, said on
 * the terminal, when it is none. */
bool door_number(const struct cli *cli, const char *flag, int least, int most,
                 int *value);

#endif
