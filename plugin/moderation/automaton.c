/* SPDX-License-Identifier: MIT */
/* Builds the double array level by level, so that every fail link points to a finished state. */
#include "moderation/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { CODES = 256, SEARCH_MAX = 100 };

/* A state whose children are still to be placed: keys[low..high) share its beginning. */
struct task {
    size_t low, high;
    int32_t state;
    uint32_t depth;
};

struct builder {
    struct automaton *a;
    const struct automaton_key *keys;
    struct task *tasks;
    size_t task_count, task_room;
    size_t used_until; /* one past the last used state */
    int32_t first_free, last_free;
};

struct children {
    size_t count;
    uint8_t codes[CODES];
    size_t low[CODES + 1]; /* keys of child i: low[i]..low[i + 1] */
};

static int key_order(const void *left, const void *right) {
    const struct automaton_key *a = left, *b = right;
    size_t n = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, n);
    if (order) {
        return order;
    }
    return a->length < b->length ? -1 : a->length > b->length;
}

/* Makes room for states below `need`, and for one child of each kind behind them. */
static int states_need(struct automaton *a, size_t need) {
    need += CODES;
    if (need <= a->state_count) {
        return ERROR_NONE;
    }
    size_t count = need + need / 2;
    struct automaton_state *states = memory_grow(a->states, count * sizeof *states);
    a->states = states ? states : a->states;
    uint8_t *child = memory_grow(a->child, count);
    a->child = child ? child : a->child;
    uint8_t *sibling = memory_grow(a->sibling, count);
    a->sibling = sibling ? sibling : a->sibling;
    if (!states || !child || !sibling) {
        return ERROR_FAILED;
    }
    for (size_t i = a->state_count; i < count; i++) {
        states[i] =
            (struct automaton_state){0, AUTOMATON_NONE, AUTOMATON_ROOT, AUTOMATON_NONE};
    }
    memset(child + a->state_count, 0, count - a->state_count);
    memset(sibling + a->state_count, 0, count - a->state_count);
    a->state_count = count;
    return ERROR_NONE;
}

static int task_add(struct builder *b, struct task task) {
    if (b->task_count == b->task_room) {
        size_t room = b->task_room ? 2 * b->task_room : 1024;
        struct task *tasks = memory_grow(b->tasks, room * sizeof *tasks);
        if (!tasks) {
            return ERROR_FAILED;
        }
        b->tasks = tasks;
        b->task_room = room;
    }
    b->tasks[b->task_count++] = task;
    return ERROR_NONE;
}

static void children_find(const struct builder *b, const struct task *t,
                          struct children *out) {
    out->count = 0;
    for (size_t i = t->low; i < t->high; i++) {
        const struct automaton_key *key = &b->keys[i];
        if (key->length <= t->depth) {
            continue;
        }
        uint8_t code = b->a->code[(unsigned char)key->text[t->depth]];
        if (out->count == 0 || out->codes[out->count - 1] != code) {
            out->codes[out->count] = code;
            out->low[out->count++] = i;
        }
    }
    out->low[out->count] = t->high;
}

/* Unused states are a list in order of number: next in base, previous in fail. */
static void free_append(struct builder *b, size_t from, size_t until) {
    struct automaton_state *states = b->a->states;
    for (size_t i = from; i < until; i++) {
        states[i].base = 0;
        states[i].fail = b->last_free;
        if (b->last_free) {
            states[b->last_free].base = (int32_t)i;
        } else {
            b->first_free = (int32_t)i;
        }
        b->last_free = (int32_t)i;
    }
}

static void free_take(struct builder *b, size_t state) {
    struct automaton_state *states = b->a->states;
    int32_t next = states[state].base, before = states[state].fail;
    if (before) {
        states[before].base = next;
    } else {
        b->first_free = next;
    }
    if (next) {
        states[next].fail = before;
    } else {
        b->last_free = before;
    }
    states[state].base = 0;
    states[state].fail = AUTOMATON_ROOT;
}

static bool fits(const struct automaton *a, size_t base, const struct children *c) {
    for (size_t i = 0; i < c->count; i++) {
        if (a->states[base + c->codes[i]].check != AUTOMATON_NONE) {
            return false;
        }
    }
    return true;
}

/* Room for 2 * CODES states behind the last used one. */
static int room_make(struct builder *b) {
    size_t before = b->a->state_count;
    if (states_need(b->a, b->used_until + 2 * CODES)) {
        return ERROR_FAILED;
    }
    free_append(b, before, b->a->state_count);
    return ERROR_NONE;
}

/* A base at which all children find unused states; 0 without memory. */
static size_t place(struct builder *b, const struct children *c) {
    struct automaton *a = b->a;
    size_t first = c->codes[0];
    if (room_make(b)) {
        return 0;
    }
    int tries = 0;
    for (int32_t at = b->first_free; at && tries < SEARCH_MAX; at = a->states[at].base) {
        if ((size_t)at > first && (size_t)at < b->used_until + CODES) {
            tries++;
            if (fits(a, (size_t)at - first, c)) {
                return (size_t)at - first;
            }
        }
    }
    return b->used_until > first ? b->used_until - first : 1;
}

