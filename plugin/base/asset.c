/* SPDX-License-Identifier: MIT */
/* Lookup in the sorted table that the build makes. */
#include "base/asset.h"

#include <stdbool.h>
#include <string.h>

extern const struct asset asset_table[];
extern const size_t asset_count;

/* The first entry whose name is not below name. */
static size_t asset_from(const char *name) {
    size_t low = 0, high = asset_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(asset_table[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct asset *asset_find(const char *name) {
    size_t at = asset_from(name);
    bool found = at < asset_count && strcmp(asset_table[at].name, name) == 0;
    return found ? &asset_table[at] : NULL;
}

const struct asset *asset_next(const char *prefix, const struct asset *after) {
    size_t at = after ? (size_t)(after - asset_table) + 1 : asset_from(prefix);
    bool found =
        at < asset_count && strncmp(asset_table[at].name, prefix, strlen(prefix)) == 0;
    return found ? &asset_table[at] : NULL;
}
