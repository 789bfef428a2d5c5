/* SPDX-License-Identifier: MIT */
/* Codes of the tables become sentences here; what has no sentence is left out. */
#include "web/author_page.h"

#include <stdio.h>
#include <string.h>

#include "request/compose_data.h"
#include "web/objection.h"
#include "web/page.h"
#include "web/thread.h"

static const char *author_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static bool author_is(const json_t *object, const char *name, const char *what) {
    return strcmp(author_text(object, name), what) == 0;
}

/* Words for the codes of an array, an array again. */
static json_t *author_codes(const struct exchange *x, const char *prefix,
                            const json_t *codes) {
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(codes); i++) {
        const char *code = json_string_value(json_array_get(codes, i));
        if (code && json_array_append_new(list, page_code(x, prefix, code))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *author_step(const struct exchange *x, const json_t *decision) {
    static const struct {
        const char *action, *to_state, *key;
    } steps[] = {{"hold", NULL, "history_held"},
                 {"publish", NULL, "history_published"},
                 {"release", NULL, "history_published"},
                 {"approve", NULL, "history_published"},
                 {"reject", NULL, "history_rejected"},
                 {"withdraw", NULL, "history_withdrawn"},
                 {"redact", NULL, "history_redacted"},
                 {"uphold", NULL, "history_refused"},
                 {"overturn", "rejected", "history_rejected"},
                 {"overturn", NULL, "history_granted"},
                 {"undo", "held", "history_held"},
                 {"undo", "rejected", "history_rejected"},
                 {"undo", NULL, "history_published"}};
    const char *ground = json_string_value(json_object_get(decision, "ground"));
    bool by_author = author_is(decision, "action", "withdraw");
    bool automated = json_is_true(json_object_get(decision, "automated"));
    size_t i = 0;

    while (i < sizeof steps / sizeof *steps &&
           (!author_is(decision, "action", steps[i].action) ||
            (steps[i].to_state && !author_is(decision, "to_state", steps[i].to_state)))) {
        i++;
    }
    if (i == sizeof steps / sizeof *steps) {
        return NULL;
    }
    return json_pack(
        "{s:o, s:o?, s:o?, s:o, s:o?, s:O?}", "what",
        page_code(x, "page.author", steps[i].key), "when",
        page_date(json_object_get(decision, "decided_at")), "how",
        by_author
            ? NULL
            : page_text(x, automated ? "mail.common.automated" : "mail.common.by_person",
                        NULL),
        "reasons",
        author_is(decision, "action", "hold")
            ? author_codes(x, "reason", json_object_get(decision, "reasons"))
            : json_array(),
        "ground", ground ? page_code(x, "ground", ground) : NULL, "facts",
        json_object_get(decision, "facts"));
}

static int author_history(const struct exchange *x, json_t *root, const json_t *view) {
    const json_t *decisions = json_object_get(view, "history");
    json_t *history = json_array();
    int failed = json_object_set_new(root, "history", history);

    for (size_t i = 0; !failed && i < json_array_size(decisions); i++) {
        json_t *step = author_step(x, json_array_get(decisions, i));
        failed = step ? json_array_append_new(history, step) : 0;
    }
    return failed | json_object_set_new(root, "has_history",
                                        json_boolean(json_array_size(history) > 0));
}

/* Ground and facts of the newest refusal, while it stands. */
static int author_refusal(const struct exchange *x, json_t *root, const json_t *view) {
    const json_t *decisions = json_object_get(view, "history");
    size_t i = json_array_size(decisions);

    while (i > 0 && author_is(view, "revision_state", "rejected")) {
        const json_t *decision = json_array_get(decisions, --i);
        if (author_is(decision, "to_state", "rejected") &&
            json_object_get(decision, "ground")) {
            return json_object_set_new(
                       root, "ground",
                       page_code(x, "ground", author_text(decision, "ground"))) |
                   (json_object_get(decision, "facts")
                        ? json_object_set(root, "facts",
                                          json_object_get(decision, "facts"))
                        : 0);
        }
    }
    return 0;
}

/* The statement of reasons, while a decision against the author stands (DSA Art. 17): the
   words concerned, who decided, on what basis, and where else to turn. */
static int author_statement(const struct exchange *x, json_t *root, const json_t *view) {
    const json_t *decisions = json_object_get(view, "history");
    const char *state = author_text(view, "revision_state");
    bool against = strcmp(state, "held") == 0 || strcmp(state, "rejected") == 0;
    size_t i = json_array_size(decisions);

    while (against && i > 0 &&
           !author_is(json_array_get(decisions, i - 1), "to_state", state)) {
        i--;
    }
    if (!against || i == 0) {
        return 0;
    }
    bool automated =
        json_is_true(json_object_get(json_array_get(decisions, i - 1), "automated"));
    return compose_put_marks(json_object_get(view, "marks"), view, root) |
           json_object_set_new(
               root, "has_marks",
               json_boolean(json_array_size(json_object_get(root, "marks")) > 0)) |
           page_word(x, root, "decided_how",
                     automated ? "mail.common.automated" : "mail.common.by_person",
                     root) |
           page_word(x, root, "basis", "mail.common.basis", root) |
           page_word(x, root, "redress", "mail.common.redress", root) |
           page_word(x, root, "marks_label", "mail.common.label_marks", root);
}

static int author_state(const struct exchange *x, json_t *root, const json_t *view) {
    bool held = author_is(view, "revision_state", "held");
    bool published = author_is(view, "state", "published");
    bool verified = json_is_true(json_object_get(view, "verified"));
    char key[40];
    json_t *date = page_date(json_object_get(view, "deadline_at"));

    snprintf(key, sizeof key, "state_%s", author_text(view, "state"));
    return json_object_set_new(root, "state", page_code(x, "page.author", key)) |
           json_object_set_new(root, "state_code",
                               json_string(author_text(view, "state"))) |
           json_object_set_new(root, "pending", json_boolean(held && published)) |
           json_object_set_new(
               root, "badge",
               page_text(x, verified ? "badge.verified" : "badge.unverified", NULL)) |
           json_object_set_new(
               root, "has_reasons",
               json_boolean(json_array_size(json_object_get(view, "held_for")) > 0)) |
           json_object_set_new(
               root, "reasons",
               author_codes(x, "reason", json_object_get(view, "held_for"))) |
           json_object_set_new(root, "editable",
                               json_boolean(!author_is(view, "state", "withdrawn"))) |
           (held && date ? json_object_set_new(root, "deadline", date)
                         : (json_decref(date), 0));
}

/* What was just typed, else what is stored. */
static int author_fields(const struct exchange *x, json_t *root, const json_t *view,
                         const struct entry *entry) {
    static const char *const names[ENTRY_FIELDS] = {"rating", "title", "body", "name"};
    int stars =
        entry ? entry->rating : (int)json_integer_value(json_object_get(view, "rating"));
    json_t *faults = json_object();
    int failed = json_object_set_new(root, "faults", faults) |
                 json_object_set_new(root, "stars", entry_stars(x, stars)) |
                 json_object_set_new(root, "faulty", json_boolean(entry != NULL)) |
                 json_object_set_new(root, "index", json_integer(0));

    for (int i = ENTRY_TITLE; !failed && i < ENTRY_FIELDS; i++) {
        const char *text = entry ? entry->text[i] : author_text(view, names[i]);
        failed = json_object_set_new(root, i == ENTRY_NAME ? "author" : names[i],
                                     json_string(text));
    }
    for (int i = 0; !failed && entry && i < ENTRY_FIELDS; i++) {
        if (entry->fault[i]) {
            failed = json_object_set_new(faults, names[i],
                                         entry_message(x, entry, (enum entry_field)i));
        }
    }
    if (!failed && json_object_get(faults, "name")) {
        failed = json_object_set(root, "fault_name", json_object_get(faults, "name"));
    }
    return failed;
}

static int author_words(const struct exchange *x, json_t *root,
                        enum author_notice notice) {
    static const char *const notices[] = {[AUTHOR_SAVED] = "page.author.saved",
                                          [AUTHOR_GONE] = "page.author.withdraw_done",
                                          [AUTHOR_APPEALED] =
                                              "page.author.appeal_received",
                                          [AUTHOR_SAID] = "page.thread.sent"};

    if (page_words(x, root, "form") || page_words(x, root, "author")) {
        return -1;
    }
    return page_word(x, root, "stars_label", "page.form.stars", root) |
           page_word(x, root, "heading", "page.author.title", root) |
           page_word(x, json_object_get(root, "t"), "ground_label",
                     "mail.common.label_ground", root) |
           (notice ? page_word(x, root, "notice", notices[notice], root) : 0);
}

static json_t *author_data_link(const struct exchange *x) {
    json_t *here = page_link(x, "a/", x->argument);
    json_t *link = json_sprintf("%s/data", here ? json_string_value(here) : "");

    json_decref(here);
    return link;
}

int author_page(struct exchange *x, int status, const json_t *view,
                const struct entry *entry, enum author_notice notice) {
    json_t *root = page_root(x);
    int failed =
        !root ||
        json_object_set_new(root, "product",
                            json_pack("{s:O}", "name", json_object_get(view, "product")));

    failed =
        failed || json_object_set_new(root, "data_url", author_data_link(x)) ||
        author_fields(x, root, view, entry) || author_state(x, root, view) ||
        author_refusal(x, root, view) || author_history(x, root, view) ||
        author_statement(x, root, view) ||
        json_object_set_new(
            root, "redacted",
            json_boolean(json_array_size(json_object_get(view, "redactions")) > 0)) ||
        objection_data(x, root, json_object_get(view, "appeal")) || thread_put(x, root) ||
        author_words(x, root, notice);
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, status, "author", root);
}
