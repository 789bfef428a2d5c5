/* SPDX-License-Identifier: MIT */
/* The shipped lexicon: sql/seed/abuse_term.<locale>.tsv. */
#include "seed.h"

#include <string.h>

enum { SEED_COLUMNS = 5 };

struct seed_text {
    const char *at;
    size_t length;
};

int seed_locale(const struct asset *asset, char locale[SEED_LOCALE_MOST],
                struct error *error) {
    static const char lead[] = "sql/seed/abuse_term.";
    const char *at = asset->name + sizeof lead - 1;
    size_t n;

    if (strncmp(asset->name, lead, sizeof lead - 1) != 0 ||
        (n = strcspn(at, "."), n == 0) || n >= SEED_LOCALE_MOST ||
        strcmp(at + n, ".tsv") != 0) {
        return error_set(error, ERROR_FAILED, "", "%s is not named abuse_term.LOCALE.tsv",
                         asset->name);
    }
    memcpy(locale, at, n);
    locale[n] = '\0';
    return 0;
}

/* Takes text up to the separator, or all of it. False when there is none left. */
static bool seed_cut(struct seed_text *text, char separator, struct seed_text *part) {
    const char *end;

    if (!text->at) {
        return false;
    }
    end = memchr(text->at, separator, text->length);
    *part = (struct seed_text){text->at, end ? (size_t)(end - text->at) : text->length};
    *text = end ? (struct seed_text){end + 1, text->length - part->length - 1}
                : (struct seed_text){NULL, 0};
    return true;
}

static json_t *seed_string(struct seed_text text) {
    return json_stringn(text.at, text.length);
}

static json_t *seed_exceptions(struct seed_text column) {
    json_t *list = json_array();
    struct seed_text part;

    while (list && seed_cut(&column, '|', &part)) {
        if (part.length > 0 && json_array_append_new(list, seed_string(part)) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

/* NULL when it has not five columns, or they are not what they should be. */
static json_t *seed_term(struct seed_text line) {
    struct seed_text column[SEED_COLUMNS];
    struct seed_text over;

    for (size_t i = 0; i < SEED_COLUMNS; i++) {
        if (!seed_cut(&line, '\t', &column[i])) {
            return NULL;
        }
    }
    if (seed_cut(&line, '\t', &over) || column[0].length == 0 || column[2].length != 1 ||
        *column[2].at < '0' || *column[2].at > '3') {
        return NULL;
    }
    return json_pack("{s:o, s:o, s:i, s:o, s:o}", "term", seed_string(column[0]),
                     "category", seed_string(column[1]), "severity", *column[2].at - '0',
                     "match", seed_string(column[3]), "exceptions",
                     seed_exceptions(column[4]));
}

json_t *seed_terms(const struct asset *asset, struct error *error) {
    struct seed_text text = {asset->data, asset->size};
    struct seed_text line;
    json_t *terms = json_array();
    int number = 0;

    while (terms && seed_cut(&text, '\n', &line)) {
        number++;
        if (line.length == 0 || *line.at == '#') {
            continue;
        }
        if (json_array_append_new(terms, seed_term(line)) != 0) {
            error_set(error, ERROR_FAILED, "", "%s, line %d: not a term", asset->name,
                      number);
            json_decref(terms);
            return NULL;
        }
    }
    if (!terms) {
        error_set(error, ERROR_FAILED, "", "no memory for the lexicon");
    }
    return terms;
}
