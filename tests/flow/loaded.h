/* SPDX-License-Identifier: MIT */
/* For hosts in C that flows drive: the module as a store loads it, by dlopen. */
#ifndef FLOW_LOADED_H
#define FLOW_LOADED_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "vouch.h"

static struct {
    __typeof__(&vouch_open) open;
    __typeof__(&vouch_start) start;
    __typeof__(&vouch_step) step;
    __typeof__(&vouch_stop) stop;
    __typeof__(&vouch_emit) emit;
    __typeof__(&vouch_take) take;
    __typeof__(&vouch_ack) ack;
    __typeof__(&vouch_serve) serve;
    __typeof__(&vouch_describe) describe;
    __typeof__(&vouch_close) close;
    __typeof__(&vouch_free) free;
} v;

static inline void *loaded_symbol(void *library, const char *name) {
    void *found = library ? dlsym(library, name) : NULL;
    if (!found) {
        fprintf(stderr, "%s: %s\n", name, dlerror());
        exit(2);
    }
    return found;
}

static inline void loaded(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    v.open = loaded_symbol(library, "vouch_open");
    v.start = loaded_symbol(library, "vouch_start");
    v.step = loaded_symbol(library, "vouch_step");
    v.stop = loaded_symbol(library, "vouch_stop");
    v.emit = loaded_symbol(library, "vouch_emit");
    v.take = loaded_symbol(library, "vouch_take");
    v.ack = loaded_symbol(library, "vouch_ack");
    v.serve = loaded_symbol(library, "vouch_serve");
    v.describe = loaded_symbol(library, "vouch_describe");
    v.close = loaded_symbol(library, "vouch_close");
    v.free = loaded_symbol(library, "vouch_free");
}

#endif
