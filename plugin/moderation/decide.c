/* SPDX-License-Identifier: MIT */
/* Weighs what lexicon, model and signals say of each field. */
#include "moderation/decide.h"

#include <string.h>

#include "base/memory.h"
#include "moderation/fold_table.h"
#include "moderation/language.h"
#include "moderation/utf8.h"

static const struct {
    unsigned bit;
    const char *name;
} reasons[] = {{REASON_ABUSIVE, "abusive"},   {REASON_PERSONAL_DATA, "personal_data"},
               {REASON_LINK, "link"},         {REASON_SPAM, "spam"},
               {REASON_LANGUAGE, "language"}, {REASON_EMPTY, "empty"}};

static const char *const fields[TEXT_FIELDS] = {
    [FIELD_TITLE] = "title", [FIELD_BODY] = "body", [FIELD_AUTHOR] = "author_name"};

static const double HOLD_FROM = 0.5;

/* What is known of one text while its fields are read. */
struct weighing {
    const struct rules *rules;
    const char *declared, *language; /* of the text, as far as known; may be NULL */
    const struct model *model;       /* of the text's language, or NULL */
    uint64_t locales;
    struct lexicon_hits *hits;
    double harmless; /* by the lexicon: of all fields the model does not judge */
    double likely;   /* by the model: how far the worst field is over its threshold */
    bool over;       /* a model's threshold is reached */
    struct verdict *verdict;
};

static void mark_add(struct verdict *v, struct mark mark) {
    if (v->mark_count < VERDICT_MARKS_MAX) {
        v->marks[v->mark_count++] = mark;
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
        w->over |= p >= w->model->threshold;
    }
    if (e && (!judged || !w->model->overrules || e->certain)) {
        w->harmless *= e->harmless;
    }
    for (size_t i = 0; e && i < e->hits->count; i++) {
        const struct lexicon_hit *hit = &e->hits->items[i];
        const char *category =
            lexicon_category_name((enum lexicon_category)hit->category);
        mark_add(w->verdict, (struct mark){field, category, hit->start, hit->end,
                                           lexicon_term(e->lexicon, hit->term)});
    }
}

static void field_signal(struct weighing *w, const char *s, size_t n,
                         const struct signal_words *words, enum text_field field) {
    struct signals found;

    signal_find(s, n, w->language, words, &found);
    for (size_t i = 0; i < found.count; i++) {
        enum signal_kind kind = (enum signal_kind)found.items[i].kind;
        w->verdict->reasons |= signal_is_personal(kind) ? REASON_PERSONAL_DATA
                               : kind == SIGNAL_LINK    ? REASON_LINK
                                                        : REASON_SPAM;
        mark_add(w->verdict, (struct mark){field, signal_name(kind), found.items[i].start,
                                           found.items[i].end, NULL});
    }
}

static const struct model *model_of(const struct rules *rules, const char *locale) {
    for (size_t i = 0; i < rules->model_count; i++) {
        if (model_speaks(rules->models[i], locale)) {
            return rules->models[i];
        }
    }
    return NULL;
}

/* Whose words and which model count: told by what the body says, else by what was declared. */
static void language_settle(struct weighing *w, const char *s, size_t n,
                            const struct signal_words *words) {
    const struct lexicon *l = w->rules->lexicon;
    struct language_guess guess = language_of(s, n, words, w->declared);
    const struct model *model = model_of(w->rules, guess.language);

    w->language = guess.language;
    w->model = model ? model : w->model;
    if (l && guess.language) {
        w->locales |= lexicon_locales(l, guess.language);
        guess.known = guess.known || lexicon_speaks(l, guess.language);
    }
    if (l && !w->language && !lexicon_speaks(l, w->declared)) {
        w->locales = lexicon_locales_all(l);
    }
    if (w->language && !guess.known && !w->model) {
        w->verdict->reasons |= REASON_LANGUAGE;
    }
}

