/* SPDX-License-Identifier: MIT */
/* application/x-www-form-urlencoded, as query or body: UTF-8 without NUL, bounded. */
#ifndef SHOP_FORM_H
#define SHOP_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { FORM_FIELDS = 64 };

struct form {
    char *words; /* owned: all names and values, decoded in place */
    size_t count;
    struct {
        const char *name;
        const char *value;
    } fields[FORM_FIELDS];
};

/* False, and an empty form, when it is too long, not UTF-8 or out of memory. */
bool form_read(struct form *form, const char *bytes, size_t length);
void form_free(struct form *form);

/* The first field of that name, "" when there is none; borrowed from the form. */
const char *form_get(const struct form *form, const char *name);
/* A whole number in the range, else `otherwise`. */
int form_number(const struct form *form, const char *name, int low, int high,
                int otherwise);

/* Decodes %XX (and + when `plus`) in place; returns the new length. */
size_t form_decode(char *words, size_t length, bool plus);

#endif
