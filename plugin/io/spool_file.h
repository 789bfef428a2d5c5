/* SPDX-License-Identifier: MIT */
/* The spool's file as a thing with a name: is it there, is it still the same, make it, set
 * it aside. No descriptor of an existing file is ever opened here: closing one would drop
 * the locks that SQLite holds on it in this process. */
#ifndef IO_SPOOL_FILE_H
#define IO_SPOOL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct spool_mark {
    dev_t device;
    ino_t inode;
    bool there;    /* and not empty */
    bool orphaned; /* a log is there that belongs to no content */
};

/* Fills an empty file with an empty spool; 0 or an error's code. */
typedef int (*spool_filler)(const char *path, int64_t deadline_us, struct error *error);

/* 0 or ERROR_UNAVAILABLE. */
int spool_file_look(const char *path, struct spool_mark *mark, struct error *error);
/* Whether path still leads to what was marked. */
bool spool_file_same(const char *path, const struct spool_mark *mark);
/* Makes a file of mode 0600, filled before it gets its name, durable in its folder. One
 * that is there is fine. */
int spool_file_make(const char *path, spool_filler fill, int64_t deadline_us,
                    struct error *error);
/* Renames file and logs unless path leads elsewhere by now (another process was faster:
 * 0 as well, *name then ""). name is of SPOOL_PATH_MOST + 64 bytes. */
int spool_file_aside(const char *path, const struct spool_mark *mark, int64_t deadline_us,
                     char *name, size_t size, struct error *error);
/* strerror_r, always a text. */
const char *spool_file_reason(int number, char out[128]);

#endif
