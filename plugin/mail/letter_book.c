/* SPDX-License-Identifier: MIT */
/* Compiles all at once: a few milliseconds for some hundred small templates. */
#include "mail/letter_book.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/asset.h"
#include "base/locale.h"
#include "base/memory.h"
#include "mail/lint.h"

#define BOOK_FOLDER "plugin/mail/template/"

enum { BOOK_SHIPPED_MAX = 64, BOOK_ROWS_MAX = 1000, BOOK_WORDS_MAX = 512, BOOK_LOCALES = 6 };

struct shipped {
    const char *file; /* "request.txt" */
    struct template *template;
};

struct words {
    const char *locale;
    struct letter_word *words;
    size_t count;
};

struct letter_book {
    bool codes;
    json_t *source; /* the rows, for their names */
    json_t *faults;
    struct shipped shipped[BOOK_SHIPPED_MAX];
    size_t shipped_count;
    struct words words[BOOK_LOCALES];
    struct letter_row *rows;
    size_t row_count;
};

static void free_row(struct letter_row *row) {
    template_free(row->subject);
    template_free(row->text);
    template_free(row->html);
    memset(row, 0, sizeof *row);
}

void letter_book_close(struct letter_book *book) {
    if (!book)
        return;
    for (size_t i = 0; i < book->shipped_count; i++)
        template_free(book->shipped[i].template);
    for (size_t i = 0; i < BOOK_LOCALES; i++) {
        for (size_t w = 0; w < book->words[i].count; w++)
            template_free(book->words[i].words[w].template);
        memory_free(book->words[i].words);
    }
    for (size_t i = 0; i < book->row_count; i++)
        free_row(&book->rows[i]);
    memory_free(book->rows);
    json_decref(book->faults);
    json_decref(book->source);
    memory_free(book);
}

static int compile_shipped(struct letter_book *book, struct error *error) {
    const struct asset *asset = NULL;
    int rc = 0;
    while (!rc && (asset = asset_next(BOOK_FOLDER, asset)) &&
           book->shipped_count < BOOK_SHIPPED_MAX) {
        struct shipped *next = &book->shipped[book->shipped_count];
        next->file = asset->name + sizeof BOOK_FOLDER - 1;
        rc = template_compile(asset->data, asset->size, &next->template, error);
        book->shipped_count += rc == 0;
    }
    return rc;
}

/* "mail.held.subject" is name subject of space held, "kind.percent" name percent of space
   kind. False for keys of other domains. */
static bool name_word(const char *key, struct letter_word *word) {
    const char *dot;
    bool mail = strncmp(key, "mail.", 5) == 0;
    if (!mail && strncmp(key, "kind.", 5) != 0)
        return false;
    word->space = mail ? key + 5 : key;
    dot = strchr(word->space, '.');
    if (!dot)
        return false;
    word->space_length = (size_t)(dot - word->space);
    word->name = dot + 1;
    word->name_length = strcspn(word->name, ".");
    word->variant =
        word->name[word->name_length] ? word->name + word->name_length + 1 : NULL;
    return true;
}

static int compile_words(struct words *words, const char *locale, struct error *error) {
    const char *key;
    json_t *text;
    /* jansson walks an object only through a pointer to what is not const. */
    json_t *catalogue = (json_t *)(uintptr_t)locale_catalogue(locale);
    int rc = 0;

    words->locale = locale;
    words->words = memory_zero(BOOK_WORDS_MAX, sizeof *words->words);
    if (!words->words)
        return error_set(error, ERROR_FAILED, "", "no memory for the words of mails");
    json_object_foreach(catalogue, key, text) {
        struct letter_word *word = &words->words[words->count];
        if (rc || words->count == BOOK_WORDS_MAX || !json_is_string(text) ||
            !name_word(key, word))
            continue;
        rc = template_compile(json_string_value(text), json_string_length(text),
                              &word->template, error);
        words->count += rc == 0;
    }
    return rc;
}

