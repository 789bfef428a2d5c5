/* SPDX-License-Identifier: MIT */
/* Picks and renders a mail's parts. Templates are compiled at each call: a whole letter takes
   about 0.15 ms, and nothing has to be kept or dropped when a row of mail_template changes. */
#include "mail/letter.h"

#include <stdio.h>
#include <string.h>

#include "base/asset.h"
#include "base/locale.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/letter_data.h"
#include "mail/template.h"

enum { SHELF_MAX = 24, NAME_MAX_BYTES = 32 };

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

/* The shipped partials of one format, compiled when first named; "body" is the kind's own. */
struct shelf {
    const char *suffix;
    const struct template *body;
    char names[SHELF_MAX][NAME_MAX_BYTES];
    struct template *compiled[SHELF_MAX];
    size_t count;
    struct error *error;
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

static const struct asset *find_shipped(const char *name, const char *suffix) {
    char path[128];
    int n;
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
        return NULL;
    n = snprintf(path, sizeof path, "plugin/mail/template/%s%s", name, suffix);
    return n > 0 && (size_t)n < sizeof path ? asset_find(path) : NULL;
}

static const struct template *shelf_take(void *self, const char *name) {
    struct shelf *shelf = self;
    const struct asset *asset;
    size_t n = strlen(name);

    if (strcmp(name, "body") == 0)
        return shelf->body;
    for (size_t i = 0; i < shelf->count; i++)
        if (strcmp(shelf->names[i], name) == 0)
            return shelf->compiled[i];
    asset = find_shipped(name, shelf->suffix);
    if (!asset || n >= NAME_MAX_BYTES || shelf->count == SHELF_MAX)
        return NULL;
    if (template_compile(asset->data, asset->size, &shelf->compiled[shelf->count],
                         shelf->error))
        return NULL;
    memcpy(shelf->names[shelf->count], name, n + 1);
    return shelf->compiled[shelf->count++];
}

static void shelf_free(struct shelf *shelf) {
    if (!shelf)
        return;
    for (size_t i = 0; i < shelf->count; i++)
        template_free(shelf->compiled[i]);
    memory_free(shelf);
}

/* How well a row fits: 3 the locale itself, 2 its language, 1 any, 0 not. */
static int row_fits(const json_t *row, const char *kind, const char *locale) {
    const char *of = json_string_value(json_object_get(row, "kind"));
    const char *for_locale = json_string_value(json_object_get(row, "locale"));
    size_t language = strcspn(locale, "-_");
    if (!of || !for_locale || strcmp(of, kind) != 0)
        return 0;
    if (strcmp(for_locale, locale) == 0)
        return 3;
    if (strlen(for_locale) == language && strncmp(for_locale, locale, language) == 0)
        return 2;
    return strcmp(for_locale, "*") == 0 ? 1 : 0;
}

static const json_t *pick_row(const json_t *overrides, const char *kind,
                              const char *locale) {
    const json_t *best = NULL;
    int fits = 0;
    for (size_t i = 0; i < json_array_size(overrides); i++) {
        const json_t *row = json_array_get(overrides, i);
        int now = row_fits(row, kind, locale);
        if (now > fits) {
            fits = now;
            best = row;
        }
    }
    return best;
}

/* The row's part, or NULL when the shipped one is to be used. */
static const char *row_part(const json_t *row, const char *part) {
    const char *text = json_string_value(json_object_get(row, part));
    return text && *text ? text : NULL;
}

static bool holds_page(const char *html) {
    return strcasestr(html, "<html") != NULL;
}

static int render_part(const char *kind, const char *own, const char *suffix,
                       enum template_escape escape, const json_t *root,
                       struct buffer *out, struct error *error) {
    const struct asset *asset = own ? NULL : find_shipped(kind, suffix);
    const char *text = own ? own : asset ? asset->data : NULL;
    struct shelf *shelf = memory_zero(1, sizeof *shelf);
    struct template *body = NULL;
    const struct template *outer;
    int rc = ERROR_FAILED;

