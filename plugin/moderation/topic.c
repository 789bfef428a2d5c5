/* SPDX-License-Identifier: MIT */
/* One automaton a language over the plain reading of texts, in which words stand between
   single spaces: " size" begins a word, " size " is one. */
#include "moderation/topic.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "moderation/automaton.h"
#include "moderation/normalise.h"

enum { LOCALE_BYTES = 8 };

static const char *const names[TOPICS] = {"delivery",    "packaging", "quality",
                                          "description", "size",      "price",
                                          "service",     "other"};

struct shelf {
    char locale[LOCALE_BYTES];
    struct automaton automaton;
    bool built;
};

struct topics {
    size_t count;
    struct shelf shelves[TOPIC_LOCALES_MAX];
};

/* While compiling: one term, its key the caller's memory. */
struct term {
    size_t shelf;
    uint32_t topic;
    char *key;
};

const char *topic_name(int topic) {
    return topic >= 0 && topic < TOPICS ? names[topic] : "";
}

static int topic_of(const char *name) {
    for (int i = 0; name && i < TOPIC_OTHER; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static const char *text_at(const json_t *row, size_t i) {
    return json_string_value(json_array_get(row, i));
}

/* The shelf of a language, made when it is new; -1 when there are too many. */
static int shelf_of(struct topics *topics, const char *locale) {
    size_t n = strlen(locale);
    for (size_t i = 0; i < topics->count; i++)
        if (strcmp(topics->shelves[i].locale, locale) == 0)
            return (int)i;
    if (topics->count == TOPIC_LOCALES_MAX || n >= LOCALE_BYTES)
        return -1;
    memcpy(topics->shelves[topics->count].locale, locale, n + 1);
    return (int)topics->count++;
}

/* " term" or " term " as it is read; NULL when nothing is left of it. */
static int make_key(const char *text, bool whole, char **key) {
    struct reading reading = {0};
    int rc = normalise(text, strlen(text), &reading);
    *key = NULL;
    if (!rc && reading.length > 2 && reading.length <= AUTOMATON_KEY_MAX) {
        *key = memory_copy_n(reading.text, reading.length - !whole);
        rc = *key ? 0 : ERROR_FAILED;
    }
    normalise_free(&reading);
    return rc;
}

static int read_row(struct topics *topics, const json_t *row, struct term *term) {
    const char *locale = text_at(row, 0), *text = text_at(row, 1),
               *match = text_at(row, 3);
    int topic = topic_of(text_at(row, 2));
    int shelf = locale && text && topic >= 0 ? shelf_of(topics, locale) : -1;
    *term = (struct term){0};
    if (shelf < 0)
        return 0;
    term->shelf = (size_t)shelf;
    term->topic = (uint32_t)topic;
    return make_key(text, match && strcmp(match, "word") == 0, &term->key);
}

static int build_shelf(struct topics *topics, size_t shelf, const struct term *terms,
                       size_t count, struct automaton_key *keys) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (terms[i].key && terms[i].shelf == shelf)
            keys[used++] = (struct automaton_key){terms[i].key, strlen(terms[i].key),
                                                  terms[i].topic};
    if (used == 0)
        return 0;
    topics->shelves[shelf].built = true;
    return automaton_build(keys, used, &topics->shelves[shelf].automaton);
}

int topics_compile(const json_t *rows, struct topics **out, struct error *error) {
    size_t count = json_array_size(rows);
    count = count > TOPIC_ROWS_MAX ? TOPIC_ROWS_MAX : count;
    struct topics *made = memory_zero(1, sizeof *made);
    struct term *terms = memory_zero(count + 1, sizeof *terms);
    struct automaton_key *keys = memory_zero(count + 1, sizeof *keys);
    int rc = made && terms && keys ? 0 : ERROR_FAILED;

    for (size_t i = 0; !rc && i < count; i++)
        rc = read_row(made, json_array_get(rows, i), &terms[i]);
    for (size_t s = 0; !rc && s < made->count; s++)
        rc = build_shelf(made, s, terms, count, keys);
    for (size_t i = 0; terms && i < count; i++)
        memory_free(terms[i].key);
    memory_free(terms);
    memory_free(keys);
    if (rc) {
        topics_free(made);
        return error_set(error, rc, "", "no memory for the topics");
    }
    *out = made;
    return 0;
}

void topics_free(struct topics *topics) {
    if (!topics)
        return;
    for (size_t i = 0; i < topics->count; i++)
        if (topics->shelves[i].built)
            automaton_free(&topics->shelves[i].automaton);
    memory_free(topics);
}

static int scan(const struct automaton *a, const struct reading *reading) {
    int32_t state = AUTOMATON_ROOT;
    int found = 0;
    for (size_t i = 0; i < reading->length; i++) {
        state = automaton_step(a, state, (unsigned char)reading->text[i]);
        for (int32_t o = a->states[state].output; o != AUTOMATON_NONE;
             o = a->outputs[o].next)
            found |= 1 << a->outputs[o].id;
    }
    return found;
}

static bool speaks(const struct shelf *shelf, const char *locale) {
    size_t n = locale ? strcspn(locale, "-_") : 0;
    return shelf->built &&
           (n == 0 || strcmp(shelf->locale, "*") == 0 ||
            (strlen(shelf->locale) == n && strncasecmp(shelf->locale, locale, n) == 0));
}

static int find_in(const struct topics *topics, const char *locale, const char *text) {
    struct reading reading = {0};
    int found = 0;
    if (!text || !*text)
        return 0;
    if (normalise(text, strlen(text), &reading)) {
        normalise_free(&reading);
        return ERROR_FAILED;
    }
    for (size_t i = 0; i < topics->count; i++)
        if (speaks(&topics->shelves[i], locale))
            found |= scan(&topics->shelves[i].automaton, &reading);
    if (found == 0 && reading.length > 2)
        found = 1 << TOPIC_OTHER;
    normalise_free(&reading);
    return found;
}

int topics_find(const struct topics *topics, const char *locale, const char *title,
                const char *body) {
    int first = find_in(topics, locale, title);
    int second = first < 0 ? first : find_in(topics, locale, body);
    int both = first | second;
    if (first < 0 || second < 0)
        return ERROR_FAILED;
    return both & ~(1 << TOPIC_OTHER) ? both & ~(1 << TOPIC_OTHER) : both;
}
