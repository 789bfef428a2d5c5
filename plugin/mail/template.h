/* SPDX-License-Identifier: MIT */
/* Mustache as its specification says, lambdas excepted. Values are data: what they hold is
   never parsed as a template. A compiled template is immutable and may be rendered by many
   threads at once. Absent, null, false, 0, "" and [] are false to a section; an object or a
   list prints as nothing. */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

enum {
    TEMPLATE_BYTES_MAX = 256 * 1024, /* of one template's text */
    TEMPLATE_NESTING_MAX = 32,       /* sections within sections, per template */
    TEMPLATE_PARTIALS_MAX = 8,       /* partials within partials */
    TEMPLATE_NAME_MAX = 127,
    TEMPLATE_INDENT_MAX = 256, /* indentation of partials within partials, in sum */
    TEMPLATE_STEPS_MAX =
        1000000 /* nodes visited and contexts searched in one rendering */
};

enum template_escape {
    TEMPLATE_HTML =
        1, /* & < > " ' become references; right in text and quoted attributes */
    TEMPLATE_TEXT = 2 /* as it is: plain text mails, subjects */
};

struct template;

/* The template of that name, borrowed until template_render returns; NULL renders nothing. */
typedef const struct template *template_partial(void *self, const char *name);

/* 0, or ERROR_INVALID with a sentence naming line and fault. text is copied; *t is the
   caller's, released with template_free; on failure *t is NULL. */
int template_compile(const char *text, size_t n, struct template **t,
                     struct error *error);
void template_free(struct template *t);

/* Appends to out. data is any JSON value, borrowed; partial may be NULL. On failure out holds
   a part of the text and is not to be used. */
int template_render(const struct template *t, const json_t *data,
                    enum template_escape escape, template_partial *partial, void *self,
                    struct buffer *out, struct error *error);

/* Adds to the object names every variable and section name of t itself (partials not
   followed), with the line where it stands first: {"store.name":3}. */
int template_names(const struct template *t, json_t *names);

#endif
