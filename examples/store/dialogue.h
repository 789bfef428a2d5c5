/* SPDX-License-Identifier: MIT */
/* One SMTP dialogue, bytes in and bytes out, without a socket: so that it can be tried on
 * anything. */
#ifndef SHOP_DIALOGUE_H
#define SHOP_DIALOGUE_H

#include "text.h"

enum { DIALOGUE_LINE = 2048, DIALOGUE_MAIL = 2 * 1024 * 1024, DIALOGUE_RECIPIENTS = 100 };

struct dialogue {
    char line[DIALOGUE_LINE]; /* what is not ended by a line feed yet */
    size_t line_length;
    bool line_long; /* the rest of this line is thrown away */
    bool greeted;
    bool in_data;
    bool too_big;
    bool over; /* QUIT was said: send what is in `out`, then hang up */
    bool has_sender;
    char sender[320];
    size_t recipient_count;
    struct text recipients; /* ", " between them */
    struct text mail;
    struct text out;
    /* Keeps a mail; 0 when it is durable. Handed down by who opens the dialogue. */
    int (*keep)(void *context, const struct dialogue *dialogue);
    void *context;
};

void dialogue_open(struct dialogue *dialogue,
                   int (*keep)(void *context, const struct dialogue *dialogue),
                   void *context);
void dialogue_feed(struct dialogue *dialogue, const char *bytes, size_t length);
void dialogue_close(struct dialogue *dialogue);

#endif
