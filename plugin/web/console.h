/* SPDX-License-Identifier: MIT */
/* The operator console: rows, not code. A page is a route, a row of console_pages, an SQL
   function that gives its data, page/console_NAME.html and the words page.console_NAME.*.
   A deed is a route, a row of console_deeds, an SQL function that carries it out. Both
   functions take (store, operator, role, fields as jsonb) and check the role again. */
#ifndef WEB_CONSOLE_H
#define WEB_CONSOLE_H

#include "web/exchange.h"

/* A GET: what the function says, dressed and rendered. Query fields are its fields; "id" is
   what stands in the route's braces. A function that answers NULL knows no such page. */
int console_show(struct exchange *x);
/* The same without the layout, for what is fetched into a page. */
int console_part(struct exchange *x);
/* A POST: the form's fields and "id" go to the function; then back to a page (303), with
   the members of the answer's "query" as its query. A field "address" becomes
   "address_key", a field "code" "code_hash": neither goes further than this. */
int console_do(struct exchange *x);
/* To /console/ with its slash. */
int console_enter(struct exchange *x);

#endif
