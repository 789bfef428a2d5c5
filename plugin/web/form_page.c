/* SPDX-License-Identifier: MIT */
/* What the templates form and thanks are given. */
#include "web/form_page.h"

#include <string.h>

#include "base/memory.h"
#include "request/link.h"
#include "web/page.h"

/* Stars in a mail's link only prefill: ?stars=N for the only line or for &product=, or
   ?stars.LINE=N. Anything else there is overlooked. */
static int form_prefilled(const struct exchange *x, const json_t *line, bool alone) {
    const char *id = json_string_value(json_object_get(line, "line_id"));
    const char *product = json_string_value(json_object_get(line, "product_id"));
    const char *wanted = query_get(&x->query, "product");
    const char *stars = NULL;
    char name[EXCHANGE_ID_MOST + 8] = "stars.";

    if (id && strlen(id) <= EXCHANGE_ID_MOST) {
        memcpy(name + 6, id, strlen(id) + 1);
        stars = query_get(&x->query, name);
    }
    if (!stars && (wanted ? product && strcmp(wanted, product) == 0 : alone)) {
        stars = query_get(&x->query, "stars");
    }
    return stars && stars[0] >= '1' && stars[0] <= '5' && !stars[1] ? stars[0] - '0' : 0;
}

/* Adds what is wrong to the line and to the list on top of the page. */
static int form_faults(const struct exchange *x, json_t *root, json_t *line,
                       const struct entry *entry, size_t index) {
    json_t *errors = json_object_get(root, "errors");
    static const char *const names[ENTRY_FIELDS] = {"rating", "title", "body", "name"};
    int failed = 0;

    for (int i = 0; !failed && i < ENTRY_FIELDS; i++) {
        json_t *message;
        if (!entry->fault[i]) {
            continue;
        }
        message = entry_message(x, entry, (enum entry_field)i);
        failed = json_object_set(i == ENTRY_NAME ? root : json_object_get(line, "faults"),
                                 i == ENTRY_NAME ? "fault_name" : names[i], message);
        if (!failed) {
            failed = json_array_append_new(
                errors,
                json_pack("{s:s, s:I, s:b, s:O, s:O}", "field", names[i], "index",
                          (json_int_t)index, "of_line", i != ENTRY_NAME, "message",
                          message, "product", json_object_get(line, "product")));
        }
        json_decref(message);
    }
    return failed;
}

static int form_number(const json_t *review, const char *name) {
    return (int)json_integer_value(json_object_get(review, name));
}

static const char *form_words(const json_t *review, const char *name) {
    const char *words = json_string_value(json_object_get(review, name));
    return words ? words : "";
}

/* ".LINE": what its fields' names end with. */
static int form_suffix(json_t *line) {
    const char *id = json_string_value(json_object_get(line, "line_id"));
    return json_object_set_new(line, "suffix", json_sprintf(".%s", id ? id : ""));
}

/* The line as the template sees it: what was just typed, else what is stored already, else
   what the link prefills. */
static json_t *form_line(const struct exchange *x, const json_t *given,
                         const struct entry *entry, size_t index, bool alone) {
    json_t *review = json_object_get(given, "review");
    json_t *product = json_pack("{s:O}", "name", json_object_get(given, "name"));
    int stored = form_number(review, "rating");
    int hinted = form_prefilled(x, given, alone);
    int chosen = entry ? entry->rating : hinted ? hinted : stored;
    json_t *line = json_pack(
        "{s:I, s:O, s:o, s:o, s:s, s:s, s:b, s:b, s:{}}", "index", (json_int_t)index,
        "line_id", json_object_get(given, "line_id"), "product", product, "stars",
        entry_stars(x, chosen), "title",
        entry ? entry->text[ENTRY_TITLE] : form_words(review, "title"), "body",
        entry ? entry->text[ENTRY_BODY] : form_words(review, "body"), "reviewed",
        review != NULL, "open", review && (entry || hinted), "faults");

    if (line && (form_suffix(line) ||
                 page_word(x, line, "stars_label", "page.form.stars", line) ||
                 page_word(x, line, "already", "page.form.already", line))) {
        json_decref(line);
        line = NULL;
    }
    return line;
}

static int form_lines(const struct exchange *x, json_t *root, const json_t *view,
                      const struct entry *entries) {
    const json_t *lines = json_object_get(view, "lines");
    json_t *shown = json_array(), *errors = json_array();
    size_t count = json_array_size(lines);
    bool named = false;
    int failed = json_object_set_new(root, "lines", shown) |
                 json_object_set_new(root, "errors", errors);

    for (size_t i = 0; !failed && i < count; i++) {
        const struct entry *entry = entries ? &entries[i] : NULL;
        json_t *line = form_line(x, json_array_get(lines, i), entry, i, count == 1);
        failed = json_array_append_new(shown, line);
        if (!failed && entry && (entry->rating || entry->fault[ENTRY_RATING])) {
            struct entry seen = *entry;
            seen.fault[ENTRY_NAME] = named ? NULL : entry->fault[ENTRY_NAME];
            named |= seen.fault[ENTRY_NAME] != NULL;
            failed = form_faults(x, root, line, &seen, i);
        }
    }
    return failed;
}