static const char *part_of(const json_t *row, const char *part) {
    const char *text = json_string_value(json_object_get(row, part));
    return text && *text ? text : NULL;
}

static int add_fault(struct letter_book *book, const json_t *row, const char *part,
                     int64_t line, const char *rule, const char *text) {
    json_t *fault =
        json_pack("{s:O, s:O, s:s, s:I, s:s, s:s}", "kind", json_object_get(row, "kind"),
                  "locale", json_object_get(row, "locale"), "part", part, "line",
                  (json_int_t)line, "rule", rule, "text", text);
    return fault && !json_array_append_new(book->faults, fault) ? 0 : ERROR_FAILED;
}

static bool holds_page(const char *html) {
    return strcasestr(html, "<html") != NULL;
}

struct word_search {
    const struct letter_book *book;
    const char *kind;
};

static bool in_space(const struct letter_word *word, const char *space) {
    return strlen(space) == word->space_length &&
           memcmp(word->space, space, word->space_length) == 0;
}

/* reminder and discount share the request's strings. */
static bool known_word(const void *self, const char *name) {
    const struct word_search *search = self;
    bool asks = letter_book_asks(search->kind);
    size_t count, n = strlen(name);
    const struct letter_word *word = letter_book_words(search->book, "en", &count);
    for (const struct letter_word *end = word + count; word < end; word++)
        if (word->name_length == n && memcmp(word->name, name, n) == 0 &&
            (in_space(word, search->kind) || in_space(word, "common") ||
             (asks && in_space(word, "request"))))
            return true;
    return false;
}

/* 1: faults were noted. */
static int lint_part(struct letter_book *book, const json_t *row, const char *part,
                     const struct template *made, struct error *error) {
    struct word_search search = {book, part_of(row, "kind")};
    const struct lint_part checked = {.kind = search.kind,
                                      .part = part,
                                      .source = part_of(row, part),
                                      .template = made,
                                      .codes = book->codes,
                                      /* the shipped frame has the link already */
                                      .optout = letter_book_asks(search.kind) &&
                                                holds_page(part_of(row, part)),
                                      .known_word = known_word,
                                      .self = &search};
    json_t *found = json_array(), *fault;
    size_t i;
    int rc = found ? lint_check(&checked, found) : ERROR_FAILED;
    json_array_foreach(found, i, fault) if (!rc) rc = add_fault(
        book, row, part, json_integer_value(json_object_get(fault, "line")),
        json_string_value(json_object_get(fault, "rule")),
        json_string_value(json_object_get(fault, "text")));
    if (!rc && json_array_size(found) > 0)
        rc = 1;
    json_decref(found);
    return rc < 0 ? error_set(error, rc, "", "no memory for mail templates") : rc;
}

/* 1: the part is faulty, and why was noted. */
static int compile_part(struct letter_book *book, const json_t *row, const char *part,
                        struct template **made, struct error *error) {
    const char *text = part_of(row, part);
    struct error why = {0};
    int rc = text ? template_compile(text, strlen(text), made, &why) : 0;
    if (rc == ERROR_INVALID)
        return add_fault(book, row, part, 0, "syntax", why.detail) ? ERROR_FAILED : 1;
    if (rc)
        return error_set(error, rc, "", "%s", why.detail);
    return text ? lint_part(book, row, part, *made, error) : 0;
}

static int add_row(struct letter_book *book, const json_t *from, struct error *error) {
    struct letter_row *row = &book->rows[book->row_count];
    const char *html = part_of(from, "html");
    int rc;
    row->kind = part_of(from, "kind");
    row->locale = part_of(from, "locale");
    row->page = html && holds_page(html);
    if (!row->kind || !row->locale)
        return 0;
    size_t known = json_array_size(book->faults);
    rc = compile_part(book, from, "subject", &row->subject, error);
    if (rc >= 0)
        rc = compile_part(book, from, "text", &row->text, error);
    if (rc >= 0)
        rc = compile_part(book, from, "html", &row->html, error);
    if (json_array_size(book->faults) > known) {
        const json_t *fault = json_array_get(book->faults, known);
        row->fault = json_string_value(json_object_get(fault, "text"));
    }
    book->row_count++;
    return rc < 0 ? rc : 0;
}

