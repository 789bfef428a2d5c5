/* SPDX-License-Identifier: MIT */
/* See loader.h. RTLD_NOW: what is missing fails here and not in a checkout. RTLD_LOCAL:
 * neither side's symbols are offered to the other. */
#include "loader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"vouch_abi", offsetof(struct loader, abi)},
    {"vouch_open", offsetof(struct loader, open)},
    {"vouch_start", offsetof(struct loader, start)},
    {"vouch_stop", offsetof(struct loader, stop)},
    {"vouch_emit", offsetof(struct loader, emit)},
    {"vouch_take", offsetof(struct loader, take)},
    {"vouch_ack", offsetof(struct loader, ack)},
    {"vouch_serve", offsetof(struct loader, serve)},
    {"vouch_describe", offsetof(struct loader, describe)},
    {"vouch_close", offsetof(struct loader, close)},
    {"vouch_free", offsetof(struct loader, free)},
};

/* POSIX lets dlsym's object pointer be a function pointer, ISO C has no cast for it. */
static int loader_find(struct loader *loader, const char *name, size_t offset) {
    void *symbol = dlsym(loader->library, name);
    memcpy((char *)loader + offset, &symbol, sizeof symbol);
    return symbol != NULL ? 0 : -1;
}

int loader_open(const char *path, struct loader *loader, char *why, size_t why_size) {
    *loader = (struct loader){0};
    loader->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (loader->library == NULL) {
        (void)snprintf(why, why_size, "%s", dlerror());
        return -1;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        if (loader_find(loader, symbols[i].name, symbols[i].offset) != 0) {
            (void)snprintf(why, why_size, "%s has no %s", path, symbols[i].name);
            loader_close(loader);
            return -1;
        }
        if (i == 0 && loader->abi() != VOUCH_ABI) {
            (void)snprintf(why, why_size, "%s speaks ABI %d, this shop %d", path,
                           loader->abi(), VOUCH_ABI);
            loader_close(loader);
            return -1;
        }
    }
    return 0;
}

void loader_close(struct loader *loader) {
    if (loader->library != NULL)
        (void)dlclose(loader->library);
    *loader = (struct loader){0};
}
