/* SPDX-License-Identifier: MIT */
/* Disguised passages against the lexicon: each way to read a passage is walked along the keys of
   the automaton, with a fixed number of steps, so that the whole stays linear. */
#include <string.h>

#include "moderation/disguise.h"
#include "moderation/lexicon_inner.h"
#include "moderation/utf8.h"

enum {
    STEPS_MAX = 1500,    /* of one walk */
    STEPS_POOR = 40,     /* of one walk, once the text has used up its own */
    STEPS_TEXT = 100000, /* of one text, at full length of walks */
    JOINED_MAX = 40,     /* letters of a word taken together over its gaps */
    SPREAD_MIN = 3,      /* letters one by one */
    SPREAD_LONG = 4,     /* a term this long is believed inside a row of spread letters */
    TEXT_MAX = DISGUISE_PARTS_MAX * 4 + 8
};

enum mode {
    MODE_WORD,   /* one piece: as a word of its own */
    MODE_JOINED, /* pieces taken together: the term must be all of it */
    MODE_SPREAD, /* single letters between signs: one word */
    MODE_SPACED  /* single letters between spaces: where words begin is unknown */
};

enum stars { STARS_EACH, STARS_ONE, STARS_NONE };

struct walk {
    const struct lexicon *lexicon;
    uint64_t locales;
    struct lexicon_hits *hits;
    enum mode mode, spread;
    unsigned steps, steps_left;
    size_t count;
    struct part parts[DISGUISE_PARTS_MAX];
    size_t from;   /* first part of this walk */
    size_t before; /* bytes of text before it */
    size_t length; /* of text */
    char text[TEXT_MAX];
    uint32_t cells[TEXT_MAX];
    size_t best; /* parts of the longest term that stands, 0 for none */
    const struct term *term;
};

static void text_put(struct walk *w, const unsigned char *letter, size_t size) {
    if (w->length >= size && memcmp(w->text + w->length - size, letter, size) == 0) {
        w->cells[w->length - size] += 1U << CELL_RUN_SHIFT;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        w->cells[w->length] = 1U << CELL_RUN_SHIFT;
        w->text[w->length++] = (char)letter[i];
    }
}

static void text_put_part(struct walk *w, const struct part *p) {
    static const unsigned char unknown = 'x';
    if (p->readings) {
        text_put(w, p->letter[0], p->size[0]);
    } else {
        text_put(w, &unknown, 1);
    }
}

/* Stars of the same word outside the term: it is another word that was hidden. */
static bool stars_left(const struct walk *w, size_t until) {
    for (size_t i = 0; i < w->count; i++) {
        if ((i < w->from || i >= until) && w->parts[i].kind == PART_STAR) {
            return true;
        }
    }
    return false;
}

/* A disguise needs some letters that are plain: "A55" is a telephone. Each star is one letter. */
static bool is_evident(const struct walk *w, const struct term *t, size_t until) {
    size_t kinds[PART_GAP + 1] = {0};
    for (size_t i = w->from; i < until; i++) {
        kinds[w->parts[i].kind]++;
    }
    bool latin = w->parts[w->from].letter[0][0] < 0x80;
    if (kinds[PART_STAR] > kinds[PART_LETTER] && !latin) {
        return false;
    }
    /* Arabic roots have three letters: two stars leave too much open. */
    if (kinds[PART_STAR] > 1 && t->inflection == INFLECTION_ARABIC &&
        (t->category != LEXICON_PROFANITY || kinds[PART_LETTER] < 3)) {
        return false;
    }
    if (kinds[PART_STAR] && stars_left(w, until)) {
        return false;
    }
    if (kinds[PART_STAR]) {
        return t->severity > LEXICON_MILD && until - w->from == t->spelled &&
               (kinds[PART_LETTER] >= 2 || kinds[PART_STAR] == 1);
    }
    if (kinds[PART_DIGIT] && t->spelled <= 3) {
        return kinds[PART_LETTER] >= 2 || (kinds[PART_LETTER] && kinds[PART_SIGN]);
    }
    return kinds[PART_LETTER] + kinds[PART_SIGN] >= (kinds[PART_DIGIT] ? 1 : 0) &&
           (kinds[PART_LETTER] * 2 >= t->letters || kinds[PART_SIGN] || t->spelled >= 5);
}

