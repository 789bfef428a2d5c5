/* SPDX-License-Identifier: MIT */
/* Many keys found in one pass (Aho-Corasick), kept as a double array: 16 bytes a state and
   little more states than letters in the keys. Immutable once built; any thread may read. */
#ifndef VOUCH_MODERATION_AUTOMATON_H
#define VOUCH_MODERATION_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUTOMATON_ROOT = 0, AUTOMATON_NONE = -1, AUTOMATON_KEY_MAX = 255 };

struct automaton_key {
    const char *text; /* borrowed while building */
    size_t length;    /* 1..AUTOMATON_KEY_MAX */
    uint32_t id;      /* what an output names */
};

struct automaton_state {
    int32_t base;  /* child by code c is state base + c */
    int32_t check; /* its parent, AUTOMATON_NONE when unused */
    int32_t fail;
    int32_t output; /* first of a chain, AUTOMATON_NONE when no key ends here */
};

struct automaton_output {
    uint32_t id;
    int32_t next; /* shorter keys that end here too */
};

struct automaton {
    struct automaton_state *states;
    size_t state_count;
    struct automaton_output *outputs;
    size_t output_count;
    uint8_t *child;   /* per state: code of its first child, 0 when none */
    uint8_t *sibling; /* per state: code of its parent's next child, 0 when none */
    uint8_t code[256];
    uint8_t letter[256]; /* the byte of a code */
};

/* Sorts keys in place. 0, or ERROR_FAILED without memory. Release with automaton_free. */
int automaton_build(struct automaton_key *keys, size_t count, struct automaton *out);
void automaton_free(struct automaton *a);
size_t automaton_bytes(const struct automaton *a);

/* The child of state by byte, or AUTOMATON_NONE: a walk along one key. */
static inline int32_t automaton_child(const struct automaton *a, int32_t state,
                                      unsigned char byte) {
    int32_t next = a->states[state].base + a->code[byte];
    return a->code[byte] && a->states[next].check == state ? next : AUTOMATON_NONE;
}

/* The state after byte: the longest beginning of a key that the text ends with. */
static inline int32_t automaton_step(const struct automaton *a, int32_t state,
                                     unsigned char byte) {
    const struct automaton_state *states = a->states;
    int32_t code = a->code[byte];
    if (code == 0) {
        return AUTOMATON_ROOT;
    }
    for (;;) {
        int32_t next = states[state].base + code;
        if (states[next].check == state) {
            return next;
        }
        if (state == AUTOMATON_ROOT) {
            return AUTOMATON_ROOT;
        }
        state = states[state].fail;
    }
}

#endif
