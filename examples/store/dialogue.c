/* SPDX-License-Identifier: MIT */
/* See dialogue.h. */
#include "dialogue.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void dialogue_say(struct dialogue *dialogue, const char *line) {
    text_put(&dialogue->out, line);
    text_put(&dialogue->out, "\r\n");
}

static void dialogue_reset(struct dialogue *dialogue) {
    dialogue->has_sender = false;
    dialogue->sender[0] = '\0';
    dialogue->recipient_count = 0;
    dialogue->in_data = false;
    dialogue->too_big = false;
    text_free(&dialogue->recipients);
    text_free(&dialogue->mail);
}

static void dialogue_helo(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    dialogue_reset(dialogue);
    dialogue->greeted = true;
    dialogue_say(dialogue, "250 catcher");
}

static void dialogue_ehlo(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    dialogue_reset(dialogue);
    dialogue->greeted = true;
    text_format(&dialogue->out,
                "250-catcher\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                "250 SIZE %d\r\n",
                DIALOGUE_MAIL);
}

/* The address between the angles after "FROM:" or "TO:"; false when there is none. */
static bool dialogue_path(const char *rest, const char *word, char *out, size_t size) {
    size_t length = strlen(word);
    if (strncasecmp(rest, word, length) != 0)
        return false;
    rest += length;
    rest += strspn(rest, " ");
    const char *end = strchr(rest, '>');
    if (*rest != '<' || end == NULL || (size_t)(end - rest) > size)
        return false;
    (void)snprintf(out, size, "%.*s", (int)(end - rest - 1), rest + 1);
    return true;
}

static void dialogue_mail(struct dialogue *dialogue, const char *rest) {
    if (!dialogue->greeted || dialogue->has_sender) {
        dialogue_say(dialogue, "503 5.5.1 Not now");
    } else if (!dialogue_path(rest, "FROM:", dialogue->sender, sizeof dialogue->sender)) {
        dialogue_say(dialogue, "501 5.1.7 MAIL FROM:<address>");
    } else {
        dialogue->has_sender = true;
        dialogue_say(dialogue, "250 2.1.0 Good");
    }
}

static void dialogue_rcpt(struct dialogue *dialogue, const char *rest) {
    char address[320];
    if (!dialogue->has_sender) {
        dialogue_say(dialogue, "503 5.5.1 MAIL first");
    } else if (dialogue->recipient_count == DIALOGUE_RECIPIENTS) {
        dialogue_say(dialogue, "452 4.5.3 Enough recipients");
    } else if (!dialogue_path(rest, "TO:", address, sizeof address) ||
               address[0] == '\0') {
        dialogue_say(dialogue, "501 5.1.3 RCPT TO:<address>");
    } else {
        text_format(&dialogue->recipients, "%s%s",
                    dialogue->recipient_count++ > 0 ? ", " : "", address);
        dialogue_say(dialogue, "250 2.1.5 Good");
    }
}

static void dialogue_data(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    if (dialogue->recipient_count == 0) {
        dialogue_say(dialogue, "503 5.5.1 RCPT first");
        return;
    }
    dialogue->in_data = true;
    dialogue_say(dialogue, "354 Go on, a dot alone ends it");
}

static void dialogue_rset(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    dialogue_reset(dialogue);
    dialogue_say(dialogue, "250 2.0.0 Good");
}

static void dialogue_noop(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    dialogue_say(dialogue, "250 2.0.0 Good");
}

static void dialogue_vrfy(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    dialogue_say(dialogue, "252 2.5.0 Perhaps");
}

static void dialogue_quit(struct dialogue *dialogue, const char *rest) {
    (void)rest;
    dialogue->over = true;
    dialogue_say(dialogue, "221 2.0.0 Bye");
}

static const struct {
    const char *word;
    void (*act)(struct dialogue *dialogue, const char *rest);
} commands[] = {
    {"EHLO", dialogue_ehlo}, {"HELO", dialogue_helo}, {"MAIL", dialogue_mail},
    {"RCPT", dialogue_rcpt}, {"DATA", dialogue_data}, {"RSET", dialogue_rset},
    {"NOOP", dialogue_noop}, {"VRFY", dialogue_vrfy}, {"QUIT", dialogue_quit},
};

static void dialogue_command(struct dialogue *dialogue) {
    const char *line = dialogue->line;
    if (dialogue->line_long || strlen(line) != dialogue->line_length) {
        dialogue_say(dialogue, "500 5.5.2 Not a command line");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strncasecmp(line, commands[i].word, 4) != 0 ||
            (line[4] != '\0' && line[4] != ' '))
            continue;
        commands[i].act(dialogue, line[4] == ' ' ? line + 5 : line + 4);
        return;
    }
    dialogue_say(dialogue, "502 5.5.1 Not here");
}

static void dialogue_mail_end(struct dialogue *dialogue) {
    if (dialogue->too_big)
        dialogue_say(dialogue, "552 5.3.4 Too big");
    else if (dialogue->mail.failed || dialogue->keep(dialogue->context, dialogue) != 0)
        dialogue_say(dialogue, "451 4.3.0 Not kept, try again");
    else
        dialogue_say(dialogue, "250 2.0.0 Kept");
    dialogue_reset(dialogue);
}

/* A line of the mail itself. The dot that the sender doubled is taken off; lines
 * longer than the buffer come in pieces, of which only the first can be a dot, the
 * last ends the line. */
static void dialogue_mail_line(struct dialogue *dialogue, bool ended) {
    const char *line = dialogue->line;
    size_t length = dialogue->line_length;
    bool first = !dialogue->line_long;
    if (first && ended && length == 1 && line[0] == '.') {
        dialogue_mail_end(dialogue);
        return;
    }
    size_t skip = first && length > 0 && line[0] == '.' ? 1 : 0;
    if (dialogue->mail.length + length + 2 > DIALOGUE_MAIL)
        dialogue->too_big = true;
    if (dialogue->too_big)
        return;
    text_add(&dialogue->mail, line + skip, length - skip);
    if (ended)
        text_put(&dialogue->mail, "\r\n");
}

static void dialogue_line(struct dialogue *dialogue, bool ended) {
    if (ended && dialogue->line_length > 0 &&
        dialogue->line[dialogue->line_length - 1] == '\r')
        dialogue->line_length--;
    dialogue->line[dialogue->line_length] = '\0';
    if (dialogue->in_data)
        dialogue_mail_line(dialogue, ended);
    else if (ended)
        dialogue_command(dialogue);
    dialogue->line_length = 0;
    dialogue->line_long = !ended;
}

void dialogue_feed(struct dialogue *dialogue, const char *bytes, size_t length) {
    for (size_t i = 0; i < length && !dialogue->over; i++) {
        if (bytes[i] == '\n') {
            dialogue_line(dialogue, true);
            continue;
        }
        /* A carriage return waits for what follows it, so that no piece ends between. */
        if (dialogue->line_length >= DIALOGUE_LINE - 2 && bytes[i] != '\r')
            dialogue_line(dialogue, false);
        if (dialogue->line_length < DIALOGUE_LINE - 1)
            dialogue->line[dialogue->line_length++] = bytes[i];
    }
}

void dialogue_open(struct dialogue *dialogue,
                   int (*keep)(void *context, const struct dialogue *dialogue),
                   void *context) {
    *dialogue = (struct dialogue){.keep = keep, .context = context};
    dialogue_say(dialogue, "220 catcher ESMTP");
}

void dialogue_close(struct dialogue *dialogue) {
    dialogue_reset(dialogue);
    text_free(&dialogue->out);
}
