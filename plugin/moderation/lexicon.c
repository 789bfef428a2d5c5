/* SPDX-License-Identifier: MIT */
/* Compiles rows into folded terms, their exceptions and one automaton. */
#include "moderation/lexicon.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "moderation/aim.h"
#include "moderation/lexicon_inner.h"
#include "moderation/utf8.h"

enum { POOL_MAX = 256 << 20, EXCEPTIONS_MAX = 200, ROOM_FIRST = 256 };

static const char *const categories[LEXICON_CATEGORIES] = {
    [LEXICON_INSULT] = "insult", [LEXICON_PROFANITY] = "profanity",
    [LEXICON_HATE] = "hate",     [LEXICON_SEXUAL] = "sexual",
    [LEXICON_THREAT] = "threat",
};

static const char *const matches[] = {
    [MATCH_WORD] = "word", [MATCH_STEM] = "stem", [MATCH_ANYWHERE] = "anywhere"};

struct compiler {
    struct lexicon *lexicon;
    struct buffer pool;
    size_t term_room, harmless_room;
    struct error *error;
};

/* One row, checked and borrowed. */
struct row {
    const char *locale, *term;
    int category, match;
    int64_t severity;
    const json_t *exceptions;
};

static int name_find(const char *const names[], size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int row_read(const json_t *object, const char *pointer, struct row *row,
                    struct error *error) {
    struct field f = {object, pointer, error};
    const char *category, *match = "word";
    if (json_need_string(&f, "locale", 35, &row->locale) ||
        json_need_string(&f, "term", LEXICON_TERM_BYTES_MAX, &row->term) ||
        json_need_string(&f, "category", 20, &category) ||
        json_need_integer(&f, "severity", LEXICON_MILD, LEXICON_SEVERE, &row->severity) ||
        json_take_string(&f, "match", 20, &match) ||
        json_take_array(&f, "exceptions", EXCEPTIONS_MAX, &row->exceptions)) {
        return ERROR_INVALID;
    }
    row->category = name_find(categories, LEXICON_CATEGORIES, category);
    row->match = name_find(matches, 3, match ? match : "word");
    if (row->category < 0) {
        return error_set(error, ERROR_INVALID, pointer, "category is none of the five");
    }
    if (row->match < 0) {
        return error_set(error, ERROR_INVALID, pointer,
                         "match is not word, stem or anywhere");
    }
    return ERROR_NONE;
}

/* The number of a language; LOCALE_ANY for "*"; -1 when it is unknown. */
static int locale_find(const struct lexicon *l, const char *locale) {
    size_t n = strcspn(locale, "-_.");
    if (strcmp(locale, "*") == 0) {
        return LOCALE_ANY;
    }
    for (size_t i = 0; i < l->locale_count; i++) {
        if (strlen(l->locales[i]) == n && memcmp(l->locales[i], locale, n) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int locale_number(struct lexicon *l, const char *locale) {
    int known = locale_find(l, locale);
    size_t n = strcspn(locale, "-_.");
    if (known >= 0) {
        return known;
    }
    if (n == 0 || n >= sizeof l->locales[0] || l->locale_count == LEXICON_LOCALES_MAX) {
        return -1;
    }
    memcpy(l->locales[l->locale_count], locale, n);
    l->locales[l->locale_count][n] = '\0';
    l->aims[l->locale_count] = aim_words(l->locales[l->locale_count]);
    return (int)l->locale_count++;
}

static int rooms_need(struct compiler *c) {
    struct lexicon *l = c->lexicon;
    if (l->term_count == c->term_room) {
        size_t room = c->term_room ? 2 * c->term_room : ROOM_FIRST;
        struct term *terms = memory_grow(l->terms, room * sizeof *terms);
        if (!terms) {
            return ERROR_FAILED;
        }
        l->terms = terms;
        c->term_room = room;
    }
    if (l->harmless_count + EXCEPTIONS_MAX > c->harmless_room) {
        size_t room = 2 * c->harmless_room + 2 * EXCEPTIONS_MAX;
        struct harmless *harmless = memory_grow(l->harmless, room * sizeof *harmless);
        if (!harmless) {
            return ERROR_FAILED;
        }
        l->harmless = harmless;
        c->harmless_room = room;
    }
    return ERROR_NONE;
}

/* Counts letters and appends the run of each byte behind the folded text. */
static void term_spell(struct compiler *c, struct term *t, const struct reading *r) {
    for (size_t i = 1; i + 1 < r->length; i++) {
        unsigned run = normalise_run(r, i);
        if (utf8_is_tail((unsigned char)r->text[i])) {
            run = 0;
        }
        t->letters = (uint8_t)(t->letters + (run > 0));
        t->spelled = (uint8_t)(t->spelled + run);
        unsigned marks = (r->cells[i] & CELL_TILDE ? RUN_TILDE : 0) |
                         (r->cells[i] & CELL_MARK ? RUN_MARK : 0);
        buffer_char(&c->pool, (char)(run | marks));
    }
}

static int term_fold(struct compiler *c, struct term *t, const char *written) {
    struct reading r;
    int result = normalise(written, strlen(written), &r);
    if (result == ERROR_NONE && (r.length < 3 || r.length - 2 > LEXICON_TERM_BYTES_MAX)) {
        result = ERROR_INVALID;
    }
    if (result == ERROR_NONE) {
        t->length = (uint8_t)(r.length - 2);
        t->text = (uint32_t)c->pool.length;
        buffer_append(&c->pool, r.text + 1, t->length);
        buffer_char(&c->pool, '\0');
        term_spell(c, t, &r);
    }
    normalise_free(&r);
    return result;
}

/* A letter alone is no term, but a sign or an ideograph is. */
static bool term_has_substance(const struct compiler *c, const struct term *t) {
    unsigned char lead = (unsigned char)c->pool.data[t->text];
    return t->spelled >= 2 || lead >= 0xE2;
}

static int harmless_add(struct compiler *c, const struct term *t, const char *written) {
    struct lexicon *l = c->lexicon;
    struct reading r;
    int result = normalise(written, strlen(written), &r);
    if (result == ERROR_NONE) {
        result = ERROR_INVALID;
        const char *found = r.length > 2 ? memmem(r.text + 1, r.length - 2,
                                                  c->pool.data + t->text, t->length)
                                         : NULL;
        if (found && r.length < UINT16_MAX && r.length - 2 > t->length) {
            struct harmless *h = &l->harmless[l->harmless_count++];
            h->text = (uint32_t)c->pool.length;
            h->length = (uint16_t)(r.length - 2);
            h->at = (uint16_t)(found - r.text - 1);
            buffer_append(&c->pool, r.text + 1, h->length);
            result = ERROR_NONE;
        }
    }
    normalise_free(&r);
    return result;
}

static int exceptions_add(struct compiler *c, struct term *t, const json_t *exceptions,
                          const char *pointer) {
    t->harmless = (uint32_t)c->lexicon->harmless_count;
    size_t count = json_array_size(exceptions);
    for (size_t i = 0; i < count; i++) {
        const char *written = json_string_value(json_array_get(exceptions, i));
        int result = written ? harmless_add(c, t, written) : ERROR_INVALID;
        if (result == ERROR_FAILED) {
            return result;
        }
        if (result) {
            error_set(c->error, ERROR_INVALID, pointer,
                      "exception %zu does not hold the term", i);
        }
    }
    t->harmless_count = (uint16_t)(c->lexicon->harmless_count - t->harmless);
    return ERROR_NONE;
}

static int term_add(struct compiler *c, const struct row *row, const char *written,
                    const char *pointer) {
    struct lexicon *l = c->lexicon;
    int locale = locale_number(l, row->locale);
    if (locale < 0) {
        return error_set(c->error, ERROR_INVALID, pointer,
                         "locale is no language, or one too many");
    }
    if (rooms_need(c)) {
        return ERROR_FAILED;
    }
    struct term *t = &l->terms[l->term_count];
    *t = (struct term){.written = (uint32_t)c->pool.length,
                       .locale = (uint8_t)locale,
                       .category = (uint8_t)row->category,
                       .severity = (uint8_t)row->severity,
                       .match = (uint8_t)row->match};
    t->marks = locale != LOCALE_ANY && inflection_marks(l->locales[locale]);
    t->inflection =
        (uint8_t)inflection_of(locale == LOCALE_ANY ? "" : l->locales[locale]);
    buffer_append(&c->pool, row->term, strlen(row->term) + 1);
    int result = term_fold(c, t, written);
    if (result == ERROR_FAILED) {
        return result;
    }
    if (result || !buffer_ok(&c->pool) || !term_has_substance(c, t)) {
        return error_set(c->error, ERROR_INVALID, pointer,
                         "term is too short or too long");
    }
    if (exceptions_add(c, t, row->exceptions, pointer)) {
        return ERROR_FAILED;
    }
    l->term_count++;
    return ERROR_NONE;
}

/* Persian writes parts of a word apart, together or with a joiner: the joined form comes free. */
static int joined_add(struct compiler *c, const struct row *row, const char *pointer) {
    if (strncmp(row->locale, "fa", 2) != 0 || !strchr(row->term, ' ')) {
        return ERROR_NONE;
    }
    char joined[LEXICON_TERM_BYTES_MAX + 1];
    size_t n = 0;
    for (const char *p = row->term; *p && n < LEXICON_TERM_BYTES_MAX; p++) {
        if (*p != ' ') {
            joined[n++] = *p;
        }
    }
    joined[n] = '\0';
    struct row bare = *row;
    bare.exceptions = NULL;
    return term_add(c, &bare, joined, pointer);
}

static int rows_add(struct compiler *c, const json_t *terms) {
    size_t count = json_array_size(terms);
    for (size_t i = 0; i < count && c->lexicon->term_count < LEXICON_TERMS_MAX; i++) {
        struct row row = {0};
        char pointer[160];
        json_point_at(pointer, "", i);
        int result = row_read(json_array_get(terms, i), pointer, &row, c->error);
        result = result ? result : term_add(c, &row, row.term, pointer);
        result = result ? result : joined_add(c, &row, pointer);
        if (result == ERROR_FAILED) {
            return result;
        }
        c->lexicon->left_out += result != ERROR_NONE;
    }
    if (count > LEXICON_TERMS_MAX) {
        c->lexicon->left_out += count - LEXICON_TERMS_MAX;
    }
    return buffer_ok(&c->pool) ? ERROR_NONE : ERROR_FAILED;
}

static int automaton_make(struct lexicon *l) {
    struct automaton_key *keys = memory_zero(l->term_count + 1, sizeof *keys);
    if (!keys) {
        return ERROR_FAILED;
    }
    for (size_t i = 0; i < l->term_count; i++) {
        keys[i] = (struct automaton_key){term_text(l, &l->terms[i]), l->terms[i].length,
                                         (uint32_t)i};
    }
    int result = automaton_build(keys, l->term_count, &l->automaton);
    memory_free(keys);
    return result;
}

int lexicon_compile(const json_t *terms, struct lexicon **out, struct error *error) {
    *out = NULL;
    if (!json_is_array(terms)) {
        return error_set(error, ERROR_INVALID, "", "the terms are no array");
    }
    struct compiler c = {.lexicon = memory_zero(1, sizeof *c.lexicon), .error = error};
    buffer_init(&c.pool, POOL_MAX);
    int result = ERROR_FAILED;
    if (!c.lexicon || rows_add(&c, terms)) {
        goto out;
    }
    c.lexicon->pool_length = c.pool.length;
    c.lexicon->pool = buffer_steal(&c.pool);
    if (!c.lexicon->pool || automaton_make(c.lexicon)) {
        goto out;
    }
    *out = c.lexicon;
    c.lexicon = NULL;
    result = ERROR_NONE;
out:
    if (result) {
        error_set(error, result, "", "no memory for the lexicon");
    }
    buffer_free(&c.pool);
    lexicon_free(c.lexicon);
    return result;
}

void lexicon_free(struct lexicon *lexicon) {
    if (!lexicon) {
        return;
    }
    automaton_free(&lexicon->automaton);
    memory_free(lexicon->terms);
    memory_free(lexicon->harmless);
    memory_free(lexicon->pool);
    memory_free(lexicon);
}

size_t lexicon_left_out(const struct lexicon *lexicon) {
    return lexicon->left_out;
}

size_t lexicon_bytes(const struct lexicon *l) {
    return sizeof *l + automaton_bytes(&l->automaton) + l->term_count * sizeof *l->terms +
           l->harmless_count * sizeof *l->harmless + l->pool_length;
}

uint64_t lexicon_locales(const struct lexicon *lexicon, const char *locale) {
    uint64_t mask = UINT64_C(1) << LOCALE_ANY;
    int number = locale ? locale_find(lexicon, locale) : -1;
    return number < 0 ? mask : mask | UINT64_C(1) << number;
}

uint64_t lexicon_locales_all(const struct lexicon *lexicon) {
    (void)lexicon;
    return ~UINT64_C(0);
}

bool lexicon_speaks(const struct lexicon *lexicon, const char *locale) {
    return locale && strcmp(locale, "*") != 0 && locale_find(lexicon, locale) >= 0;
}

const char *lexicon_term(const struct lexicon *lexicon, uint32_t term) {
    return lexicon->pool + lexicon->terms[term].written;
}

const char *lexicon_category_name(enum lexicon_category category) {
    return categories[category];
}