    if (!shelf || !text)
        goto out;
    shelf->suffix = suffix;
    shelf->error = error;
    rc = template_compile(text, strlen(text), &body, error);
    if (rc)
        goto out;
    shelf->body = body;
    outer = own && escape == TEMPLATE_HTML && holds_page(own)
                ? body
                : shelf_take(shelf, "layout");
    rc = outer ? template_render(outer, root, escape, shelf_take, shelf, out, error)
               : ERROR_FAILED;
    if (!rc && error->code)
        rc = error->code;
out:
    template_free(body);
    shelf_free(shelf);
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

static int render_subject(const char *own, json_t *root, struct buffer *out,
                          struct error *error) {
    const char *text = own ? own : "{{t.subject}}";
    struct template *t = NULL;
    struct buffer raw;
    int rc;

    buffer_init(&raw, LETTER_PART_MAX);
    rc = template_compile(text, strlen(text), &t, error);
    if (!rc)
        rc = template_render(t, root, TEMPLATE_TEXT, NULL, NULL, &raw, error);
    if (!rc)
        put_subject(raw.data, raw.length, out);
    if (!rc && out->length == 0)
        rc = error_set(error, ERROR_INVALID, "/variant", "the subject is empty");
    if (!rc && json_object_set_new(root, "subject", json_string(out->data)))
        rc = error_set(error, ERROR_FAILED, "", "out of memory");
    template_free(t);
    buffer_free(&raw);
    return rc;
}

static bool holds(const struct buffer *part, const json_t *root,
                  enum template_escape escape) {
    static const char link[] = "{{unsubscribe_url}}";
    struct template *t = NULL;
    struct buffer url;
    bool found = false;
    buffer_init(&url, LETTER_PART_MAX);
    if (!template_compile(link, sizeof link - 1, &t, NULL) &&
        !template_render(t, root, escape, NULL, NULL, &url, NULL))
        found = url.length > 0 && strstr(part->data, url.data) != NULL;
    template_free(t);
    buffer_free(&url);
    return found;
}

static int check_optout(const struct kind *kind, const json_t *root,
                        const struct letter *letter, struct error *error) {
    if (!kind->optout)
        return 0;
    if (!json_object_get(root, "unsubscribe_url"))
        return error_set(error, ERROR_INVALID, "/unsubscribe_url",
                         "a %s needs a link to unsubscribe", kind->name);
    if (!holds(&letter->text, root, TEMPLATE_TEXT) ||
        !holds(&letter->html, root, TEMPLATE_HTML))
        return error_set(error, ERROR_INVALID, "",
                         "the template of %s leaves out {{unsubscribe_url}}", kind->name);
    return 0;
}

static int render_all(const struct kind *kind, const json_t *row, json_t *root,
                      struct letter *letter, struct error *error) {
    int rc = render_subject(row_part(row, "subject"), root, &letter->subject, error);
    if (!rc)
        rc = render_part(kind->name, row_part(row, "text"), ".txt", TEMPLATE_TEXT, root,
                         &letter->text, error);
    if (!rc)
        rc = render_part(kind->name, row_part(row, "html"), ".html", TEMPLATE_HTML, root,
                         &letter->html, error);
    if (!rc)
        rc = check_optout(kind, root, letter, error);
    return rc;
}

int letter_render(const char *kind, const char *locale, const json_t *overrides,
                  const json_t *data, struct letter *out, struct error *error) {
    const struct kind *known = find_kind(kind);
    struct error own = {0};
    json_t *root = NULL;
    int rc = ERROR_INVALID;

    error = error ? error : &own;
    locale = locale ? locale : "";
    buffer_init(&out->subject, LETTER_SUBJECT_MAX);
    buffer_init(&out->text, LETTER_PART_MAX);
    buffer_init(&out->html, LETTER_PART_MAX);
    if (!known)
        error_set(error, ERROR_INVALID, "", "no such kind of mail");
    else
        root = letter_data(known->name, known->base, locale_pick(locale), data, error);
    if (root)
        rc = render_all(known, pick_row(overrides, kind, locale), root, out, error);
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
