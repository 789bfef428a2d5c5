/* SPDX-License-Identifier: MIT */
/* Picks and renders a mail's parts. */
#include "mail/letter.h"

#include <string.h>

#include "base/locale.h"
#include "base/text.h"
#include "mail/letter_data.h"
#include "mail/template.h"

struct kind {
    const char *name, *base; /* base: strings that the kind shares with another */
    bool optout;             /* must carry the link to unsubscribe */
};

static const struct kind kinds[] = {
    {"request", NULL, true},         {"reminder", "request", true},
    {"discount", "request", false},  {"confirm", NULL, false},
    {"held", NULL, false},           {"rejected", NULL, false},
    {"published", NULL, false},      {"reply", NULL, false},
    {"report_receipt", NULL, false}, {"report_decision", NULL, false},
    {"alert", NULL, false},          {"escalation", "alert", false},
    {"thread", NULL, false},         {"proposal", "thread", false},
    {"follow_up", NULL, false},      {"update_question", NULL, false},
    {"measure", "thread", false}};

/* The partials of one format; "body" is the kind's own. */
struct shelf {
    const struct letter_book *book;
    const char *suffix;
    const struct template *body;
};

static const struct kind *find_kind(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const char *letter_kind(size_t index) {
    return index < sizeof kinds / sizeof *kinds ? kinds[index].name : NULL;
}

static const struct template *shelf_take(void *self, const char *name) {
    const struct shelf *shelf = self;
    if (strcmp(name, "body") == 0)
        return shelf->body;
    return letter_book_shipped(shelf->book, name, shelf->suffix);
}

/* own: the row's part, NULL for the shipped one; whole: it needs no frame. */
static int render_part(const struct letter_book *book, const char *kind,
                       const struct template *own, bool whole, const char *suffix,
                       enum template_escape escape, const json_t *root,
                       struct buffer *out, struct error *error) {
    struct shelf shelf = {book, suffix,
                          own ? own : letter_book_shipped(book, kind, suffix)};
    const struct template *outer = whole ? own : shelf_take(&shelf, "layout");
    int rc = ERROR_FAILED;
    if (outer && shelf.body)
        rc = template_render(outer, root, escape, shelf_take, &shelf, out, error);
    return rc ? error_set(error, rc, "", "the mail %s%s cannot be written", kind, suffix)
              : 0;
}

/* Controls and line ends become spaces, direction controls go: a subject is one line that
   cannot dress up as another. */
static int32_t subject_character(int32_t c) {
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
        return ' ';
    if (c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
        (c >= 0x2066 && c <= 0x2069))
        return 0;
    return c;
}

static void put_subject(const char *s, size_t n, struct buffer *out) {
    char bytes[4];
    int32_t c;
    int used;
    bool gap = false;

    for (; n > 0; s += used, n -= (size_t)used) {
        used = text_decode(s, n, &c);
        if (used < 1) {
            used = 1;
            continue;
        }
        c = subject_character(c);
        gap = gap || c == ' ';
        if (c == 0 || c == ' ')
            continue;
        if (out->length + 5 > LETTER_SUBJECT_MAX - 3) {
            buffer_text(out, "\xe2\x80\xa6");
            return;
        }
        if (gap && out->length)
            buffer_char(out, ' ');
        gap = false;
        buffer_append(out, bytes, (size_t)text_encode(c, bytes));
    }
}

static const char *word_of(const json_t *root, const char *name) {
    return json_string_value(json_object_get(json_object_get(root, "t"), name));
}

static int render_subject(const struct template *own, json_t *root, struct buffer *out,
                          struct error *error) {
    const char *shipped = word_of(root, "subject");
    struct buffer raw;
    int rc = 0;

    buffer_init(&raw, LETTER_PART_MAX);
    if (own)
        rc = template_render(own, root, TEMPLATE_TEXT, NULL, NULL, &raw, error);
    else
        buffer_text(&raw, shipped);
    if (!rc)
        put_subject(raw.data, raw.length, out);
    if (!rc && out->length == 0)
        rc = error_set(error, ERROR_INVALID, "/variant", "the subject is empty");
    if (!rc && json_object_set_new(root, "subject", json_string(out->data)))
        rc = error_set(error, ERROR_FAILED, "", "out of memory");
    buffer_free(&raw);
    return rc;
}

/* As the renderer writes it: in HTML with references for & and the like. */
static bool holds(const struct buffer *part, const char *url, bool html) {
    static const struct {
        char c;
        const char *reference;
    } references[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    struct buffer written;
    buffer_init(&written, LETTER_PART_MAX);
    for (; *url; url++) {
        const char *reference = NULL;
        for (size_t i = 0; html && i < sizeof references / sizeof *references; i++)
            if (references[i].c == *url)
                reference = references[i].reference;
        if (reference)
            buffer_text(&written, reference);
        else
            buffer_char(&written, *url);
    }
    bool found = buffer_ok(&written) && strstr(part->data, written.data);
    buffer_free(&written);
    return found;
}

static int check_optout(const struct kind *kind, const json_t *root,
                        const struct letter *letter, struct error *error) {
    const char *url = json_string_value(json_object_get(root, "unsubscribe_url"));
    if (!kind->optout)
        return 0;
    if (!url)
        return error_set(error, ERROR_INVALID, "/unsubscribe_url",
                         "a %s needs a link to unsubscribe", kind->name);
    if (!holds(&letter->text, url, false) || !holds(&letter->html, url, true))
        return error_set(error, ERROR_INVALID, "",
                         "the template of %s leaves out {{unsubscribe_url}}", kind->name);
    return 0;
}

static int render_all(const struct letter_book *book, const struct kind *kind,
                      const struct letter_row *row, json_t *root, struct letter *letter,
                      struct error *error) {
    int rc = render_subject(row ? row->subject : NULL, root, &letter->subject, error);
    if (!rc)
        rc = render_part(book, kind->name, row ? row->text : NULL, false, ".txt",
                         TEMPLATE_TEXT, root, &letter->text, error);
    if (!rc)
        rc = render_part(book, kind->name, row ? row->html : NULL, row && row->page,
                         ".html", TEMPLATE_HTML, root, &letter->html, error);
    if (!rc)
        rc = check_optout(kind, root, letter, error);
    return rc;
}

static void clear(struct letter *letter) {
    buffer_clear(&letter->subject);
    buffer_clear(&letter->text);
    buffer_clear(&letter->html);
}

int letter_render(const char *kind, const char *locale, const struct letter_book *book,
                  const json_t *data, struct letter *out, struct error *error) {
    const struct kind *known = find_kind(kind);
    const struct letter_row *row;
    struct error own = {0};
    json_t *root = NULL;
    int rc = ERROR_INVALID;

    error = error ? error : &own;
    locale = locale ? locale : "";
    memset(out, 0, sizeof *out);
    buffer_init(&out->subject, LETTER_SUBJECT_MAX);
    buffer_init(&out->text, LETTER_PART_MAX);
    buffer_init(&out->html, LETTER_PART_MAX);
    if (!known)
        error_set(error, ERROR_INVALID, "", "no such kind of mail");
    else
        root = letter_data(known->name, known->base, book, locale_pick(locale), data,
                           error);
    row = root ? letter_book_row(book, kind, locale) : NULL;
    if (row && row->fault) {
        error_set(&out->fault, ERROR_INVALID, "", "%s", row->fault);
        row = NULL;
    }
    if (row && render_all(book, known, row, root, out, &out->fault)) {
        clear(out);
        row = NULL;
    }
    if (root && !row)
        rc = render_all(book, known, NULL, root, out, error);
    else if (root)
        rc = 0;
    else
        rc = error->code;
    if (rc)
        letter_free(out);
    json_decref(root);
    return rc ? error->code : 0;
}

void letter_free(struct letter *letter) {
    if (!letter)
        return;
    buffer_free(&letter->subject);
    buffer_free(&letter->text);
    buffer_free(&letter->html);
}
