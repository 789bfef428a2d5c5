/* SPDX-License-Identifier: MIT */
/* Any bytes as the answer to a mail: what is left is no longer than what came, and ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "care/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *answer = quote_cut((const char *)data, size);

    if (!answer || strlen(answer) > size + 1 || *answer == '\n') {
        abort();
    }
    memory_free(answer);
    return 0;
}
