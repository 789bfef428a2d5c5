/* SPDX-License-Identifier: MIT */
/* The sender's two parts. */
#include "mail/sender.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"

static bool is_ascii(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

int sender_read(const char *from, const char *store_name, struct sender *sender) {
    memset(sender, 0, sizeof *sender);
    const char *open = strrchr(from, '<'), *close = strrchr(from, '>');
    const char *name = from, *end = open ? open : from;
    while (name < end && (*name == ' ' || *name == '"'))
        name++;
    while (end > name && (end[-1] == ' ' || end[-1] == '"'))
        end--;
    if (open && (!close || close < open || close[1] != '\0'))
        return ERROR_INVALID;
    sender->address =
        open ? memory_copy_n(open + 1, (size_t)(close - open - 1)) : memory_copy(from);
    sender->name =
        end > name ? memory_copy_n(name, (size_t)(end - name)) : memory_copy(store_name);
    if (!sender->address || !sender->name)
        return ERROR_FAILED;
    if (!address_valid(sender->address, strlen(sender->address)))
        return ERROR_INVALID;
    sender->domain = strrchr(sender->address, '@') + 1;
    if (!is_ascii(sender->domain))
        sender->domain = "vouch.invalid";
    return 0;
}

void sender_free(struct sender *sender) {
    memory_free(sender->name);
    memory_free(sender->address);
    memset(sender, 0, sizeof *sender);
}
