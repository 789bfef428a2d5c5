/* SPDX-License-Identifier: MIT */
/* Any bytes as a mail that came back: nothing read from it is without an end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int holds) {
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct dsn dsn;

    memset(&dsn, 0x55, sizeof dsn);
    if (!dsn_read((const char *)data, size, &dsn)) {
        return 0;
    }
    need(dsn.count <= DSN_RECIPIENTS_MOST);
    need(strnlen(dsn.message_id, DSN_ID_SIZE) < DSN_ID_SIZE);
    need(strnlen(dsn.mailbox, DSN_ADDRESS_SIZE) < DSN_ADDRESS_SIZE);
    for (size_t i = 0; i < dsn.count; i++) {
        need(strnlen(dsn.recipients[i].address, DSN_ADDRESS_SIZE) < DSN_ADDRESS_SIZE);
        need(strnlen(dsn.recipients[i].action, DSN_WORD_SIZE) < DSN_WORD_SIZE);
        need(strnlen(dsn.recipients[i].status, DSN_WORD_SIZE) < DSN_WORD_SIZE);
    }
    need((dsn_verdict(&dsn) != NULL) == (dsn.count > 0));
    return 0;
}
