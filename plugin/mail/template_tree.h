/* SPDX-License-Identifier: MIT */
/* The compiled form, shared by template.c (writes it) and template_render.c (reads it): one
   flat array of nodes in source order; a section knows where it ends. Slices point into text. */
#ifndef MAIL_TEMPLATE_TREE_H
#define MAIL_TEMPLATE_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum template_kind {
    TEMPLATE_NODE_TEXT = 1,
    TEMPLATE_NODE_VALUE = 2,
    TEMPLATE_NODE_RAW = 3,
    TEMPLATE_NODE_SECTION = 4,
    TEMPLATE_NODE_INVERTED = 5,
    TEMPLATE_NODE_PARTIAL = 6
};

struct template_node {
    enum template_kind kind;
    bool
        starts_line; /* text: a line of the source begins here, indentation goes before */
    const char *text; /* the text, or the name */
    size_t length;
    const char *indent; /* partial alone on its line: the white space before it */
    size_t indent_length;
    size_t end; /* section: the first node behind it */
    size_t line;
};

struct template {
    char *text;
    struct template_node *nodes;
    size_t count, capacity;
};

#endif