/* The term read from parts[from..until): judged with the rest of the passage around it. */
static void consider(struct walk *w, const struct term *t, size_t until) {
    bool whole = until == w->count && w->from == 0;
    bool loose = whole ? w->mode >= MODE_SPREAD
                       : w->mode == MODE_SPACED && t->spelled >= SPREAD_LONG;
    if (until - w->from <= w->best || !(w->locales >> t->locale & 1) ||
        (w->mode == MODE_JOINED && !whole) || !is_evident(w, t, until)) {
        return;
    }
    size_t length = w->length;
    uint32_t last = w->cells[length - 1];
    for (size_t i = until; i < w->count && i < until + 16; i++) {
        text_put_part(w, &w->parts[i]);
    }
    w->text[w->length] = ' ';
    w->cells[w->length++] = 0;
    struct reading r = {.text = w->text, .cells = w->cells, .length = w->length};
    if (lexicon_stands(w->lexicon, t, &r, w->before, loose)) {
        w->best = until - w->from;
        w->term = t;
    }
    w->length = length;
    w->cells[length - 1] = last;
}

static void consider_outputs(struct walk *w, int32_t state, size_t until) {
    const struct automaton *a = &w->lexicon->automaton;
    size_t length = w->length - w->before;
    int32_t output = a->states[state].output;
    for (; output != AUTOMATON_NONE; output = a->outputs[output].next) {
        const struct term *t = &w->lexicon->terms[a->outputs[output].id];
        if (t->length < length) {
            break;
        }
        consider(w, t, until);
    }
}

static void walk_on(struct walk *w, int32_t state, size_t at);

/* The letter once more: keys hold it once. */
static void walk_repeat(struct walk *w, int32_t state, size_t at, size_t size) {
    uint32_t *cell = &w->cells[w->length - size];
    uint32_t before = *cell;
    if ((before & CELL_RUN) < CELL_RUN) {
        *cell += 1U << CELL_RUN_SHIFT;
    }
    walk_on(w, state, at + 1);
    *cell = before;
}

static void walk_letter(struct walk *w, int32_t state, size_t at,
                        const unsigned char *letter, size_t size) {
    size_t length = w->length;
    if (length - w->before >= size &&
        memcmp(w->text + length - size, letter, size) == 0) {
        walk_repeat(w, state, at, size);
        return;
    }
    for (size_t i = 0; i < size && state != AUTOMATON_NONE; i++) {
        state = automaton_child(&w->lexicon->automaton, state, letter[i]);
    }
    if (state == AUTOMATON_NONE) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        w->cells[length + i] = 1U << CELL_RUN_SHIFT;
        w->text[length + i] = (char)letter[i];
    }
    w->length += size;
    walk_on(w, state, at + 1);
    w->length = length;
}

/* Every letter that some key has here; `begun` bytes of it are in letter. */
static void walk_any(struct walk *w, int32_t state, int32_t parent, size_t at,
                     unsigned char letter[4], size_t begun) {
    const struct automaton *a = &w->lexicon->automaton;
    uint8_t code = a->child[parent];
    while (code && w->steps) {
        int32_t next = a->states[parent].base + code;
        letter[begun] = a->letter[code];
        size_t size = utf8_size(letter[0]);
        if (letter[begun] == ' ') {
            ;
        } else if (begun + 1 < size) {
            walk_any(w, state, next, at, letter, begun + 1);
        } else {
            walk_letter(w, state, at, letter, size);
        }
        code = a->sibling[next];
    }
}

static void walk_on(struct walk *w, int32_t state, size_t at) {
    if (w->steps == 0) {
        return;
    }
    w->steps--;
    if (w->length > w->before) {
        consider_outputs(w, state, at);
    }
    if (at == w->count || w->length + 8 + 64 >= TEXT_MAX) {
        return;
    }
    const struct part *p = &w->parts[at];
    for (size_t i = 0; i < p->readings; i++) {
        walk_letter(w, state, at, p->letter[i], p->size[i]);
    }
    if (p->kind == PART_STAR && w->length > w->before) {
        unsigned char letter[4];
        size_t size = 1;
        while (utf8_is_tail((unsigned char)w->text[w->length - size])) {
            size++;
        }
        walk_repeat(w, state, at, size);
        walk_any(w, state, state, at, letter, 0);
    }
}

