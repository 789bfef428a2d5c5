/* SPDX-License-Identifier: MIT */
/* Compiles Mustache in one pass over the text. What Mustache leaves to the implementation is
   refused here, with the line: a tag or section never closed, a name that is none. */
#include "mail/template.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "mail/template_tree.h"

enum { DELIMITER_MAX = 16 };

struct delimiter {
    char text[DELIMITER_MAX +
              1]; /* room for the } of {{{ }}} or the = of {{= =}} before it */
    size_t length;
};

struct compiler {
    struct template *t;
    const char *at, *end;
    struct delimiter open, close;
    size_t stack[TEMPLATE_NESTING_MAX]; /* the open sections' nodes */
    size_t depth;
    const char *counted; /* lines are counted up to here */
    size_t line;
    bool fresh; /* `at` is the beginning of a line of the source */
    struct error *error;
};

struct tag {
    char sigil; /* 0 for a plain variable */
    const char *start, *name, *after;
    size_t length;
    const char *line_start; /* alone on its line: where the line begins; else NULL */
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_space(char c) {
    return is_blank(c) || c == '\n' || c == '\r';
}

static const char *find(const char *from, const char *end, const struct delimiter *what) {
    return memmem(from, (size_t)(end - from), what->text, what->length);
}

static size_t line_of(struct compiler *c, const char *place) {
    for (; c->counted < place; c->counted++)
        if (*c->counted == '\n')
            c->line++;
    return c->line;
}

static int refuse(struct compiler *c, const struct tag *tag, const char *what) {
    size_t shown = tag->length > 60 ? 60 : tag->length;
    char sigil[2] = {tag->sigil, '\0'};
    return error_set(c->error, ERROR_INVALID, "", "line %zu: {{%s%.*s}} %s",
                     line_of(c, tag->start), sigil, (int)shown, tag->name, what);
}

static int add_node(struct compiler *c, const struct template_node *node) {
    struct template *t = c->t;
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 32;
        void *grown = memory_grow(t->nodes, capacity * sizeof *t->nodes);
        if (!grown)
            return error_set(c->error, ERROR_FAILED, "", "out of memory");
        t->nodes = grown;
        t->capacity = capacity;
    }
    t->nodes[t->count++] = *node;
    return 0;
}

static int add_text(struct compiler *c, const char *from, const char *to) {
    struct template_node node = {.kind = TEMPLATE_NODE_TEXT,
                                 .starts_line = c->fresh,
                                 .text = from,
                                 .length = (size_t)(to - from)};
    if (node.length == 0)
        return 0;
    c->fresh = to[-1] == '\n';
    return add_node(c, &node);
}

/* A line that begins with a tag begins with an empty text: the place for indentation. */
static int add_line_start(struct compiler *c, const char *place) {
    struct template_node node = {
        .kind = TEMPLATE_NODE_TEXT, .starts_line = true, .text = place};
    if (!c->fresh)
        return 0;
    c->fresh = false;
    return add_node(c, &node);
}

/* Sets line_start and moves after behind the line break when nothing but blanks share the
   line with the tag. */
static void see_alone(const struct compiler *c, struct tag *tag) {
    const char *before = tag->start;
    const char *after = tag->after;
    while (before > c->at && is_blank(before[-1]))
        before--;
    if (before > c->at ? before[-1] != '\n' : !c->fresh)
        return;
    while (after < c->end && is_blank(*after))
        after++;
    if (after + 1 < c->end && after[0] == '\r' && after[1] == '\n')
        after++;
    if (after < c->end && *after != '\n')
        return;
    tag->after = after < c->end ? after + 1 : after;
    tag->line_start = before;
}

static void trim(struct tag *tag, const char *end) {
    while (tag->name < end && is_space(*tag->name))
        tag->name++;
    while (end > tag->name && is_space(end[-1]))
        end--;
    tag->length = (size_t)(end - tag->name);
}

/* Reads the tag at tag->start: its sigil, its trimmed content, its end. */
static int read_tag(struct compiler *c, struct tag *tag) {
    const char *inner = tag->start + c->open.length;
    struct delimiter closing = {.length = 0};
    const char *stop;

    tag->name = inner;
    if (inner < c->end && memchr("#^/>!&{=", *inner, 8))
        tag->sigil = *tag->name++;
    if (tag->sigil == '{')
        closing.text[closing.length++] = '}';
    if (tag->sigil == '=')
        closing.text[closing.length++] = '=';
    memcpy(closing.text + closing.length, c->close.text, c->close.length);
    closing.length += c->close.length;
    stop = find(tag->name, c->end, &closing);
    if (!stop)
        return error_set(c->error, ERROR_INVALID, "", "line %zu: the tag is never closed",
                         line_of(c, tag->start));
    trim(tag, stop);
    tag->after = stop + closing.length;
    if (tag->sigil && memchr("#^/>!=", tag->sigil, 6))
        see_alone(c, tag);
    return 0;
}

static int check_name(struct compiler *c, const struct tag *tag) {
    if (tag->length == 0)
        return refuse(c, tag, "names nothing");
    if (tag->length > TEMPLATE_NAME_MAX)
        return refuse(c, tag, "is too long a name");
    for (size_t i = 0; i < tag->length; i++)
        if (is_space(tag->name[i]) || tag->name[i] == '\0')
            return refuse(c, tag, "is no name: white space within");
    return 0;
}

static bool set_delimiter(struct delimiter *d, const char *from, const char *to) {
    size_t n = (size_t)(to - from);
    if (n == 0 || n >= DELIMITER_MAX || memchr(from, '=', n) || memchr(from, '\0', n))
        return false;
    memcpy(d->text, from, n);
    d->length = n;
    return true;
}

