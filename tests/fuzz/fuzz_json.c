/* SPDX-License-Identifier: MIT */
/* Any bytes as JSON: what is accepted and written is read again, and written the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error error = {0};
    json_t *value = json_read((const char *)data, size, &error);

    if (!value) {
        if (error.code >= 0 || !*error.detail) {
            abort();
        }
        return 0;
    }
    char *text = json_write(value);
    json_t *again = text ? json_read(text, strlen(text), &error) : NULL;
    char *same = again ? json_write(again) : NULL;
    if (!text || !same || strcmp(text, same) != 0) {
        abort();
    }
    json_decref(again);
    json_decref(value);
    memory_free(text);
    memory_free(same);
    return 0;
}
