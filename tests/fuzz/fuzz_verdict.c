/* SPDX-License-Identifier: MIT */
/* Any bytes as a review: its reading points into the original, its marks are in order and within
   the text, and the same text has the same verdict. With the word lists that are shipped. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "base/memory.h"
#include "moderation/decide.h"
#include "moderation/normalise.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TERM_FIELDS = 4 };

static struct lexicon *lexicon;

static void need(bool holds) {
    if (!holds) {
        abort();
    }
}

/* term, category, severity, match; exceptions are left out. */
static void term_add(json_t *rows, const char *locale, const char *line, size_t n) {
    char copy[1024], *rest = copy, *field[TERM_FIELDS] = {NULL};

    if (n == 0 || n >= sizeof copy || *line == '#') {
        return;
    }
    memcpy(copy, line, n);
    copy[n] = '\0';
    for (size_t i = 0; i < TERM_FIELDS; i++) {
        field[i] = strsep(&rest, "\t");
    }
    if (field[TERM_FIELDS - 1]) {
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:i, s:s, s:[]}", "locale", locale, "term",
                            field[0], "category", field[1], "severity",
                            (int)strtol(field[2], NULL, 10), "match", field[3],
                            "exceptions"));
    }
}

static void terms_add(json_t *rows, const char *locale) {
    char name[64];

    (void)snprintf(name, sizeof name, "sql/seed/abuse_term.%s.tsv", locale);
    const struct asset *asset = asset_find(name);
    for (const char *at = asset ? asset->data : ""; *at;) {
        size_t n = strcspn(at, "\n");
        term_add(rows, locale, at, n);
        at += n + (at[n] == '\n');
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
    json_t *rows = json_array();

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        terms_add(rows, locales[i]);
    }
    need(json_array_size(rows) > 1000);
    need(lexicon_compile(rows, &lexicon, NULL) == 0);
    json_decref(rows);
    return 0;
}

static void reading_check(const char *s, size_t n) {
    struct reading r;

    need(normalise(s, n, &r) == 0);
    need(r.text[0] == ' ' && r.text[r.length] == '\0');
    for (size_t i = 0; i < r.length; i++) {
        need(normalise_start(&r, i) <= normalise_end(&r, i + 1));
        need(normalise_end(&r, i + 1) <= n);
    }
    for (size_t i = 0; i < r.suspect_count; i++) {
        need(r.suspects[i].start <= r.suspects[i].end && r.suspects[i].end <= n);
    }
    normalise_free(&r);
}

static void marks_check(const struct verdict *v, const char *const texts[TEXT_FIELDS]) {
    size_t end = 0;

    need(v->mark_count <= VERDICT_MARKS_MAX && v->score >= 0 && v->score <= 1);
    for (size_t i = 0; i < v->mark_count; i++) {
        const struct mark *m = &v->marks[i];
        end = i > 0 && v->marks[i - 1].field == m->field ? end : 0;
        need(m->start >= end && m->start < m->end && m->end <= strlen(texts[m->field]));
        end = m->end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const locales[] = {"en", "es", "pt", "ar",
                                          "fa", "lv", "ru", NULL};
    static struct verdict one, other;
    char *text = memory_get(size + 1), *title = text;

    need(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    reading_check(text, size);
    if (memchr(text, '\n', size)) {
        title = strchr(text, '\n');
        title = title ? title + 1 : text;
    }
    struct text_in in = {.title = title,
                         .body = text,
                         .locale = locales[size ? data[size - 1] % 8U : 7U]};
    const char *const texts[TEXT_FIELDS] = {
        [FIELD_TITLE] = title, [FIELD_BODY] = text, [FIELD_AUTHOR] = ""};
    struct rules rules = {.lexicon = lexicon};
    need(decide(&in, &rules, &one) == 0 && decide(&in, &rules, &other) == 0);
    need(one.reasons == other.reasons && one.mark_count == other.mark_count);
    marks_check(&one, texts);
    json_t *told = verdict_json(&one);
    need(told != NULL);
    json_decref(told);
    memory_free(text);
    return 0;
}
