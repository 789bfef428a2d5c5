/* SPDX-License-Identifier: MIT */
/* What a person typed into the fields of one review: made clean, checked, and kept as it
   was for showing again. */
#ifndef WEB_ENTRY_H
#define WEB_ENTRY_H

#include "web/exchange.h"

enum entry_field { ENTRY_RATING, ENTRY_TITLE, ENTRY_BODY, ENTRY_NAME, ENTRY_FIELDS };

struct entry {
    char *text[ENTRY_FIELDS];        /* "" when empty; never NULL after entry_read */
    const char *fault[ENTRY_FIELDS]; /* a key of the catalogue, NULL: fine */
    size_t limit[ENTRY_FIELDS];      /* characters that would fit, for the message */
    int rating;                      /* 1..5, 0: none chosen */
};

/* raw: values as the form brought them, NULL where there is none. 0 or 500; released with
   entry_free in any case. */
int entry_read(struct entry *entry, const char *const raw[ENTRY_FIELDS]);
void entry_free(struct entry *entry);
bool entry_good(const struct entry *entry);
/* The message of a field's fault, a new reference. */
json_t *entry_message(const struct exchange *x, const struct entry *entry,
                      enum entry_field field);
/* [{value, word, checked}] for the stars; chosen 0: none. A new reference. */
json_t *entry_stars(const struct exchange *x, int chosen);
/* The jsonb that the SQL functions take: words, stars, and what moderation found in the
   words. line_id may be NULL. *body is the caller's. 0 or a status. */
int entry_submission(const struct exchange *x, const struct entry *entry,
                     const char *line_id, json_t **body);

/* A copy with line ends as one \n and no white space around; the caller's, memory_free. NULL
   without memory. */
char *entry_clean(const char *raw);
/* Valid text without controls of C0 and C1, nor separators of lines where one line is asked
   for. */
bool entry_shown(const char *text, bool lines);

#endif