static bool hides_in(const struct walk *w, size_t from, size_t until) {
    for (size_t i = from; i < until; i++) {
        if (disguise_hides(&w->parts[i])) {
            return true;
        }
    }
    return false;
}

/* Walks from every part; a term found is jumped over. */
static void walk_all(struct walk *w) {
    w->length = 1;
    w->text[0] = ' ';
    w->cells[0] = 0;
    for (size_t from = 0; from < w->count;) {
        size_t length = w->length;
        w->from = from;
        w->before = length;
        w->best = 0;
        unsigned steps = w->steps_left ? STEPS_MAX : STEPS_POOR;
        w->steps = steps;
        walk_on(w, AUTOMATON_ROOT, from);
        steps -= w->steps;
        w->steps_left = w->steps_left > steps ? w->steps_left - steps : 0;
        if (w->best && (w->mode != MODE_WORD || hides_in(w, from, from + w->best))) {
            struct lexicon_hit where = {.start = w->parts[from].start,
                                        .end = w->parts[from + w->best - 1].end,
                                        .disguised = true,
                                        .meant =
                                            w->term->inflection != INFLECTION_ARABIC};
            lexicon_hit_add(w->hits, w->lexicon, w->term, where);
        }
        size_t next = from + (w->best ? w->best : 1);
        if (w->mode == MODE_JOINED) {
            break;
        }
        for (; from < next && w->length + 72 < TEXT_MAX; from++) {
            text_put_part(w, &w->parts[from]);
        }
        from = next;
    }
}

/* Takes parts[from..until) without gaps, stars as told, and walks them. */
static void walk_parts(struct walk *w, const struct part *parts, size_t from,
                       size_t until, enum mode mode, enum stars stars) {
    w->mode = mode;
    w->count = 0;
    for (size_t i = from; i < until; i++) {
        bool star = parts[i].kind == PART_STAR;
        if (parts[i].kind == PART_GAP || (star && stars == STARS_NONE) ||
            (star && stars == STARS_ONE && i > from && parts[i - 1].kind == PART_STAR)) {
            continue;
        }
        w->parts[w->count++] = parts[i];
    }
    walk_all(w);
}

struct census {
    size_t letters, hidden, stars, star_rows, gaps;
};

static struct census census_of(const struct part *parts, size_t from, size_t until) {
    struct census c = {0};
    for (size_t i = from; i < until; i++) {
        bool star = parts[i].kind == PART_STAR;
        c.letters += parts[i].kind <= PART_SIGN;
        c.hidden += parts[i].kind != PART_GAP && disguise_hides(&parts[i]);
        c.stars += star;
        c.star_rows += star && (i == from || parts[i - 1].kind != PART_STAR);
        c.gaps += parts[i].kind == PART_GAP;
    }
    return c;
}

static bool is_latin(const struct part *part) {
    return part->readings && part->letter[0][0] < 0x80;
}

/* A piece between gaps. Two rows of stars of unknown length leave too much open in scripts that
   write no vowels. */
static void piece_walk(struct walk *w, const struct part *parts, size_t from,
                       size_t until) {
    struct census c = census_of(parts, from, until);
    if (c.hidden == 0 || c.letters == 0) {
        return;
    }
    if (c.stars == 0) {
        walk_parts(w, parts, from, until, MODE_WORD, STARS_EACH);
        return;
    }
    walk_parts(w, parts, from, until, MODE_WORD, STARS_EACH);
    if (c.stars > c.star_rows && (c.star_rows == 1 || is_latin(&parts[from]))) {
        walk_parts(w, parts, from, until, MODE_WORD, STARS_ONE);
    }
    walk_parts(w, parts, from, until, MODE_JOINED, STARS_NONE);
}

static bool same_gap(const struct part *parts, size_t a, size_t b) {
    return a == 0 || parts[a].codepoint == parts[b].codepoint;
}

