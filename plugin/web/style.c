/* SPDX-License-Identifier: MIT */
/* The sheets in the order in which a page links them. */
#include "web/style.h"

#include <stdio.h>
#include <string.h>

#include "base/asset.h"
#include "base/crypto.h"
#include "web/answer.h"

#define STYLE_PREFIX "plugin/web/asset/"

static const struct {
    const char *stem, *file;
    unsigned use;
} sheets[STYLE_SHEETS] = {
    {"pico", STYLE_PREFIX "pico.min.css", STYLE_IN_PAGE | STYLE_IN_CONSOLE},
    {"vouch", STYLE_PREFIX "vouch.css", STYLE_IN_PAGE | STYLE_IN_CONSOLE},
    {"reviews", STYLE_PREFIX "reviews.css", STYLE_IN_PAGE},
    {"console", STYLE_PREFIX "console.css", STYLE_IN_CONSOLE},
    {"htmx", STYLE_PREFIX "htmx.min.js", STYLE_AS_SCRIPT},
    {"keys", STYLE_PREFIX "console.js", STYLE_AS_SCRIPT},
};

unsigned style_use(size_t index) {
    return sheets[index].use;
}

void style_name(size_t index, char out[STYLE_NAME_MOST]) {
    const struct asset *file = asset_find(sheets[index].file);
    uint8_t hash[32];
    char hex[13];

    out[0] = '\0';
    if (file) {
        crypto_sha256(file->data, file->size, hash);
        crypto_hex(hash, 6, hex);
        snprintf(out, STYLE_NAME_MOST, "%s.%s.%s", sheets[index].stem, hex,
                 sheets[index].use & STYLE_AS_SCRIPT ? "js" : "css");
    }
}

int style_serve(struct exchange *x) {
    for (size_t i = 0; i < STYLE_SHEETS; i++) {
        size_t n = strlen(sheets[i].stem);
        char name[STYLE_NAME_MOST];
        if (strncmp(x->argument, sheets[i].stem, n) != 0 || x->argument[n] != '.') {
            continue;
        }
        style_name(i, name);
        if (*name && strcmp(x->argument, name) == 0) {
            const struct asset *file = asset_find(sheets[i].file);
            return answer_bytes(x, 200,
                                sheets[i].use & STYLE_AS_SCRIPT
                                    ? "text/javascript; charset=utf-8"
                                    : "text/css; charset=utf-8",
                                file->data, file->size);
        }
    }
    return 404;
}
