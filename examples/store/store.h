/* SPDX-License-Identifier: MIT */
/* What every part of the shop shares: its database, and Vouch as it was loaded and
 * opened. */
#ifndef SHOP_STORE_H
#define SHOP_STORE_H

#include "db.h"
#include "loader.h"

struct store {
    struct loader vouch;
    vouch *module;
    struct db *db;
    char url[64];       /* where the shop listens, http://127.0.0.1:8080 */
    const char *folder; /* where the catcher puts mails, borrowed */
};

#endif
