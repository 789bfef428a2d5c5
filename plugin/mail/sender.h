/* SPDX-License-Identifier: MIT */
/* Who a mail is from, as the settings write it: "Name <address>" or an address. */
#ifndef MAIL_SENDER_H
#define MAIL_SENDER_H

#include "base/error.h"

struct sender {
    char *name, *address; /* the caller's, released with sender_free */
    const char *domain;   /* within address, or a stand-in where it is no ASCII */
};

/* 0, ERROR_INVALID when from is neither, or ERROR_FAILED; *sender is to be freed in any case. */
int sender_read(const char *from, const char *store_name, struct sender *sender);
void sender_free(struct sender *sender);

#endif
