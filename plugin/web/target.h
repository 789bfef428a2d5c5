/* SPDX-License-Identifier: MIT */
/* A request target split into segments before each is decoded, once. Pure. */
#ifndef WEB_TARGET_H
#define WEB_TARGET_H

#include <stddef.h>

enum { TARGET_BYTES_MOST = 8192, TARGET_SEGMENTS_MOST = 8 };

struct target {
    const char *segments[TARGET_SEGMENTS_MOST]; /* decoded; "" for a trailing slash */
    size_t count;      /* TARGET_SEGMENTS_MOST + 1: more than any route has */
    size_t depth;      /* how many "../" lead from here to the mount */
    const char *query; /* undecoded, "" without one */
    char *storage;
};

/* 0, or the HTTP status that refuses it: 400, 414, 500. The caller's, target_free. */
int target_read(const char *text, size_t n, struct target *target);
void target_free(struct target *target);

#endif
