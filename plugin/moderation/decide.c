/* SPDX-License-Identifier: MIT */
/* Weighs what the lexicon found. Model and signals add their own reasons behind words_weigh. */
#include "moderation/decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const struct {
    unsigned bit;
    const char *name;
} reasons[] = {{REASON_ABUSIVE, "abusive"}};

static const char *const fields[TEXT_FIELDS] = {
    [FIELD_TITLE] = "title", [FIELD_BODY] = "body", [FIELD_AUTHOR] = "author_name"};

/* How far one word of a severity makes a text abusive: a mild one alone never does. */
static const double weights[] = {
    [0] = 0, [LEXICON_MILD] = 0.12, [LEXICON_STRONG] = 0.8, [LEXICON_SEVERE] = 0.97};

static const double WEIGHT_MILD_INSULT = 0.25; /* three different ones are enough */
static const double HOLD_FROM = 0.5;

enum { WORDS_SHORT = 60 };

struct weighing {
    double harmless; /* product over distinct terms of 1 - weight */
    struct verdict *verdict;
};

static int hit_order(const void *left, const void *right) {
    const struct lexicon_hit *a = left, *b = right;
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    return a->end != b->end ? (a->end > b->end ? -1 : 1)
                            : (int)b->severity - (int)a->severity;
}

/* Joins overlapping hits into the most severe; how many are left. hits sorted. */
static size_t hits_merge(struct lexicon_hit *hits, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct lexicon_hit *last = kept ? &hits[kept - 1] : NULL;
        if (!last || hits[i].start >= last->end) {
            hits[kept++] = hits[i];
            continue;
        }
        uint32_t start = last->start;
        uint32_t end = last->end > hits[i].end ? last->end : hits[i].end;
        if (hits[i].severity > last->severity) {
            *last = hits[i];
        }
        last->start = start;
        last->end = end;
    }
    return kept;
}

static bool seen_before(const struct lexicon_hit *hits, size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (hits[j].term == hits[i].term) {
            return true;
        }
    }
    return false;
}

/* A mild insult aimed at a person weighs as a strong one, and so does a mild word that is
   disguised: whoever hides a word knows what it is. What is not severe weighs less the longer the
   text around it is: one oath in a page on a film is no abuse. */
static double hit_weight(const struct lexicon_hit *hit, size_t words) {
    bool mild = hit->severity == LEXICON_MILD, insult = hit->category == LEXICON_INSULT;
    double weight = mild && insult ? WEIGHT_MILD_INSULT : weights[hit->severity];
    if (mild && (hit->disguised || (insult && hit->aimed))) {
        weight = weights[LEXICON_STRONG];
    }
    bool fades = words > WORDS_SHORT && hit->severity < LEXICON_SEVERE;
    return fades ? weight * (double)WORDS_SHORT / (double)words : weight;
}

static void words_weigh(struct weighing *w, const struct lexicon *lexicon,
                        struct lexicon_hits *hits, size_t words, enum text_field field) {
    qsort(hits->items, hits->count, sizeof *hits->items, hit_order);
    size_t count = hits_merge(hits->items, hits->count);
    for (size_t i = 0; i < count; i++) {
        const struct lexicon_hit *hit = &hits->items[i];
        if (!seen_before(hits->items, i)) {
            w->harmless *= 1 - hit_weight(hit, words);
        }
        if (w->verdict->mark_count < VERDICT_MARKS_MAX) {
            w->verdict->marks[w->verdict->mark_count++] =
                (struct mark){field, (enum lexicon_category)hit->category, hit->start,
                              hit->end, lexicon_term(lexicon, hit->term)};
        }
    }
}

static size_t words_in(const struct reading *reading) {
    size_t gaps = 0;
    for (size_t i = 0; i < reading->length; i++) {
        gaps += reading->text[i] == ' ';
    }
    return gaps;
}

static int words_find(struct weighing *w, const struct rules *rules, uint64_t locales,
                      const char *s, enum text_field field, struct lexicon_hits *hits) {
    struct reading reading;
    int result = normalise(s, strlen(s), &reading);
    if (result == ERROR_NONE) {
        hits->count = 0;
        lexicon_scan(rules->lexicon, locales, s, &reading, hits);
        words_weigh(w, rules->lexicon, hits, words_in(&reading), field);
    }
    normalise_free(&reading);
    return result;
}

int decide(const struct text_in *text, const struct rules *rules, struct verdict *out) {
    const char *const texts[TEXT_FIELDS] = {[FIELD_TITLE] = text->title,
                                            [FIELD_BODY] = text->body,
                                            [FIELD_AUTHOR] = text->author_name};
    out->reasons = 0;
    out->score = 0;
    out->mark_count = 0;
    if (!rules->lexicon) {
        return ERROR_NONE;
    }
    struct weighing w = {.harmless = 1, .verdict = out};
    struct lexicon_hits *hits = memory_get(sizeof *hits);
    int result = hits ? ERROR_NONE : ERROR_FAILED;
    uint64_t locales = lexicon_locales(rules->lexicon, text->locale);
    for (int field = 0; field < TEXT_FIELDS && result == ERROR_NONE; field++) {
        if (texts[field] && *texts[field]) {
            result = words_find(&w, rules, locales, texts[field], (enum text_field)field,
                                hits);
        }
    }
    memory_free(hits);
    out->score = 1 - w.harmless;
    if (out->score >= HOLD_FROM) {
        out->reasons |= REASON_ABUSIVE;
    } else {
        out->mark_count = 0;
    }
    return result;
}

static json_t *mark_json(const struct mark *m) {
    return json_pack("{s:s, s:s, s:I, s:I, s:s}", "field", fields[m->field], "category",
                     lexicon_category_name(m->category), "start", (json_int_t)m->start,
                     "end", (json_int_t)m->end, "term", m->term);
}

json_t *verdict_json(const struct verdict *verdict) {
    json_t *names = json_array(), *marks = json_array();
    bool whole = names && marks;
    for (size_t i = 0; whole && i < sizeof reasons / sizeof *reasons; i++) {
        if (verdict->reasons & reasons[i].bit) {
            whole = json_array_append_new(names, json_string(reasons[i].name)) == 0;
        }
    }
    for (size_t i = 0; whole && i < verdict->mark_count; i++) {
        whole = json_array_append_new(marks, mark_json(&verdict->marks[i])) == 0;
    }
    if (!whole) {
        json_decref(names);
        json_decref(marks);
        return NULL;
    }
    return json_pack("{s:o, s:f, s:o}", "reasons", names, "score", verdict->score,
                     "marks", marks);
}
