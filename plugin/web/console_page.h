/* SPDX-License-Identifier: MIT */
/* The tables of the console's pages and deeds, and what all its pages share. */
#ifndef WEB_CONSOLE_PAGE_H
#define WEB_CONSOLE_PAGE_H

#include "web/exchange.h"

struct console_page {
    const char *pattern; /* its route */
    const char *name;    /* page/console_NAME.html, words page.console_NAME.* */
    const char *sql;     /* its data, one jsonb object */
    const char *nav;     /* its entry of the menu, page.console.nav_NAV */
};

struct console_deed {
    const char *pattern; /* its route */
    const char *name;    /* csrf.NAME in the templates */
    const char *sql;
    const char *back; /* where to go then, below /console/ */
    bool same;        /* and there to the page of the same id */
};

extern const struct console_page console_pages[];
extern const size_t console_page_count;
extern const struct console_deed console_deeds[];
extern const size_t console_deed_count;

/* NULL when the route has no such row. */
const struct console_page *console_page_of(const struct route *route);
const struct console_deed *console_deed_of(const struct route *route);

/* Adds what every page of the console shows around its own: menu, operator, what he may
   do, tokens for the deeds, the notice of the deed before. root is borrowed. 0 or -1. */
int console_frame(const struct exchange *x, json_t *root, const char *nav);
/* The page of a deed or a question that was refused: what the database said. 0 or 500. */
int console_problem(struct exchange *x, int status, const struct error *error);

#endif
