/* SPDX-License-Identifier: MIT */
/* Renders a compiled template with an explicit stack of frames, so that the depth of the data
   or the template costs no C stack and the work has a stated bound. */
#include "mail/template.h"

#include <string.h>

#include "base/memory.h"
#include "mail/template_tree.h"

enum { FRAMES_MAX = (TEMPLATE_NESTING_MAX + 1) * (TEMPLATE_PARTIALS_MAX + 1) };

struct frame {
    const struct template *t;
    size_t next, end;      /* nodes still to come */
    const json_t *context; /* pushed by this frame, or NULL */
    const json_t *list;    /* iterated by this frame, or NULL */
    size_t index, body;
    size_t indent_from, indent_to; /* of the renderer's indent */
    bool partial;
};

struct render {
    struct frame frames[FRAMES_MAX];
    size_t depth, partials, steps;
    char indent[TEMPLATE_INDENT_MAX];
    enum template_escape escape;
    template_partial *partial;
    void *self;
    struct buffer *out;
    struct error *error;
};

static void put_html(struct buffer *out, const char *s, size_t n) {
    static const char special[] = "&<>\"'";
    static const char *const reference[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        const char *hit = memchr(special, s[i], sizeof special - 1);
        if (!hit)
            continue;
        buffer_append(out, s + from, i - from);
        buffer_text(out, reference[hit - special]);
        from = i + 1;
    }
    buffer_append(out, s + from, n - from);
}

static void put_string(struct render *r, const char *s, size_t n, bool raw) {
    if (raw || r->escape == TEMPLATE_TEXT)
        buffer_append(r->out, s, n);
    else
        put_html(r->out, s, n);
}

static bool is_false(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return true;
    case JSON_STRING:
        return json_string_length(value) == 0;
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_ARRAY:
        return json_array_size(value) == 0;
    case JSON_REAL:
        return !(json_real_value(value) < 0 || json_real_value(value) > 0);
    case JSON_OBJECT:
    case JSON_TRUE:
        break;
    }
    return false;
}

/* The first part of a name is searched through the stack of contexts, innermost first. */
static const json_t *find_first(struct render *r, const char *name, size_t n) {
    for (size_t i = r->depth; i-- > 0;) {
        const json_t *found;
        if (!r->frames[i].context)
            continue;
        r->steps++;
        found = json_object_getn(r->frames[i].context, name, n);
        if (found)
            return found;
    }
    return NULL;
}

static const json_t *find_top(const struct render *r) {
    for (size_t i = r->depth; i-- > 0;)
        if (r->frames[i].context)
            return r->frames[i].context;
    return NULL;
}

static const json_t *find_value(struct render *r, const char *name, size_t n) {
    const char *end = name + n;
    const char *dot = memchr(name, '.', n);
    const json_t *value;
    if (n == 1 && dot)
        return find_top(r);
    value = find_first(r, name, dot ? (size_t)(dot - name) : n);
    while (value && dot) {
        const char *part = dot + 1;
        dot = memchr(part, '.', (size_t)(end - part));
        value = json_object_getn(value, part, (size_t)((dot ? dot : end) - part));
    }
    return value;
}

