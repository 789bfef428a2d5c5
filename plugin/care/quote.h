/* SPDX-License-Identifier: MIT */
/* What somebody wrote in answer to a mail: without the mail it answers and without signatures,
   as mail programs in en es pt ar fa lv put them. Pure; linear but for a few lines of context. */
#ifndef CARE_QUOTE_H
#define CARE_QUOTE_H

#include <stddef.h>

enum { QUOTE_TEXT_MAX = 1 << 20 };

/* The answer alone, lines ending in LF, blank lines at both ends cut; "" when there is nothing
   but quotes. Lines quoted in between (">") go, what stands between them stays. The caller's,
   memory_free; NULL without memory or beyond QUOTE_TEXT_MAX. */
char *quote_cut(const char *text, size_t n);

#endif
