/* SPDX-License-Identifier: MIT */
/* Files embedded at build. Everything is static and constant; safe from any thread. */
#ifndef BASE_ASSET_H
#define BASE_ASSET_H

#include <stddef.h>

struct asset {
    const char *name; /* the path in the repository, "plugin/locale/en.json" */
    const char *data; /* size bytes and a NUL */
    size_t size;
};

/* NULL when there is none. */
const struct asset *asset_find(const char *name);
/* In order of name, those whose name begins with prefix: the first with after NULL, then
 * the one following after, NULL at the end. */
const struct asset *asset_next(const char *prefix, const struct asset *after);

#endif
