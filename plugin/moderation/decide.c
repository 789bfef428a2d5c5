/* SPDX-License-Identifier: MIT */
/* Weighs what lexicon and model say of each field. */
#include "moderation/decide.h"

#include <string.h>

#include "base/memory.h"

static const struct {
    unsigned bit;
    const char *name;
} reasons[] = {{REASON_ABUSIVE, "abusive"}};

static const char *const fields[TEXT_FIELDS] = {
    [FIELD_TITLE] = "title", [FIELD_BODY] = "body", [FIELD_AUTHOR] = "author_name"};

static const double HOLD_FROM = 0.5;

/* What is known of one text while its fields are read. */
struct weighing {
    const struct rules *rules;
    const struct model *model; /* of the text's language, or NULL */
    uint64_t locales;
    struct lexicon_hits *hits;
    double harmless; /* by the lexicon: of all fields the model does not judge */
    double likely;   /* by the model: of the worst field */
    struct verdict *verdict;
};

static void marks_add(struct weighing *w, const struct evidence *e,
                      enum text_field field) {
    struct verdict *v = w->verdict;
    for (size_t i = 0; i < e->hits->count && v->mark_count < VERDICT_MARKS_MAX; i++) {
        const struct lexicon_hit *hit = &e->hits->items[i];
        v->marks[v->mark_count++] =
            (struct mark){field, (enum lexicon_category)hit->category, hit->start,
                          hit->end, lexicon_term(e->lexicon, hit->term)};
    }
}

/* A model that overrules has weighed the terms among all else, unless one leaves no doubt: whoever
   lists a word as severe means it. A name is no text to judge by what texts taught. */
static void field_weigh(struct weighing *w, const struct reading *reading,
                        const struct evidence *e, enum text_field field) {
    bool judged = w->model && field != FIELD_AUTHOR;
    if (judged) {
        double p = model_score(w->model, reading, e);
        w->likely = p > w->likely ? p : w->likely;
    }
    if (e && (!judged || !w->model->overrules || e->certain)) {
        w->harmless *= e->harmless;
    }
    if (e) {
        marks_add(w, e, field);
    }
}

static int field_read(struct weighing *w, const char *s, enum text_field field) {
    struct reading reading;
    struct evidence found, *evidence = NULL;
    int result = normalise(s, strlen(s), &reading);
    if (result == ERROR_NONE) {
        if (w->rules->lexicon) {
            evidence = &found;
            evidence_read(w->rules->lexicon, w->locales, s, &reading, w->hits, evidence);
        }
        field_weigh(w, &reading, evidence, field);
    }
    normalise_free(&reading);
    return result;
}

static const struct model *model_of(const struct rules *rules, const char *locale) {
    for (size_t i = 0; i < rules->model_count; i++) {
        if (model_speaks(rules->models[i], locale)) {
            return rules->models[i];
        }
    }
    return NULL;
}

static void weighing_end(const struct weighing *w) {
    double told = 1 - w->harmless;
    struct verdict *v = w->verdict;
    v->score = told > w->likely ? told : w->likely;
    if (told >= HOLD_FROM || (w->model && w->likely >= w->model->threshold)) {
        v->reasons |= REASON_ABUSIVE;
    } else {
        v->mark_count = 0;
    }
}

int decide(const struct text_in *text, const struct rules *rules, struct verdict *out) {
    const char *const texts[TEXT_FIELDS] = {[FIELD_TITLE] = text->title,
                                            [FIELD_BODY] = text->body,
                                            [FIELD_AUTHOR] = text->author_name};
    struct weighing w = {rules, model_of(rules, text->locale), 0, NULL, 1, 0, out};
    out->reasons = 0;
    out->score = 0;
    out->mark_count = 0;
    if (!rules->lexicon && !w.model) {
        return ERROR_NONE;
    }
    w.hits = memory_get(sizeof *w.hits);
    w.locales = rules->lexicon ? lexicon_locales(rules->lexicon, text->locale) : 0;
    int result = w.hits ? ERROR_NONE : ERROR_FAILED;
    for (int field = 0; field < TEXT_FIELDS && result == ERROR_NONE; field++) {
        if (texts[field] && *texts[field]) {
            result = field_read(&w, texts[field], (enum text_field)field);
        }
    }
    memory_free(w.hits);
    weighing_end(&w);
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
