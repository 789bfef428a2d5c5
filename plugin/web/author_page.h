/* SPDX-License-Identifier: MIT */
/* The author's page as data (for author.c alone). */
#ifndef WEB_AUTHOR_PAGE_H
#define WEB_AUTHOR_PAGE_H

#include "web/entry.h"

enum author_notice {
    AUTHOR_NOTHING = 0,
    AUTHOR_SAVED = 1,
    AUTHOR_GONE = 2,
    AUTHOR_SAID = 3,
    AUTHOR_APPEALED = 4
};

/* view: what vouch.author_view gave. entry: a draft with faults, or NULL. */
int author_page(struct exchange *x, int status, const json_t *view,
                const struct entry *entry, enum author_notice notice);

#endif
