/* SPDX-License-Identifier: MIT */
/* Whether a text may be published at once, and if not, for which reasons and words. Pure: the same
   text and rules give the same verdict; nothing here knows, or could know, a review's stars. */
#ifndef VOUCH_MODERATION_DECIDE_H
#define VOUCH_MODERATION_DECIDE_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "moderation/lexicon.h"
#include "moderation/model.h"
#include "moderation/signal.h"

enum { VERDICT_MARKS_MAX = 128 };

/* The closed list of reasons that a text itself can give, as bits. */
enum verdict_reason {
    REASON_ABUSIVE = 1,
    REASON_PERSONAL_DATA = 2, /* of whomever: it is not for the world */
    REASON_LINK = 4,
    REASON_SPAM = 8,
    REASON_LANGUAGE = 16, /* no lexicon reads the text: nobody knows what it says */
    REASON_EMPTY = 32     /* something was written that nobody can see */
};

enum text_field { FIELD_TITLE = 0, FIELD_BODY = 1, FIELD_AUTHOR = 2, TEXT_FIELDS = 3 };

/* Borrowed, NUL-terminated, any bytes; NULL is empty. locale: of the review, or NULL. */
struct text_in {
    const char *title, *body, *author_name, *locale;
};

/* What to decide by, borrowed. lexicon NULL: no words are abusive. The words of the declared language
   count and those of the language that the text is in; where neither is known, those of all. Of the
   models the first of the text's language counts; without one the lexicon alone decides, with one
   both do. */
struct rules {
    const struct lexicon *lexicon;
    const struct model *const *models;
    size_t model_count;
};

struct mark {
    enum text_field field;
    const char *category; /* of the lexicon, or the name of a signal; static */
    size_t start, end;    /* bytes of that field, at the borders of characters */
    const char *term; /* as in the table, borrowed from the rules' lexicon; NULL: none */
};

struct verdict {
    unsigned reasons; /* bits of enum verdict_reason; 0: nothing to hold it for */
    double score;     /* 0..1: how sure `abusive` is; with a model, its probability */
    size_t mark_count;
    struct mark
        marks[VERDICT_MARKS_MAX]; /* in the order of field and start; none overlap */
};

/* 0, or ERROR_FAILED without memory: then nothing is known and the caller must hold. */
int decide(const struct text_in *text, const struct rules *rules, struct verdict *out);

/* {"reasons":["abusive"],"score":0.97,"marks":[{"field":"body","category":"insult","start":0,
   "end":4,"term":"…"}]}, term where there is one; a new reference, NULL without memory. */
json_t *verdict_json(const struct verdict *verdict);

#endif
