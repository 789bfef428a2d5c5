/* SPDX-License-Identifier: MIT */
/* Every template of mails, compiled: the shipped ones, the catalogues' strings, and the rows of
   mail_template that letters may use. Immutable once made, so that threads share it; a store's
   book is made once per snapshot of its settings. */
#ifndef MAIL_LETTER_BOOK_H
#define MAIL_LETTER_BOOK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "mail/template.h"

struct letter_book;

/* A row of mail_template; a part that is NULL is the shipped one's. */
struct letter_row {
    const char *kind, *locale; /* borrowed from the book */
    struct template *subject, *text, *html;
    bool page;         /* html brings its own frame */
    const char *fault; /* not NULL: the row is not to be used, and why */
};

/* One string of a catalogue: "mail.<space>.<name>" or "mail.<space>.<name>.<variant>", or of
   space "kind": "kind.<name>". */
struct letter_word {
    const char *space, *name, *variant; /* variant NULL: none; not NUL-terminated: */
    size_t space_length, name_length;
    struct template *template;
};

/* rows: of mail_template {locale,kind,subject,text,html}, or NULL; codes: the store gives
   discount codes, see mail/lint.h. A row that does not compile
   or that lint finds fault with is kept with its fault alone: its mails go out as shipped. The
   book is the caller's: letter_book_close, which takes NULL. */
int letter_book_open(const json_t *rows, bool codes, struct letter_book **book,
                     struct error *error);
void letter_book_close(struct letter_book *book);

/* Whether mails of this kind ask for something, and have to say how to be left alone. */
bool letter_book_asks(const char *kind);
/* What is wrong with rows: an array of {"kind","locale","part","line","rule","text"}; borrowed. */
const json_t *letter_book_faults(const struct letter_book *book);
/* name with suffix ".txt" or ".html"; NULL: none. */
const struct template *letter_book_shipped(const struct letter_book *book,
                                           const char *name, const char *suffix);
/* The row of this kind for locale, else for its language, else for *; NULL: none. */
const struct letter_row *letter_book_row(const struct letter_book *book, const char *kind,
                                         const char *locale);
/* All words of a shipped locale (locale_pick). */
const struct letter_word *letter_book_words(const struct letter_book *book,
                                            const char *locale, size_t *count);

#endif
