/* SPDX-License-Identifier: MIT */
/* The catalogues plugin/locale/{en,es,pt,ar,fa,lv}.json: flat objects of texts, which may
 * hold {{mustache}}. Parsed once, at first use, never freed; safe from any thread. */
#ifndef BASE_LOCALE_H
#define BASE_LOCALE_H

#include "base/json.h"

/* The nearest of the six shipped, "en" at worst, also for NULL. Static. */
const char *locale_pick(const char *locale);
/* Borrowed for the life of the process, read only; the English one when that of locale
 * does not parse; NULL without memory. */
const json_t *locale_catalogue(const char *locale);
/* The text under key, in English when the catalogue lacks it, the key itself when all do.
 * Borrowed for the life of the process (or as long as key). */
const char *locale_text(const char *locale, const char *key);

#endif
