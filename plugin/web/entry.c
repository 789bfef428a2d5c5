/* SPDX-License-Identifier: MIT */
/* Limits are those of the tables, in bytes, and told in characters of this very text. */
#include "web/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "review/submission.h"
#include "web/page.h"

enum { STARS = 5 };

static const struct {
    size_t most; /* bytes */
    bool lines;
    const char *too_long;
} rules[ENTRY_FIELDS] = {[ENTRY_RATING] = {1, false, "page.form.error_stars"},
                         [ENTRY_TITLE] = {500, false, "page.form.error_title"},
                         [ENTRY_BODY] = {20000, true, "page.form.error_text"},
                         [ENTRY_NAME] = {500, false, "page.form.error_name"}};

char *entry_clean(const char *raw) {
    char *clean = memory_copy(raw + strspn(raw, " \t\r\n"));
    size_t used = 0;

    for (size_t i = 0; clean && clean[i]; i++) {
        if (clean[i] == '\r') {
            clean[used++] = '\n';
            i += clean[i + 1] == '\n';
        } else {
            clean[used++] = clean[i];
        }
    }
    while (clean && used > 0 && strchr(" \t\n", clean[used - 1])) {
        used--;
    }
    if (clean) {
        clean[used] = '\0';
    }
    return clean;
}

bool entry_shown(const char *text, bool lines) {
    size_t n = strlen(text);
    int32_t c = 0;

    for (size_t i = 0; i < n;) {
        int step = text_decode(text + i, n - i, &c);
        bool gap = c == '\n' || c == '\t';
        if (step < 0 || (c < 0x20 && !(lines && gap)) || (c >= 0x7f && c < 0xa0) ||
            (!lines && (c == 0x2028 || c == 0x2029))) {
            return false;
        }
        i += (size_t)step;
    }
    return true;
}

static bool entry_has_address(const char *name) {
    for (const char *at = name; *at;) {
        size_t n = strcspn(at, " <>,;()\"");
        if (n > 0 && address_valid(at, n)) {
            return true;
        }
        at += n;
        at += *at != '\0';
    }
    return false;
}

static void entry_check(struct entry *entry, enum entry_field field) {
    const char *text = entry->text[field];
    size_t n = strlen(text);

    if (!entry_shown(text, rules[field].lines)) {
        entry->fault[field] = "page.form.error_characters";
    } else if (n > rules[field].most) {
        entry->fault[field] = rules[field].too_long;
        entry->limit[field] = text_graphemes(text, n) * rules[field].most / n;
    }
}

int entry_read(struct entry *entry, const char *const raw[ENTRY_FIELDS]) {
    *entry = (struct entry){0};
    for (int i = 0; i < ENTRY_FIELDS; i++) {
        /* Stars are one digit and nothing around it. */
        entry->text[i] = i == ENTRY_RATING ? memory_copy(raw[i] ? raw[i] : "")
                                           : entry_clean(raw[i] ? raw[i] : "");
        if (!entry->text[i]) {
            return 500;
        }
        entry_check(entry, (enum entry_field)i);
    }
    const char *stars = entry->text[ENTRY_RATING];
    if (*stars && (stars[0] < '1' || stars[0] > '0' + STARS || stars[1] != '\0')) {
        entry->fault[ENTRY_RATING] = rules[ENTRY_RATING].too_long;
    } else if (*stars) {
        entry->rating = stars[0] - '0';
    }
    if (!entry->fault[ENTRY_NAME] && entry_has_address(entry->text[ENTRY_NAME])) {
        entry->fault[ENTRY_NAME] = "page.form.error_name_address";
    }
    return 0;
}

void entry_free(struct entry *entry) {
    for (int i = 0; i < ENTRY_FIELDS; i++) {
        memory_free(entry->text[i]);
        entry->text[i] = NULL;
    }
}

bool entry_good(const struct entry *entry) {
    for (int i = 0; i < ENTRY_FIELDS; i++) {
        if (entry->fault[i]) {
            return false;
        }
    }
    return true;
}

json_t *entry_message(const struct exchange *x, const struct entry *entry,
                      enum entry_field field) {
    json_t *data = json_pack("{s:I}", "limit", (json_int_t)entry->limit[field]);
    json_t *text = page_text(x, entry->fault[field], data);

    json_decref(data);
    return text;
}

json_t *entry_stars(const struct exchange *x, int chosen) {
    json_t *list = json_array();
    char key[] = "page.form.star_0";

    for (int i = 1; i <= STARS; i++) {
        key[sizeof key - 2] = (char)('0' + i);
        if (json_array_append_new(list, json_pack("{s:i, s:o, s:b}", "value", i, "word",
                                                  page_text(x, key, NULL), "checked",
                                                  i == chosen))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

int entry_submission(const struct exchange *x, const struct entry *entry,
                     const char *line_id, json_t **body) {
    struct submission s = {.line_id = line_id,
                           .rating = entry->rating,
                           .title = entry->text[ENTRY_TITLE],
                           .body = entry->text[ENTRY_BODY],
                           .name = entry->text[ENTRY_NAME],
                           .locale = x->locale,
                           .client_address =
                               *x->client_address ? x->client_address : NULL};
    struct error error = {0};

    *body = NULL;
    if (!x->settings) {
        return 503;
    }
    int code = submission_body(x->store, x->settings, &s, body, &error);
    return code ? exchange_fault(x, code, &error) : 0;
}