/* The name shown publicly: as typed, else as in a review of this order already. */
static int form_name(json_t *root, const json_t *view, const struct entry *entries) {
    const json_t *lines = json_object_get(view, "lines");
    const char *name = "";

    for (size_t i = 0; !entries && i < json_array_size(lines) && !*name; i++) {
        name = form_words(json_object_get(json_array_get(lines, i), "review"), "name");
    }
    return json_object_set_new(root, "author",
                               json_string(entries ? entries[0].text[ENTRY_NAME] : name));
}

int form_page(struct exchange *x, int status, const json_t *view,
              const struct entry *entries, bool none) {
    json_t *root = page_root(x);
    int failed = root ? form_lines(x, root, view, entries) : -1;

    if (!failed) {
        failed = form_name(root, view, entries);
    }
    if (!failed && none) {
        failed = page_word(x, root, "error_none", "page.form.error_none", NULL);
    }
    if (!failed) {
        json_t *errors = json_object_get(root, "errors");
        failed =
            json_object_set(root, "incentive", json_object_get(view, "incentive")) |
            json_object_set_new(root, "checked_url", page_link(x, "transparency", "")) |
            json_object_set_new(root, "faulty",
                                json_boolean(none || json_array_size(errors) > 0)) |
            page_words(x, root, "form") |
            page_word(x, json_object_get(root, "t"), "public", "mail.request.publication",
                      root) |
            page_word(x, json_object_get(root, "t"), "public_title",
                      "mail.request.publication_title", root) |
            page_word(x, root, "heading", "page.form.title", root);
    }
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, status, "form", root);
}

/* Makes the author's private link valid. Without it the thanks still stand: the review is
   stored, and every mail about it brings the link as well. */
static json_t *form_author_link(const struct exchange *x, int64_t review_id) {
    struct link link;
    struct db_params p;
    struct error error = {0};
    int code = link_make_number(x->store, LINK_AUTHOR, review_id, 1, &link, &error);

    if (!code) {
        db_params_open(&p);
        db_add_text(&p, x->store->name);
        db_add_int(&p, review_id);
        db_add_bytes(&p, link.hash, sizeof link.hash);
        code = store_call(x->store, "SELECT vouch.author_link($1, $2, $3)", &p,
                          x->deadline_us, NULL, NULL, &error);
        db_params_free(&p);
    }
    if (code) {
        (void)exchange_fault(x, code, &error);
        return json_null();
    }
    return page_link(x, "a/", link.token);
}

static json_t *form_answer(const struct exchange *x, const json_t *view,
                           const json_t *answer) {
    const json_t *lines = json_object_get(view, "lines");
    const char *id = json_string_value(json_object_get(answer, "line_id"));
    const char *state = json_string_value(json_object_get(answer, "state"));
    const json_t *named = NULL;

    for (size_t i = 0; id && i < json_array_size(lines) && !named; i++) {
        json_t *line = json_array_get(lines, i);
        const char *own = json_string_value(json_object_get(line, "line_id"));
        named = own && strcmp(own, id) == 0 ? json_object_get(line, "name") : NULL;
    }
    state = state ? state : "held";
    return json_pack(
        "{s:{s:O?}, s:o, s:b, s:b, s:o}", "product", "name", named, "state",
        page_code(x, "page.author",
                  strcmp(state, "published") == 0   ? "state_published"
                  : strcmp(state, "rejected") == 0  ? "state_rejected"
                  : strcmp(state, "withdrawn") == 0 ? "state_withdrawn"
                                                    : "state_held"),
        "published", strcmp(state, "published") == 0, "held", strcmp(state, "held") == 0,
        "url",
        form_author_link(x, json_integer_value(json_object_get(answer, "review_id"))));
}

int form_thanks(struct exchange *x, const json_t *view, const json_t *answers) {
    json_t *root = page_root(x), *shown = json_array();
    int failed = root ? json_object_set_new(root, "reviews", shown) : -1;

    for (size_t i = 0; !failed && i < json_array_size(answers); i++) {
        failed = json_array_append_new(shown,
                                       form_answer(x, view, json_array_get(answers, i)));
    }
    if (!failed) {
        failed = page_words(x, root, "form") |
                 page_word(x, root, "heading", "page.form.thanks", root);
    }
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, 200, "thanks", root);
}