/* Rows of letters one by one: all of the row, and where the sign between them changes, its pieces. */
static void spread_walk(struct walk *w, const struct part *parts, size_t from,
                        size_t until, size_t letters, bool uniform) {
    if (letters < SPREAD_MIN) {
        return;
    }
    walk_parts(w, parts, from, until, w->spread, STARS_NONE);
    if (uniform) {
        return;
    }
    size_t start = from, gap = 0, count = 0;
    for (size_t i = from; i <= until; i++) {
        bool is_gap =
            i < until && (parts[i].kind == PART_GAP || parts[i].kind == PART_STAR);
        bool breaks = i == until || (is_gap && !same_gap(parts, gap, i));
        if (breaks && count >= SPREAD_MIN) {
            walk_parts(w, parts, start, i, w->spread, STARS_NONE);
        }
        if (breaks) {
            start = i;
            count = 0;
        }
        gap = is_gap ? i : gap;
        count += !is_gap;
    }
}

static bool is_gap(const struct part *p) {
    return p->kind == PART_GAP || p->kind == PART_STAR;
}

/* Looks for rows of letters with a gap on either side of each. */
static void spreads_find(struct walk *w, const struct part *parts, size_t count) {
    size_t start = 0, last = 0, letters = 0, gap = 0;
    bool uniform = true;
    for (size_t i = 0; i < count; i++) {
        if (is_gap(&parts[i])) {
            uniform = uniform && same_gap(parts, gap, i);
            gap = i;
            continue;
        }
        bool alone = (i == 0 || is_gap(&parts[i - 1])) &&
                     (i + 1 == count || is_gap(&parts[i + 1]));
        if (!alone) {
            spread_walk(w, parts, start, last, letters, uniform);
            letters = 0;
        } else if (letters++ == 0) {
            start = i;
            gap = 0;
            uniform = true;
        }
        last = i + 1;
    }
    spread_walk(w, parts, start, last, letters, uniform);
}

static void window_walk(struct walk *w, const struct part *parts, size_t count,
                        bool spaced) {
    size_t from = 0;
    while (count && parts[count - 1].kind == PART_GAP) {
        count--;
    }
    while (from < count && parts[from].kind == PART_GAP) {
        from++;
    }
    struct census c = census_of(parts, from, count);
    w->spread = spaced ? MODE_SPACED : MODE_SPREAD;
    if (c.gaps || c.stars > 1) {
        spreads_find(w, parts + from, count - from);
    }
    if (spaced) {
        return;
    }
    if (c.gaps && c.letters <= JOINED_MAX) {
        walk_parts(w, parts, from, count, MODE_JOINED, STARS_NONE);
    }
    for (size_t i = from; i < count;) {
        size_t end = i;
        while (end < count && parts[end].kind != PART_GAP) {
            end++;
        }
        piece_walk(w, parts, i, end);
        i = end + 1;
    }
}

/* '!' and its like stand for a letter only between letters. */
static void edges_clear(struct part *parts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool loose = i == 0 || i + 1 == count || parts[i - 1].kind > PART_STAR ||
                     parts[i + 1].kind > PART_STAR;
        bool weak = parts[i].kind == PART_SIGN && parts[i].codepoint != '$' &&
                    parts[i].codepoint != '@' && parts[i].codepoint < 0x80;
        if (weak && loose) {
            parts[i].kind = PART_GAP;
            parts[i].readings = 0;
        }
    }
}

void lexicon_disguise(const struct lexicon *l, uint64_t locales, const char *s,
                      const struct reading *reading, struct lexicon_hits *hits) {
    struct walk w = {
        .lexicon = l, .locales = locales, .hits = hits, .steps_left = STEPS_TEXT};
    struct part parts[DISGUISE_PARTS_MAX];
    for (size_t i = 0; i < reading->suspect_count; i++) {
        const struct suspect *suspect = &reading->suspects[i];
        for (size_t at = suspect->start; at < suspect->end;) {
            size_t count = disguise_read(s, suspect->end, &at, parts);
            edges_clear(parts, count);
            window_walk(&w, parts, count, suspect->spaced);
        }
    }
}
