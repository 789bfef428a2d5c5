/* SPDX-License-Identifier: MIT */
/* The writers of untrusted text into each kind of place. Pure. There is one a place:
     HTML text and quoted attributes   the template engine, {{name}} (page.h)
     href, src                         escape_url, then {{name}}
     a query's value                   query_escape (query.h)
     XML text and quoted attributes    escape_xml
     JSON inside <script>              escape_script
     header fields                     header_set (header.h)
   Nothing is ever written into scripts, styles, comments or unquoted attributes. */
#ifndef WEB_ESCAPE_H
#define WEB_ESCAPE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/json.h"

/* text when it is an http or https address with a host and nothing a browser would trim,
   split or run; NULL otherwise, and for NULL. Borrowed. */
const char *escape_url(const char *text);
/* What XML 1.0 cannot hold is left out. */
void escape_xml(struct buffer *out, const char *text);
/* The value as JSON without markup and without the line ends that old parsers trip over. */
void escape_script(struct buffer *out, const json_t *value);

#endif
