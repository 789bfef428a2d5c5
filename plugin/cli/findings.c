/* SPDX-License-Identifier: MIT */
/* What vouchctl check found: said line by line, or as JSON at the end. */
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "print.h"

enum { FINDING_MOST_BYTES = 1024 };

static const char *const levels[] = {"ok", "warning", "problem"};

static void findings_mend(const struct findings *f, const char *mend,
                          struct buffer *out) {
    const char *at;

    while (f->store && (at = strstr(mend, ":store"))) {
        buffer_append(out, mend, (size_t)(at - mend));
        buffer_format(out, "'%s'", f->store);
        mend = at + strlen(":store");
    }
    buffer_text(out, mend);
}

static void findings_keep(struct findings *f, enum finding_level level, const char *what,
                          const char *mend) {
    json_t *finding = json_pack("{s:s, s:s, s:s*, s:s*}", "level", levels[level], "what",
                                what, "mend", mend, "store", f->store);

    f->list = f->list ? f->list : json_array();
    json_array_append_new(f->list, finding);
}

void findings_add(struct findings *f, enum finding_level level, const char *mend,
                  const char *format, ...) {
    char what[FINDING_MOST_BYTES];
    struct buffer text;
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    buffer_init(&text, FINDING_MOST_BYTES);
    if (mend) {
        findings_mend(f, mend, &text);
    }
    f->count[level]++;
    if (f->json) {
        findings_keep(f, level, what, mend && buffer_ok(&text) ? text.data : NULL);
    } else {
        bool advice = mend && buffer_ok(&text);
        print_line("%-8s %s%s%s%s%s%s", levels[level], f->store ? "store " : "",
                   f->store ? f->store : "", f->store ? ": " : "", what,
                   advice ? "; to mend it: " : "", advice ? text.data : "");
    }
    buffer_free(&text);
}

bool findings_end(struct findings *f) {
    json_t *all = NULL;
    char *text = NULL;

    if (f->json) {
        all = json_pack("{s:i, s:i, s:o}", "problems", (int)f->count[FINDING_PROBLEM],
                        "warnings", (int)f->count[FINDING_WARNING], "findings",
                        f->list ? f->list : json_array());
        f->list = NULL;
        text = json_write(all);
        print_raw(text ? text : "{}");
    } else {
        print_line("%zu problems, %zu warnings", f->count[FINDING_PROBLEM],
                   f->count[FINDING_WARNING]);
    }
    memory_free(text);
    json_decref(all);
    json_decref(f->list);
    f->list = NULL;
    return f->count[FINDING_PROBLEM] == 0;
}
