/* SPDX-License-Identifier: MIT */
/* The SQL files this vouchctl holds: which numbers, and whether they changed. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdint.h>

#include "base/asset.h"
#include "base/error.h"

/* Prefixes of what the two fingerprints in vouch.installation are made over. */
extern const char *const files_functions[];
extern const char *const files_lexicon[];

/* Of "sql/schema/0003_name.sql": 3. */
int64_t files_number(const struct asset *schema);
/* The newest schema there is a file for. */
int64_t files_schema(void);
/* 64 hex digits over the names and bytes of all files with these prefixes. 0 or an error.
 */
int files_print(const char *const prefixes[], char out[65], struct error *error);

#endif
