/* SPDX-License-Identifier: MIT */
/* Finds terms in the plain reading, and judges whether a term really stands where it was found. */
#include <string.h>

#include "moderation/aim.h"
#include "moderation/fold_table.h"
#include "moderation/lexicon_inner.h"
#include "moderation/utf8.h"

enum {
    WORD_BYTES_MAX = 64, /* how far a word is followed for its clitics */
    SAME_SOUGHT = 8      /* a passage read in several ways gives the same hit again */
};

enum class { CLASS_GAP, CLASS_LETTER, CLASS_DIGIT, CLASS_FREE };

/* CLASS_FREE: emoji, and scripts without gaps between words. */
static enum class class_at(const struct reading *r, size_t at) {
    unsigned char c = (unsigned char)r->text[at];
    if (c < 0x80){return c == ' '   ? CLASS_GAP
                         : c <= '9' ? CLASS_DIGIT
                                    : CLASS_LETTER;}
uint32_t cp = 0;
utf8_read((const unsigned char *)r->text + at, r->length - at, &cp);
unsigned kind = fold_of(cp);
return kind == FOLD_SYMBOL || kind == FOLD_IDEOGRAPH ? CLASS_FREE : CLASS_LETTER;
}

/* Whether a word may end before text[at] and another begin there. 0 < at < length. */
static bool is_boundary(const struct reading *r, size_t at) {
    size_t before = at - 1;
    while (before > 0 && utf8_is_tail((unsigned char)r->text[before])) {
        before--;
    }
    enum class left = class_at(r, before), right = class_at(r, at);
    return left != right || left == CLASS_FREE || left == CLASS_GAP;
}

static bool ends_word(char c) {
    return c == ' ' || (c >= '0' && c <= '9');
}

static bool inflected(const struct term *t, const struct reading *r, size_t start,
                      size_t end) {
    size_t low = start, high = end;
    while (low > 0 && start - low < WORD_BYTES_MAX && !ends_word(r->text[low - 1])) {
        low--;
    }
    while (high < r->length && high - end < WORD_BYTES_MAX && !ends_word(r->text[high])) {
        high++;
    }
    bool left_free = is_boundary(r, start), right_free = is_boundary(r, end);
    return inflection_allows((enum inflection)t->inflection, r->text + low,
                             left_free ? 0 : start - low, r->text + end,
                             right_free ? 0 : high - end);
}

static bool bounded(const struct term *t, const struct reading *r, size_t start,
                    size_t end) {
    switch ((enum lexicon_match)t->match) {
    case MATCH_WORD:
        return is_boundary(r, start) && is_boundary(r, end);
    case MATCH_STEM:
        return inflected(t, r, start, end);
    case MATCH_ANYWHERE:
        break;
    }
    return true;
}

/* "as" is not "ass", "asssss" is; "penne" would be "pene" to whom two are as good as one, so
   only longer words forgive a doubled or a halved letter. */
static bool run_agrees(const struct term *t, unsigned want, unsigned have) {
    if (have == want || (have >= 3 && want <= 2) || t->spelled == 1) {
        return true;
    }
    return want <= 2 && (have > want ? t->letters >= 4 : t->letters >= 7);
}

/* ñ is always another letter than n. Where diacritics tell words apart, a writer who uses them
   means them; many use none at all. */
static bool mark_agrees(const struct term *t, const struct reading *r, unsigned want,
                        size_t at) {
    if ((want & RUN_TILDE) && !(r->cells[at] & CELL_TILDE)) {
        return false;
    }
    return !(want & RUN_MARK) || !t->marks || !r->marks || (r->cells[at] & CELL_MARK);
}

static bool spelled(const struct lexicon *l, const struct term *t,
                    const struct reading *r, size_t start) {
    const unsigned char *runs = term_runs(l, t);
    for (size_t i = 0; i < t->length; i++) {
        unsigned count = runs[i] & RUN_COUNT;
        if (!mark_agrees(t, r, runs[i], start + i) ||
            (count && !run_agrees(t, count, normalise_run(r, start + i)))) {
            return false;
        }
    }
    return true;
}

static bool harmless(const struct lexicon *l, const struct term *t,
                     const struct reading *r, size_t start) {
    for (size_t i = 0; i < t->harmless_count; i++) {
        const struct harmless *h = &l->harmless[t->harmless + i];
        if (h->at >= start || start - h->at + h->length >= r->length) {
            continue;
        }
        size_t at = start - h->at;
        if (memcmp(r->text + at, l->pool + h->text, h->length) == 0 &&
            (t->inflection != INFLECTION_ENDINGS || is_boundary(r, at))) {
            return true;
        }
    }
    return false;
}

bool lexicon_stands(const struct lexicon *l, const struct term *t,
                    const struct reading *r, size_t start, bool loose) {
    return (loose || bounded(t, r, start, start + t->length)) &&
           spelled(l, t, r, start) && !(t->harmless_count && harmless(l, t, r, start));
}

/* A hit on the same bytes among the last ones, NULL when there is none. */
static struct lexicon_hit *hit_same(struct lexicon_hits *hits,
                                    const struct lexicon_hit *hit) {
    for (size_t i = hits->count; i > 0 && hits->count - i < SAME_SOUGHT; i--) {
        struct lexicon_hit *other = &hits->items[i - 1];
        if (other->start == hit->start && other->end == hit->end) {
            return other;
        }
    }
    return NULL;
}

void lexicon_hit_add(struct lexicon_hits *hits, const struct lexicon *l,
                     const struct term *t, struct lexicon_hit where) {
    where.term = (uint32_t)(t - l->terms);
    where.category = t->category;
    where.severity = t->severity;
    struct lexicon_hit *same = hit_same(hits, &where);
    if (same && where.severity > same->severity) {
        *same = where;
    } else if (!same && hits->count < LEXICON_HITS_MAX) {
        hits->items[hits->count++] = where;
    }
}

static void outputs_scan(const struct lexicon *l, uint64_t locales,
                         const struct reading *r, size_t end, int32_t output,
                         struct lexicon_hits *hits) {
    for (; output != AUTOMATON_NONE; output = l->automaton.outputs[output].next) {
        const struct term *t = &l->terms[l->automaton.outputs[output].id];
        size_t start = end - t->length;
        if ((locales >> t->locale & 1) && lexicon_stands(l, t, r, start, false)) {
            const char *const *aims = l->aims[t->locale];
            struct lexicon_hit where = {.start = (uint32_t)normalise_start(r, start),
                                        .end = (uint32_t)normalise_end(r, end),
                                        .aimed = aims && aim_found(aims, r->text, start)};
            lexicon_hit_add(hits, l, t, where);
        }
    }
}

void lexicon_scan(const struct lexicon *l, uint64_t locales, const char *s,
                  const struct reading *r, struct lexicon_hits *hits) {
    const struct automaton *a = &l->automaton;
    int32_t state = AUTOMATON_ROOT;
    if (l->term_count == 0) {
        return;
    }
    for (size_t i = 0; i < r->length; i++) {
        state = automaton_step(a, state, (unsigned char)r->text[i]);
        int32_t output = a->states[state].output;
        if (output != AUTOMATON_NONE) {
            outputs_scan(l, locales, r, i + 1, output, hits);
        }
    }
    if (r->suspect_count) {
        lexicon_disguise(l, locales, s, r, hits);
    }
}
