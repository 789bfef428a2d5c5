/* SPDX-License-Identifier: MIT */
/* Where a page of a list ended: a time and an id, opaque to whoever carries it. Pure. */
#ifndef WEB_CURSOR_H
#define WEB_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct cursor {
    int64_t at_us, id;
};

/* False for anything that cursor_write did not give. */
bool cursor_read(const char *text, struct cursor *cursor);
/* Of a row's members: a time as the database writes it and an integer. A new reference to
   a string; NULL when they are none. */
json_t *cursor_write(const json_t *row, const char *time, const char *id);
/* Digits alone, at most that many; -1 for anything else. */
int64_t cursor_number(const char *text, size_t most);

#endif