static int32_t fail_of(const struct automaton *a, int32_t parent, unsigned char byte) {
    return parent == AUTOMATON_ROOT ? AUTOMATON_ROOT
                                    : automaton_step(a, a->states[parent].fail, byte);
}

static void states_link(struct builder *b, const struct task *t, size_t base,
                        const struct children *c) {
    struct automaton *a = b->a;
    a->states[t->state].base = (int32_t)base;
    a->child[t->state] = c->codes[0];
    for (size_t i = 0; i < c->count; i++) {
        size_t state = base + c->codes[i];
        free_take(b, state);
        a->states[state].check = t->state;
        a->sibling[state] = i + 1 < c->count ? c->codes[i + 1] : 0;
        b->used_until = state + 1 > b->used_until ? state + 1 : b->used_until;
    }
}

/* The keys that end in state (they come first among its own), then those of its fail state. */
static void outputs_link(struct builder *b, int32_t state, size_t low, size_t high,
                         size_t depth) {
    struct automaton *a = b->a;
    int32_t chain = a->states[a->states[state].fail].output;
    for (size_t i = low; i < high && b->keys[i].length == depth; i++) {
        struct automaton_output *out = &a->outputs[a->output_count];
        *out = (struct automaton_output){b->keys[i].id, chain};
        chain = (int32_t)a->output_count++;
    }
    a->states[state].output = chain;
}

static int expand(struct builder *b, const struct task *t, struct children *c) {
    children_find(b, t, c);
    if (c->count == 0) {
        return ERROR_NONE;
    }
    size_t base = place(b, c);
    if (base == 0) {
        return ERROR_FAILED;
    }
    int32_t fails[CODES];
    for (size_t i = 0; i < c->count; i++) {
        fails[i] = fail_of(b->a, t->state, b->a->letter[c->codes[i]]);
    }
    states_link(b, t, base, c);
    for (size_t i = 0; i < c->count; i++) {
        int32_t state = (int32_t)(base + c->codes[i]);
        b->a->states[state].fail = fails[i];
        outputs_link(b, state, c->low[i], c->low[i + 1], t->depth + 1);
        struct task next = {c->low[i], c->low[i + 1], state, t->depth + 1};
        if (task_add(b, next)) {
            return ERROR_FAILED;
        }
    }
    return ERROR_NONE;
}

/* Codes are given in the order of bytes, so that sorted keys have sorted children. */
static void codes_give(struct automaton *a, const struct automaton_key *keys,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < keys[i].length; j++) {
            a->code[(unsigned char)keys[i].text[j]] = 1;
        }
    }
    uint8_t next = 1;
    for (unsigned byte = 1; byte < 256; byte++) {
        if (a->code[byte]) {
            a->letter[next] = (uint8_t)byte;
            a->code[byte] = next++;
        }
    }
}

/* Gives back what growing by halves took too much. Unused states keep their list: nobody's check
   leads there. */
static void trim(struct automaton *a, size_t used) {
    size_t count = used + CODES;
    if (count >= a->state_count) {
        return;
    }
    struct automaton_state *states = memory_grow(a->states, count * sizeof *states);
    a->states = states ? states : a->states;
    uint8_t *child = memory_grow(a->child, count);
    a->child = child ? child : a->child;
    uint8_t *sibling = memory_grow(a->sibling, count);
    a->sibling = sibling ? sibling : a->sibling;
    a->state_count = count;
}

int automaton_build(struct automaton_key *keys, size_t count, struct automaton *out) {
    memset(out, 0, sizeof *out);
    struct builder b = {.a = out, .keys = keys, .used_until = 1};
    struct children *children = memory_get(sizeof *children);
    int result = ERROR_FAILED;
    out->outputs = memory_get((count + 1) * sizeof *out->outputs);
    if (!children || !out->outputs || states_need(out, 2 * CODES)) {
        goto out;
    }
    free_append(&b, 1, out->state_count);
    if (count > 1) {
        qsort(keys, count, sizeof *keys, key_order);
    }
    codes_give(out, keys, count);
    out->states[AUTOMATON_ROOT].check = AUTOMATON_ROOT;
    if (task_add(&b, (struct task){0, count, AUTOMATON_ROOT, 0})) {
        goto out;
    }
    for (size_t i = 0; i < b.task_count; i++) {
        struct task task = b.tasks[i];
        if (expand(&b, &task, children)) {
            goto out;
        }
    }
    trim(out, b.used_until);
    result = ERROR_NONE;
out:
    memory_free(children);
    memory_free(b.tasks);
    return result;
}

void automaton_free(struct automaton *a) {
    memory_free(a->states);
    memory_free(a->outputs);
    memory_free(a->child);
    memory_free(a->sibling);
    memset(a, 0, sizeof *a);
}

size_t automaton_bytes(const struct automaton *a) {
    return a->state_count * (sizeof *a->states + 2) +
           a->output_count * sizeof *a->outputs;
}