static int add_rows(struct letter_book *book, struct error *error) {
    size_t count = json_array_size(book->source);
    int rc = 0;
    if (count > BOOK_ROWS_MAX)
        count = BOOK_ROWS_MAX;
    book->rows = memory_zero(count + 1, sizeof *book->rows);
    book->faults = json_array();
    if (!book->rows || !book->faults)
        return error_set(error, ERROR_FAILED, "", "no memory for mail templates");
    for (size_t i = 0; !rc && i < count; i++)
        rc = add_row(book, json_array_get(book->source, i), error);
    return rc;
}

int letter_book_open(const json_t *rows, bool codes, struct letter_book **book,
                     struct error *error) {
    static const char *const locales[BOOK_LOCALES] = {"en", "es", "pt", "ar", "fa", "lv"};
    struct letter_book *made = memory_zero(1, sizeof *made);
    int rc = ERROR_FAILED;
    *book = NULL;
    if (made) {
        made->source = json_deep_copy(rows);
        made->codes = codes;
    }
    if (!made || (rows && !made->source)) {
        error_set(error, ERROR_FAILED, "", "no memory for mail templates");
        goto out;
    }
    rc = compile_shipped(made, error);
    for (size_t i = 0; !rc && i < BOOK_LOCALES; i++)
        rc = compile_words(&made->words[i], locales[i], error);
    rc = rc ? rc : add_rows(made, error);
    if (!rc) {
        *book = made;
        made = NULL;
    }
out:
    letter_book_close(made);
    return rc;
}

bool letter_book_asks(const char *kind) {
    return strcmp(kind, "request") == 0 || strcmp(kind, "reminder") == 0 ||
           strcmp(kind, "discount") == 0;
}

const json_t *letter_book_faults(const struct letter_book *book) {
    return book->faults;
}

const struct template *letter_book_shipped(const struct letter_book *book,
                                           const char *name, const char *suffix) {
    size_t n = strlen(name);
    for (size_t i = 0; i < book->shipped_count; i++)
        if (strncmp(book->shipped[i].file, name, n) == 0 &&
            strcmp(book->shipped[i].file + n, suffix) == 0)
            return book->shipped[i].template;
    return NULL;
}

/* How well a row fits: 3 the locale itself, 2 its language, 1 any, 0 not. */
static int row_fits(const struct letter_row *row, const char *kind, const char *locale) {
    size_t language = strcspn(locale, "-_");
    if (strcmp(row->kind, kind) != 0)
        return 0;
    if (strcmp(row->locale, locale) == 0)
        return 3;
    if (strlen(row->locale) == language && strncmp(row->locale, locale, language) == 0)
        return 2;
    return strcmp(row->locale, "*") == 0 ? 1 : 0;
}

const struct letter_row *letter_book_row(const struct letter_book *book, const char *kind,
                                         const char *locale) {
    const struct letter_row *best = NULL;
    int fits = 0;
    for (size_t i = 0; i < book->row_count; i++) {
        int now = row_fits(&book->rows[i], kind, locale);
        if (now > fits) {
            fits = now;
            best = &book->rows[i];
        }
    }
    return best;
}

const struct letter_word *letter_book_words(const struct letter_book *book,
                                            const char *locale, size_t *count) {
    const struct words *words = &book->words[0];
    for (size_t i = 0; i < BOOK_LOCALES; i++)
        if (strcmp(book->words[i].locale, locale) == 0)
            words = &book->words[i];
    *count = words->count;
    return words->words;
}
