/* SPDX-License-Identifier: MIT */
/* All page templates compiled, and the names of the style sheets: kept with a settings
   snapshot, or made for one answer while there is none. Immutable. */
#ifndef WEB_SET_H
#define WEB_SET_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "settings.h"

enum { PAGE_SET_MOST = 128 };

struct page_set;

/* *set is borrowed from settings, or, with settings NULL, from *own, which is the caller's.
   0 or ERROR_FAILED. */
int page_set_get(struct settings *settings, const struct page_set **set,
                 struct page_set **own);
void page_set_free(struct page_set *set);
/* The template outer, in which {{>body}} is the template inner. */
int page_set_render(const struct page_set *set, const char *outer, const char *inner,
                    const json_t *root, struct buffer *out, struct error *error);
/* The public name of a style sheet, "vouch.1a2b3c4d5e6f.css". Borrowed. */
const char *page_set_style(const struct page_set *set, size_t index);

#endif
