/* SPDX-License-Identifier: MIT */
/* The SQL files this vouchctl holds: which numbers, and whether they changed. */
#include "files.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/crypto.h"

enum { FILES_MOST_BYTES = 32 << 20 };

const char *const files_functions[] = {"sql/function/", "sql/access.sql", NULL};
const char *const files_lexicon[] = {"sql/seed/", NULL};

int64_t files_number(const struct asset *schema) {
    return strtoll(schema->name + strlen("sql/schema/"), NULL, 10);
}

int64_t files_schema(void) {
    int64_t most = 0;
    const struct asset *asset = NULL;

    while ((asset = asset_next("sql/schema/", asset))) {
        most = files_number(asset) > most ? files_number(asset) : most;
    }
    return most;
}

int files_print(const char *const prefixes[], char out[65], struct error *error) {
    uint8_t digest[32];
    struct buffer all;
    int code = 0;

    buffer_init(&all, FILES_MOST_BYTES);
    for (; *prefixes; prefixes++) {
        const struct asset *asset = NULL;
        while ((asset = asset_next(*prefixes, asset))) {
            buffer_append(&all, asset->name, strlen(asset->name) + 1);
            buffer_append(&all, asset->data, asset->size + 1);
        }
    }
    if (buffer_ok(&all)) {
        crypto_sha256(all.data, all.length, digest);
        crypto_hex(digest, sizeof digest, out);
    } else {
        code = error_set(error, ERROR_FAILED, "", "no memory for the SQL files");
    }
    buffer_free(&all);
    return code;
}
