/* SPDX-License-Identifier: MIT */
/* vouchctl emit: hands in one event, an array of them, or one a line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "door.h"
#include "print.h"

enum { EMIT_LINE_BYTES = (1 << 20) + 2, EMIT_MOST_BYTES = 16 << 20 };

struct emit {
    vouch *module;
    FILE *file;
    char *line; /* EMIT_LINE_BYTES */
    size_t applied, spooled, refused;
};

/* Prints the reply. False when it is no use to go on: the next would fail as well. */
static bool emit_one(struct emit *e, const char *text, size_t length, size_t number) {
    char *reply = NULL;
    int code = vouch_emit(e->module, text, length, &reply);

    if (reply) {
        print_raw(reply);
    }
    e->applied += code == VOUCH_OK;
    e->spooled += code == VOUCH_SPOOLED;
    e->refused += code < 0;
    if (code < 0) {
        if (number > 0) {
            print_error("line %zu was refused:", number);
        }
        door_failed(reply);
    } else {
        vouch_free(reply);
    }
    return code >= 0 || code == VOUCH_INVALID;
}

static bool emit_is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!memchr(" \t\r\n", text[i], 4)) {
            return false;
        }
    }
    return true;
}

/* The next line that is not blank; 0 at the end. A line too long comes in pieces, each of
 * which is refused. */
static size_t emit_line(struct emit *e, size_t *number) {
    while (fgets(e->line, EMIT_LINE_BYTES, e->file)) {
        size_t n = strlen(e->line);
        ++*number;
        if (!emit_is_blank(e->line, n)) {
            return n;
        }
    }
    return 0;
}

/* Whether the text is an event by itself; else it goes on in the lines that follow. */
static bool emit_is_event(const char *text, size_t length) {
    json_t *value = json_read(text, length, NULL);
    bool is = json_is_object(value);

    json_decref(value);
    return is;
}

static void emit_lines(struct emit *e, size_t length, size_t number) {
    bool more = true;

    while (length > 0 && more) {
        more = emit_one(e, e->line, length, number);
        print_progress("%zu events", e->applied + e->spooled);
        length = emit_line(e, &number);
    }
}

/* The first line and all that follows, as one text. */
static void emit_whole(struct emit *e, size_t length) {
    struct buffer text;

    buffer_init(&text, EMIT_MOST_BYTES + 1);
    while (length > 0 && text.length <= EMIT_MOST_BYTES) {
        buffer_append(&text, e->line, length);
        length = fread(e->line, 1, EMIT_LINE_BYTES, e->file);
    }
    if (buffer_ok(&text)) {
        emit_one(e, text.data, text.length, 0);
    } else {
        print_error("at most 16 MiB at once; more goes as one event a line");
        e->refused++;
    }
    buffer_free(&text);
}

static int emit_all(struct emit *e) {
    size_t number = 0;
    size_t length = emit_line(e, &number);

    if (length == 0) {
        print_error(ferror(e->file) ? "it could not be read" : "there is no event in it");
        return CLI_FAILED;
    }
    if (emit_is_event(e->line, length)) {
        emit_lines(e, length, number);
    } else {
        emit_whole(e, length);
    }
    if (e->spooled > 0) {
        print_error("PostgreSQL is out of reach: spooled, to be applied later");
    }
    return e->refused > 0 || ferror(e->file) ? CLI_FAILED : CLI_DONE;
}

int emit_run(const struct cli *cli) {
    const char *path = cli->words[0];
    struct emit e = {.line = memory_get(EMIT_LINE_BYTES)};
    int code = CLI_FAILED;

    e.file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!e.file || !e.line) {
        char why[128];
        print_error("%s: %s", path, strerror_r(errno, why, sizeof why));
        goto out;
    }
    code = door_open(cli, &e.module);
    if (code == CLI_DONE) {
        code = emit_all(&e);
        vouch_close(e.module);
    }
out:
    if (e.file && e.file != stdin) {
        fclose(e.file);
    }
    memory_free(e.line);
    return code;
}
