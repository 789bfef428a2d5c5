/* SPDX-License-Identifier: MIT */
/* Pages: a Mustache template of page/ inside the layout, the catalogue's words, nothing
   else. The template engine alone escapes. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "web/exchange.h"

/* The data every page starts with: store, lang, dir, root ("../" to the mount), t (filled
   by page_words). A new reference, NULL without memory. */
json_t *page_root(const struct exchange *x);
/* Adds the texts page.FAMILY.* to root's t, each filled in with root as its data: so call
   it after the data is there. 0 or -1. */
int page_words(const struct exchange *x, json_t *root, const char *family);
/* Adds one text under that name; data fills it in. */
int page_word(const struct exchange *x, json_t *object, const char *name, const char *key,
              const json_t *data);
/* The text as a string, a new reference; data may be NULL. NULL on failure. */
json_t *page_text(const struct exchange *x, const char *key, const json_t *data);
/* The same in another language than the page's: one of those shipped. */
json_t *page_text_in(const char *locale, const char *key, const json_t *data);
/* The text under PREFIX.CODE, for codes of the database; the code itself when unknown. */
json_t *page_code(const struct exchange *x, const char *prefix, const char *code);
/* "2026-11-21" of a time as the database writes it, in UTC; NULL when it is none. */
json_t *page_date(const json_t *time);
/* "../x/TOKEN": a link of ours as seen from this page. */
json_t *page_link(const struct exchange *x, const char *path, const char *token);

/* Renders the template in the layout. root is taken over. 0 or 500. */
int page_answer(struct exchange *x, int status, const char *name, json_t *root);
/* In another layout than everybody's: "console". */
int page_answer_in(struct exchange *x, int status, const char *layout, const char *name,
                   json_t *root);
/* The template alone, for output that others put into their pages. */
int page_fragment(struct exchange *x, int status, const char *name, json_t *root);
/* The page of an error: page.error.WHAT_title and page.error.WHAT. */
int page_error(struct exchange *x, int status, const char *what);

#endif