/* Bytes, but none that can be seen: not a letter, not a digit, not a sign. */
static bool is_invisible(const char *s, size_t n, const struct reading *reading) {
    if (reading->length > 2) {
        return false;
    }
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        size_t size = utf8_read((const unsigned char *)s + i, n - i, &cp);
        unsigned kind = size ? fold_of(cp) : FOLD_SPACE;
        if (kind != FOLD_DROP && kind != FOLD_SPACE) {
            return false;
        }
        i += size ? size : 1;
    }
    return true;
}

static int field_read(struct weighing *w, const char *s, enum text_field field) {
    struct reading reading;
    struct signal_words words;
    struct evidence found, *evidence = NULL;
    size_t n = strnlen(s, NORMALISE_MAX);
    int result = normalise(s, n, &reading);
    if (result == ERROR_NONE) {
        signal_words_read(&reading, &words);
        if (field == FIELD_BODY || (field == FIELD_TITLE && !w->language)) {
            language_settle(w, s, n, &words);
        }
        if (w->rules->lexicon) {
            evidence = &found;
            evidence_read(w->rules->lexicon, w->locales, s, &reading, w->hits, evidence);
        }
        field_weigh(w, &reading, evidence, field);
        field_signal(w, s, n, &words, field);
        if (field == FIELD_BODY && is_invisible(s, n, &reading)) {
            w->verdict->reasons |= REASON_EMPTY;
        }
    }
    normalise_free(&reading);
    return result;
}

static bool mark_before(const struct mark *a, const struct mark *b) {
    return a->field != b->field ? a->field < b->field : a->start < b->start;
}

/* In the order of the text, without those of a lexicon unless abusive; of overlapping ones the
   first. */
static void marks_settle(struct verdict *v) {
    size_t kept = 0;
    for (size_t i = 0; i < v->mark_count; i++) {
        struct mark mark = v->marks[i];
        size_t at = kept;
        if (mark.term && !(v->reasons & REASON_ABUSIVE)) {
            continue;
        }
        for (; at > 0 && mark_before(&mark, &v->marks[at - 1]); at--) {
            v->marks[at] = v->marks[at - 1];
        }
        v->marks[at] = mark;
        kept++;
    }
    v->mark_count = 0;
    for (size_t i = 0; i < kept; i++) {
        const struct mark *last = v->mark_count ? &v->marks[v->mark_count - 1] : NULL;
        if (!last || last->field != v->marks[i].field || last->end <= v->marks[i].start) {
            v->marks[v->mark_count++] = v->marks[i];
        }
    }
}

static void weighing_end(const struct weighing *w) {
    double told = 1 - w->harmless;
    struct verdict *v = w->verdict;
    v->score = told > w->likely ? told : w->likely;
    if (told >= HOLD_FROM || w->over) {
        v->reasons |= REASON_ABUSIVE;
    }
    marks_settle(v);
}

int decide(const struct text_in *text, const struct rules *rules, struct verdict *out) {
    static const enum text_field order[TEXT_FIELDS] = {FIELD_BODY, FIELD_TITLE,
                                                       FIELD_AUTHOR};
    const char *const texts[TEXT_FIELDS] = {[FIELD_TITLE] = text->title,
                                            [FIELD_BODY] = text->body,
                                            [FIELD_AUTHOR] = text->author_name};
    struct weighing w = {.rules = rules,
                         .declared = text->locale,
                         .model = model_of(rules, text->locale),
                         .hits = memory_get(sizeof *w.hits),
                         .harmless = 1,
                         .verdict = out};
    out->reasons = 0;
    out->score = 0;
    out->mark_count = 0;
    w.locales = rules->lexicon ? lexicon_locales(rules->lexicon, text->locale) : 0;
    int result = w.hits ? ERROR_NONE : ERROR_FAILED;
    for (int i = 0; i < TEXT_FIELDS && result == ERROR_NONE; i++) {
        if (texts[order[i]] && *texts[order[i]]) {
            result = field_read(&w, texts[order[i]], order[i]);
        }
    }
    memory_free(w.hits);
    weighing_end(&w);
    return result;
}

static json_t *mark_json(const struct mark *m) {
    return json_pack("{s:s, s:s, s:I, s:I, s:s*}", "field", fields[m->field], "category",
                     m->category, "start", (json_int_t)m->start, "end",
                     (json_int_t)m->end, "term", m->term);
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