static int take_delimiters(struct compiler *c, const struct tag *tag) {
    const char *end = tag->name + tag->length;
    const char *gap = tag->name;
    const char *second;
    while (gap < end && !is_space(*gap))
        gap++;
    second = gap;
    while (second < end && is_space(*second))
        second++;
    for (const char *p = second; p < end; p++)
        if (is_space(*p))
            return refuse(c, tag, "needs two delimiters");
    if (!set_delimiter(&c->open, tag->name, gap) ||
        !set_delimiter(&c->close, second, end))
        return refuse(c, tag, "needs two delimiters of 1 to 15 bytes without =");
    return 0;
}

static int open_section(struct compiler *c, const struct tag *tag,
                        struct template_node *node) {
    if (c->depth == TEMPLATE_NESTING_MAX)
        return refuse(c, tag, "nests too deep");
    c->stack[c->depth++] = c->t->count;
    return add_node(c, node);
}

static int close_section(struct compiler *c, const struct tag *tag) {
    struct template_node *open;
    if (c->depth == 0)
        return refuse(c, tag, "closes what was never opened");
    open = &c->t->nodes[c->stack[c->depth - 1]];
    if (open->length != tag->length || memcmp(open->text, tag->name, tag->length) != 0)
        return error_set(
            c->error, ERROR_INVALID, "",
            "line %zu: {{/%.*s}} where {{/%.*s}} is due (opened on line %zu)",
            line_of(c, tag->start), (int)tag->length, tag->name, (int)open->length,
            open->text, open->line);
    open->end = c->t->count;
    c->depth--;
    return 0;
}

static int take_named(struct compiler *c, const struct tag *tag) {
    static const char sigils[] = {'&', '{', '#', '^', '>'};
    static const enum template_kind kinds[] = {
        TEMPLATE_NODE_RAW, TEMPLATE_NODE_RAW, TEMPLATE_NODE_SECTION,
        TEMPLATE_NODE_INVERTED, TEMPLATE_NODE_PARTIAL};
    struct template_node node = {.kind = TEMPLATE_NODE_VALUE,
                                 .text = tag->name,
                                 .length = tag->length,
                                 .line = line_of(c, tag->start)};
    const char *known = tag->sigil ? memchr(sigils, tag->sigil, sizeof sigils) : NULL;
    if (known)
        node.kind = kinds[known - sigils];
    if (node.kind == TEMPLATE_NODE_PARTIAL && tag->line_start) {
        node.indent = tag->line_start;
        node.indent_length = (size_t)(tag->start - tag->line_start);
    }
    if (node.kind == TEMPLATE_NODE_SECTION || node.kind == TEMPLATE_NODE_INVERTED)
        return open_section(c, tag, &node);
    return add_node(c, &node);
}

static int take_tag(struct compiler *c, const char *start) {
    struct tag tag = {.start = start};
    int rc = read_tag(c, &tag);
    if (rc)
        return rc;
    rc = add_text(c, c->at, tag.line_start ? tag.line_start : start);
    if (!rc && !tag.line_start)
        rc = add_line_start(c, start);
    if (!rc && tag.sigil == '=')
        rc = take_delimiters(c, &tag);
    else if (!rc && tag.sigil != '!') {
        rc = check_name(c, &tag);
        if (!rc)
            rc = tag.sigil == '/' ? close_section(c, &tag) : take_named(c, &tag);
    }
    c->fresh = tag.line_start != NULL;
    c->at = tag.after;
    return rc;
}

static int compile_all(struct compiler *c) {
    int rc = 0;
    while (!rc && c->at < c->end) {
        const char *start = find(c->at, c->end, &c->open);
        if (start) {
            rc = take_tag(c, start);
        } else {
            rc = add_text(c, c->at, c->end);
            c->at = c->end;
        }
    }
    if (!rc && c->depth) {
        const struct template_node *open = &c->t->nodes[c->stack[c->depth - 1]];
        rc =
            error_set(c->error, ERROR_INVALID, "", "line %zu: {{%c%.*s}} is never closed",
                      open->line, open->kind == TEMPLATE_NODE_SECTION ? '#' : '^',
                      (int)open->length, open->text);
    }
    return rc;
}

int template_compile(const char *text, size_t n, struct template **t,
                     struct error *error) {
    struct compiler c = {
        .open = {"{{", 2}, .close = {"}}", 2}, .line = 1, .fresh = true, .error = error};
    int rc;

    *t = NULL;
    if (n > TEMPLATE_BYTES_MAX)
        return error_set(error, ERROR_INVALID, "", "a template holds at most %d bytes",
                         TEMPLATE_BYTES_MAX);
    c.t = memory_zero(1, sizeof *c.t);
    if (c.t)
        c.t->text = memory_copy_n(text, n);
    if (!c.t || !c.t->text) {
        template_free(c.t);
        return error_set(error, ERROR_FAILED, "", "out of memory");
    }
    c.at = c.counted = c.t->text;
    c.end = c.at + n;
    rc = compile_all(&c);
    if (rc)
        template_free(c.t);
    else
        *t = c.t;
    return rc;
}

void template_free(struct template *t) {
    if (!t)
        return;
    memory_free(t->nodes);
    memory_free(t->text);
    memory_free(t);
}

int template_names(const struct template *t, json_t *names) {
    for (size_t i = 0; i < t->count; i++) {
        const struct template_node *node = &t->nodes[i];
        if (node->kind == TEMPLATE_NODE_TEXT || node->kind == TEMPLATE_NODE_PARTIAL)
            continue;
        if (json_object_getn(names, node->text, node->length))
            continue;
        if (json_object_setn_new(names, node->text, node->length,
                                 json_integer((json_int_t)node->line)))
            return ERROR_FAILED;
    }
    return 0;
}
