/* SPDX-License-Identifier: MIT */
/* The plain reading: one pass over the bytes, table-driven, with a short way for ASCII. */
#include "moderation/normalise.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "moderation/fold_table.h"
#include "moderation/utf8.h"

/* What a passage between two spaces holds. */
enum {
    SEEN_LATIN = 1,
    SEEN_DIGIT = 2,
    SEEN_LOOKALIKE = 4,
    SEEN_FIRM = 8,    /* a letter that looks like no Latin one */
    SEEN_SYMBOL = 16, /* a sign that may stand for letters: @ $ * */
    SEEN_GAP = 32,    /* another sign behind a letter */
    SEEN_SPREAD = 64  /* a letter behind such a gap */
};

struct writer {
    unsigned char *text;
    uint32_t *cells;
    size_t at;
    struct suspect *suspects;
    size_t suspect_count;
    unsigned seen;
    unsigned letters; /* characters of the passage, runs counted once */
    size_t passage;   /* where it began */
    size_t spread;    /* where a row of one-letter passages began */
    unsigned singles; /* how many they are */
    size_t spread_end;
    bool marks;
};

/* ASCII: the folded letter or digit, 0 for a separator, 1 for nothing, 2 for a space, 3 for
   a separator that may stand for letters. */
static const unsigned char ascii[128] = {
    1,   1,   1,   1,   1,   1,   1,   1,   1,   2,   2,   2,   2,   2,   1,   1,
    1,   1,   1,   1,   1,   1,   1,   1,   1,   1,   1,   1,   1,   1,   1,   1,
    2,   0,   0,   0,   3,   0,   0,   4,   0,   0,   3,   0,   0,   0,   0,   0,
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0,   0,   0,   0,   0,   0,
    3,   'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0,   0,   0,   0,   0,
    0,   'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0,   0,   0,   0,   1};

static void suspect_add(struct writer *w, size_t start, size_t end, unsigned spaced) {
    struct suspect *suspect = &w->suspects[w->suspect_count++];
    suspect->start = (uint32_t)start;
    suspect->end = (uint32_t)end;
    suspect->spaced = spaced;
}

static void spread_close(struct writer *w) {
    if (w->singles >= 3) {
        suspect_add(w, w->spread, w->spread_end, 1);
    }
    w->singles = 0;
}

static bool passage_is_suspect(unsigned seen) {
    unsigned letters = seen & (SEEN_LATIN | SEEN_LOOKALIKE | SEEN_FIRM);
    if (seen & SEEN_SYMBOL) {
        return true;
    }
    if (!letters) {
        return false;
    }
    if (seen & (SEEN_SPREAD | SEEN_DIGIT)) {
        return true;
    }
    return (seen & SEEN_LOOKALIKE) && ((seen & SEEN_LATIN) || !(seen & SEEN_FIRM));
}

/* A space, or the end of the text, at original offset end. */
static void passage_close(struct writer *w, size_t end) {
    if (w->letters == 1) {
        if (w->singles++ == 0) {
            w->spread = w->passage;
        }
        w->spread_end = end;
    } else if (w->letters > 1) {
        spread_close(w);
    }
    if (w->seen & ~(unsigned)(SEEN_LATIN | SEEN_FIRM | SEEN_GAP) &&
        passage_is_suspect(w->seen)) {
        suspect_add(w, w->passage, end, 0);
    }
    w->seen = 0;
    w->letters = 0;
}

static inline void put_gap(struct writer *w, size_t start) {
    if (w->text[w->at - 1] != ' ') {
        w->cells[w->at] = (uint32_t)start;
        w->text[w->at++] = ' ';
    }
}

static inline void seen_letter(struct writer *w, unsigned kind) {
    if (w->seen & SEEN_GAP) {
        w->seen |= SEEN_SPREAD;
    }
    w->seen |= kind;
}

static inline void run_grow(struct writer *w, size_t at) {
    if ((w->cells[at] & CELL_RUN) < CELL_RUN) {
        w->cells[at] += 1U << CELL_RUN_SHIFT;
    }
}

static inline void put_ascii(struct writer *w, unsigned char c, size_t start) {
    if (w->text[w->at - 1] == c && c > '9') {
        run_grow(w, w->at - 1);
        return;
    }
    w->cells[w->at] = (uint32_t)start | 1U << CELL_RUN_SHIFT;
    w->text[w->at++] = c;
    w->letters++;
}

/* Cheaper than memcmp for a letter. */
static inline bool same(const unsigned char *a, const unsigned char *b, size_t n) {
    while (n > 0 && a[n - 1] == b[n - 1]) {
        n--;
    }
    return n == 0;
}

/* One folded character of `size` bytes. */
static void put_character(struct writer *w, const unsigned char *c, size_t size,
                          size_t start) {
    if (size == 1) {
        put_ascii(w, c[0], start);
        return;
    }
    if (w->at >= size && same(w->text + w->at - size, c, size)) {
        run_grow(w, w->at - size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        w->cells[w->at] = (uint32_t)start | 1U << CELL_RUN_SHIFT;
        w->text[w->at++] = c[i];
    }
    w->letters++;
}

static void put_hangul(struct writer *w, uint32_t codepoint, size_t start) {
    uint32_t s = codepoint - 0xAC00;
    uint32_t jamo[3] = {0x1100 + s / 588, 0x1161 + s % 588 / 28, 0x11A7 + s % 28};
    for (size_t i = 0; i < (s % 28 ? 3U : 2U); i++) {
        unsigned char out[4];
        put_character(w, out, utf8_write(jamo[i], out), start);
    }
}

static void put_mapped(struct writer *w, const struct fold_mapping *m, size_t start) {
    static const unsigned seen[] = {[FOLD_LETTER] = SEEN_FIRM,
                                    [FOLD_IDEOGRAPH] = SEEN_FIRM,
                                    [FOLD_LOOKALIKE] = SEEN_LOOKALIKE,
                                    [FOLD_LATIN] = SEEN_LATIN,
                                    [FOLD_DIGIT] = SEEN_DIGIT};
    seen_letter(w, seen[m->kind]);
    for (size_t i = 0; i < m->length;) {
        const unsigned char *c = fold_pool + m->offset + i;
        put_character(w, c, utf8_size(*c), start);
        i += utf8_size(*c);
    }
}

/* The letter before was written with a diacritic. */
static void mark(struct writer *w, bool tilde) {
    if (w->text[w->at - 1] >= 'a' && w->text[w->at - 1] <= 'z') {
        w->cells[w->at - 1] |=
            tilde && w->text[w->at - 1] == 'n' ? CELL_MARK | CELL_TILDE : CELL_MARK;
        w->marks = true;
    }
}

/* Signs outside ASCII between letters: gaps, but for the typographic apostrophe. */
static void put_separator(struct writer *w, uint32_t codepoint, size_t start) {
    put_gap(w, start);
    if (w->seen && codepoint != 0x2019) {
        w->seen |= SEEN_GAP;
    }
}

static void put_codepoint(struct writer *w, uint32_t cp, const unsigned char *raw,
                          size_t size, size_t start) {
    unsigned entry = fold_of(cp);
    if (entry >= FOLD_MAPPED) {
        put_mapped(w, &fold_mapping[entry - FOLD_MAPPED], start);
        if (cp >= 0xC0 && cp < 0x250) {
            mark(w, cp == 0xF1 || cp == 0xD1);
        }
    } else if (entry == FOLD_DROP) {
        if (cp >= 0x300 && cp < 0x370) {
            mark(w, cp == 0x303);
        }
    } else if (entry == FOLD_SPACE) {
        put_gap(w, start);
        passage_close(w, start);
        w->passage = start + size;
    } else if (entry == FOLD_SEPARATOR) {
        put_separator(w, cp, start);
    } else if (entry == FOLD_SYMBOL) {
        unsigned letters = w->letters;
        put_character(w, raw, size, start);
        w->letters = letters;
        w->seen |= w->seen ? SEEN_GAP : 0;
    } else if (entry == FOLD_HANGUL) {
        seen_letter(w, SEEN_FIRM);
        put_hangul(w, cp, start);
    } else {
        seen_letter(w, SEEN_FIRM);
        put_character(w, raw, size, start);
    }
}

static inline void put_ascii_sign(struct writer *w, unsigned kind, size_t start) {
    if (kind == 1) {
        return;
    }
    put_gap(w, start);
    if (kind == 2) {
        passage_close(w, start);
        w->passage = start + 1;
    } else if (kind == 3) {
        w->seen |= SEEN_SYMBOL;
    } else if (kind == 0 && w->seen) {
        w->seen |= SEEN_GAP;
    }
}

static void read_all(struct writer *w, const unsigned char *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        unsigned c = s[i];
        if (c < 0x80) {
            unsigned kind = ascii[c];
            if (kind >= '0') {
                seen_letter(w, kind > '9' ? SEEN_LATIN : SEEN_DIGIT);
                put_ascii(w, (unsigned char)kind, i);
            } else {
                put_ascii_sign(w, kind, i);
            }
            i++;
            continue;
        }
        uint32_t cp;
        size_t size = utf8_read(s + i, n - i, &cp);
        if (size == 0) {
            put_ascii_sign(w, 2, i);
            i++;
            continue;
        }
        put_codepoint(w, cp, s + i, size, i);
        i += size;
    }
}

int normalise(const char *s, size_t n, struct reading *out) {
    memset(out, 0, sizeof *out);
    n = n < NORMALISE_MAX ? n : NORMALISE_MAX;
    size_t room = 3 * n + 4;
    out->text = memory_get(room);
    out->cells = memory_get(room * sizeof *out->cells);
    out->suspects = memory_get((2 * n / 3 + 4) * sizeof *out->suspects);
    if (!out->text || !out->cells || !out->suspects) {
        return ERROR_FAILED;
    }
    struct writer w = {.text = (unsigned char *)out->text,
                       .cells = out->cells,
                       .suspects = out->suspects};
    w.cells[0] = 0;
    w.text[w.at++] = ' ';
    read_all(&w, (const unsigned char *)s, n);
    put_gap(&w, n);
    passage_close(&w, n);
    spread_close(&w);
    w.cells[w.at] = (uint32_t)n;
    w.text[w.at] = '\0';
    out->length = w.at;
    out->suspect_count = w.suspect_count;
    out->marks = w.marks;
    return ERROR_NONE;
}

void normalise_free(struct reading *reading) {
    memory_free(reading->text);
    memory_free(reading->cells);
    memory_free(reading->suspects);
    memset(reading, 0, sizeof *reading);
}