static void put_value(struct render *r, const struct template_node *node) {
    const json_t *value = find_value(r, node->text, node->length);
    bool raw = node->kind == TEMPLATE_NODE_RAW;
    char number[64];
    if (json_is_string(value))
        put_string(r, json_string_value(value), json_string_length(value), raw);
    else if (json_is_boolean(value))
        buffer_text(r->out, json_is_true(value) ? "true" : "false");
    else if (json_is_number(value)) {
        size_t n = json_dumpb(value, number, sizeof number,
                              JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        buffer_append(r->out, number, n <= sizeof number ? n : 0);
    }
}

/* Nesting and partials are bounded before, so a frame is always free. */
static struct frame *push(struct render *r, const struct frame *like) {
    struct frame *frame = &r->frames[r->depth++];
    *frame = *like;
    frame->context = frame->list = NULL;
    frame->index = 0;
    frame->partial = false;
    return frame;
}

static void enter_section(struct render *r, const struct template_node *node, size_t at) {
    const json_t *value = find_value(r, node->text, node->length);
    bool truth = value && !is_false(value);
    const struct frame *top = &r->frames[r->depth - 1];
    struct frame *frame;
    if (truth != (node->kind == TEMPLATE_NODE_SECTION))
        return;
    frame = push(r, top);
    frame->next = frame->body = at + 1;
    frame->end = node->end;
    if (!truth)
        return;
    frame->list = json_is_array(value) ? value : NULL;
    frame->context = frame->list ? json_array_get(value, 0) : value;
}

static int enter_partial(struct render *r, const struct template_node *node) {
    char name[TEMPLATE_NAME_MAX + 1];
    const struct frame *top = &r->frames[r->depth - 1];
    const struct template *t;
    struct frame *frame;
    size_t indent = node->indent ? top->indent_to : 0;

    memcpy(name, node->text, node->length);
    name[node->length] = '\0';
    t = r->partial ? r->partial(r->self, name) : NULL;
    if (!t)
        return 0;
    if (r->partials == TEMPLATE_PARTIALS_MAX)
        return error_set(r->error, ERROR_INVALID, "", "line %zu: {{>%s}} nests too deep",
                         node->line, name);
    if (indent + node->indent_length > sizeof r->indent)
        return error_set(r->error, ERROR_INVALID, "",
                         "line %zu: {{>%s}} is indented too far", node->line, name);
    frame = push(r, top);
    frame->t = t;
    frame->next = 0;
    frame->end = t->count;
    frame->partial = true;
    r->partials++;
    if (!node->indent)
        frame->indent_from = frame->indent_to;
    else if (node->indent_length)
        memcpy(r->indent + indent, node->indent, node->indent_length);
    frame->indent_to += node->indent ? node->indent_length : 0;
    return 0;
}

/* Indentation belongs to the lines of the template, never to lines within a value. */
static void put_text(struct render *r, const struct template_node *node) {
    const struct frame *top = &r->frames[r->depth - 1];
    const char *at = node->text;
    const char *end = at + node->length;
    const char *indent = r->indent + top->indent_from;
    size_t indent_length = top->indent_to - top->indent_from;

    if (indent_length == 0) {
        buffer_append(r->out, at, node->length);
        return;
    }
    if (node->starts_line)
        buffer_append(r->out, indent, indent_length);
    while (at < end) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        const char *to = line ? line + 1 : end;
        buffer_append(r->out, at, (size_t)(to - at));
        at = to;
        if (at < end)
            buffer_append(r->out, indent, indent_length);
    }
}

static int visit(struct render *r) {
    struct frame *top = &r->frames[r->depth - 1];
    size_t at = top->next++;
    const struct template_node *node = &top->t->nodes[at];
    switch (node->kind) {
    case TEMPLATE_NODE_TEXT:
        put_text(r, node);
        break;
    case TEMPLATE_NODE_VALUE:
    case TEMPLATE_NODE_RAW:
        put_value(r, node);
        break;
    case TEMPLATE_NODE_SECTION:
    case TEMPLATE_NODE_INVERTED:
        top->next = node->end;
        enter_section(r, node, at);
        break;
    case TEMPLATE_NODE_PARTIAL:
        return enter_partial(r, node);
    }
    return 0;
}

/* At the end of a frame: the list's next element, or back to the frame below. */
static void leave(struct render *r) {
    struct frame *top = &r->frames[r->depth - 1];
    if (top->list && top->index + 1 < json_array_size(top->list)) {
        top->context = json_array_get(top->list, ++top->index);
        top->next = top->body;
        return;
    }
    r->partials -= top->partial ? 1 : 0;
    r->depth--;
}

static int render_all(struct render *r) {
    int rc = 0;
    while (!rc && r->depth) {
        const struct frame *top = &r->frames[r->depth - 1];
        if (++r->steps > TEMPLATE_STEPS_MAX)
            return error_set(r->error, ERROR_INVALID, "",
                             "the template repeats too much");
        if (top->next < top->end)
            rc = visit(r);
        else
            leave(r);
        if (!rc && r->out->failed)
            return error_set(r->error, ERROR_INVALID, "", "the text exceeds %zu bytes",
                             r->out->limit);
    }
    return rc;
}

int template_render(const struct template *t, const json_t *data,
                    enum template_escape escape, template_partial *partial, void *self,
                    struct buffer *out, struct error *error) {
    struct render *r = memory_zero(1, sizeof *r);
    int rc;
    if (!r)
        return error_set(error, ERROR_FAILED, "", "out of memory");
    r->escape = escape;
    r->partial = partial;
    r->self = self;
    r->out = out;
    r->error = error;
    r->frames[0] = (struct frame){.t = t, .end = t->count, .context = data};
    r->depth = 1;
    rc = render_all(r);
    memory_free(r);
    return rc;
}
