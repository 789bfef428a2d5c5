/* SPDX-License-Identifier: MIT */
/* What vouchctl check found: said line by line, or as JSON at the end. */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

enum finding_level { FINDING_OK = 0, FINDING_WARNING = 1, FINDING_PROBLEM = 2 };

struct findings {
    bool json;
    const char *store; /* whom the findings are about; NULL: the installation */
    size_t count[3];   /* by level */
    json_t *list;
};

/* mend: how to mend it, NULL for what is well; a :store in it becomes the store's name in
 * quotes. */
void findings_add(struct findings *f, enum finding_level level, const char *mend,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Says the sum, or all as JSON, and frees. True when nothing is a problem. */
bool findings_end(struct findings *f);

#endif
