/* SPDX-License-Identifier: MIT */
/* Field names are rating.LINE, title.LINE, body.LINE and name; with a single line the
   plain names do as well. */
#include "web/form.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "web/form_page.h"

enum { FIELD_NAME_MOST = EXCHANGE_ID_MOST + 16 };

static const char *form_value(const struct exchange *x, const char *field,
                              const char *line, bool alone) {
    char name[FIELD_NAME_MOST];
    int n = snprintf(name, sizeof name, "%s.%s", field, line);
    const char *value = n > 0 && n < FIELD_NAME_MOST ? query_get(&x->form, name) : NULL;

    return !value && alone ? query_get(&x->form, field) : value;
}

static const char *form_line_id(const json_t *lines, size_t i) {
    const char *id =
        json_string_value(json_object_get(json_array_get(lines, i), "line_id"));
    return id ? id : "";
}

static int form_entries(const struct exchange *x, const json_t *lines,
                        struct entry *entries, size_t count) {
    const char *name = query_get(&x->form, "name");
    int status = 0;

    for (size_t i = 0; !status && i < count; i++) {
        const char *id = form_line_id(lines, i);
        const char *const raw[ENTRY_FIELDS] = {
            [ENTRY_RATING] = form_value(x, "rating", id, count == 1),
            [ENTRY_TITLE] = form_value(x, "title", id, count == 1),
            [ENTRY_BODY] = form_value(x, "body", id, count == 1),
            [ENTRY_NAME] = name};
        status = entry_read(&entries[i], raw);
    }
    return status;
}

static bool form_chosen(const struct entry *entry) {
    return entry->rating || entry->fault[ENTRY_RATING];
}

/* What is wrong in lines that are left out is not asked for. */
static bool form_good(const struct entry *entries, size_t count, size_t *chosen) {
    bool good = true;

    *chosen = 0;
    for (size_t i = 0; i < count; i++) {
        if (form_chosen(&entries[i])) {
            good &= entry_good(&entries[i]);
            ++*chosen;
        }
    }
    return good && *chosen > 0;
}

static int form_store(const struct exchange *x, const json_t *lines,
                      const struct entry *entries, size_t count, json_t **answers) {
    json_t *reviews = json_array();
    int status = reviews ? 0 : 500;

    for (size_t i = 0; !status && i < count; i++) {
        json_t *body = NULL;
        if (form_chosen(&entries[i])) {
            status = entry_submission(x, &entries[i], form_line_id(lines, i), &body);
            if (!status && json_array_append_new(reviews, body)) {
                status = 500;
            }
        }
    }
    if (!status) {
        status =
            exchange_ask(x, "SELECT vouch.form_submit($1, $2, $3)", reviews, answers);
    }
    json_decref(reviews);
    return status ? status : *answers ? 0 : 404;
}

static int form_post(struct exchange *x, const json_t *view) {
    const json_t *lines = json_object_get(view, "lines");
    size_t count = json_array_size(lines), chosen = 0;
    struct entry *entries = memory_zero(count, sizeof *entries);
    json_t *answers = NULL;
    int status = entries ? exchange_form(x, false) : 500;

    if (!status) {
        status = form_entries(x, lines, entries, count);
    }
    if (!status && !form_good(entries, count, &chosen)) {
        status = form_page(x, 400, view, entries, chosen == 0);
    } else if (!status) {
        status = form_store(x, lines, entries, count, &answers);
        status = status ? status : form_thanks(x, view, answers);
    }
    for (size_t i = 0; entries && i < count; i++) {
        entry_free(&entries[i]);
    }
    memory_free(entries);
    json_decref(answers);
    return status;
}

int form_serve(struct exchange *x) {
    json_t *view = NULL;
    int status = exchange_ask(x, "SELECT vouch.form_view($1, $2)", NULL, &view);

    if (!status && json_array_size(json_object_get(view, "lines")) == 0) {
        status = 404;
    }
    if (!status) {
        json_t *lines = json_object_get(view, "lines");
        exchange_localize(x, json_string_value(json_object_get(view, "locale")));
        while (json_array_size(lines) > FORM_LINES_MOST) {
            json_array_remove(lines, json_array_size(lines) - 1);
        }
        status = exchange_unsafe(x) ? form_post(x, view)
                                    : form_page(x, 200, view, NULL, false);
    }
    json_decref(view);
    return status;
}
