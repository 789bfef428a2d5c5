/* SPDX-License-Identifier: MIT */
/* The grounds offered are those on which a review can be refused; a low rating is none. */
#include "web/report_page.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "request/link.h"
#include "web/objection.h"
#include "web/page.h"

const char *const report_names[REPORT_FIELDS] = {[REPORT_EXPLANATION] = "explanation",
                                                 [REPORT_URL] = "url",
                                                 [REPORT_NAME] = "name",
                                                 [REPORT_EMAIL] = "email",
                                                 [REPORT_CATEGORY] = "category"};

static const struct {
    const char *code, *key;
} categories[] = {{"abusive", "ground.abusive"},
                  {"wrong_product", "ground.wrong_product"},
                  {"not_genuine", "ground.not_genuine"},
                  {"personal_data", "ground.personal_data"},
                  {"spam", "ground.spam"},
                  {"conflict_of_interest", "ground.conflict_of_interest"},
                  {"illegal", "ground.illegal"},
                  {"dangerous", "page.report.category_dangerous"}};

enum { CATEGORIES = sizeof categories / sizeof *categories };

bool report_category(const char *category) {
    for (size_t i = 0; i < CATEGORIES; i++) {
        if (strcmp(categories[i].code, category) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *report_choices(const struct exchange *x, const char *chosen) {
    json_t *list = json_array();

    for (size_t i = 0; list && i < CATEGORIES; i++) {
        json_t *one =
            json_pack("{s:s, s:o, s:b}", "code", categories[i].code, "name",
                      page_text(x, categories[i].key, NULL), "chosen",
                      chosen && strcmp(chosen, categories[i].code) == 0 ? 1 : 0);
        if (json_array_append_new(list, one)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Where the review stands, for who does not say it otherwise. */
static json_t *report_place(const struct exchange *x, const json_t *view) {
    const char *base = x->settings ? settings_text(x->settings, "base_url") : "";
    char id[24];
    json_t *place;

    (void)snprintf(id, sizeof id, "%lld",
                   (long long)json_integer_value(json_object_get(view, "review_id")));
    char *url = link_page(base, "/reviews/", id, "");
    place = json_string(url ? url : "");
    memory_free(url);
    return place;
}

static int report_fields(const struct exchange *x, json_t *root, const json_t *view,
                         const struct report_draft *draft) {
    json_t *faults = json_object();
    json_t *limit = json_pack("{s:i}", "limit", REPORT_SHOWN_MOST);
    bool typed = draft && *draft->text[REPORT_URL];
    int failed =
        json_object_set_new(root, "fault", faults) |
        json_object_set_new(root, "faulty", json_boolean(draft != NULL)) |
        json_object_set_new(root, "good_faith",
                            json_boolean(draft && draft->good_faith)) |
        json_object_set_new(root, "categories",
                            report_choices(x, draft ? draft->text[REPORT_CATEGORY]
                                                    : query_get(&x->query, "ground")));

    for (int i = 0; !failed && i < REPORT_CATEGORY; i++) {
        failed = json_object_set_new(root, report_names[i],
                                     i == REPORT_URL && !typed
                                         ? report_place(x, view)
                                         : json_string(draft ? draft->text[i] : ""));
        if (!failed && draft && draft->fault[i]) {
            failed = page_word(x, faults, report_names[i], draft->fault[i], limit);
        }
    }
    if (!failed && draft && draft->unconfirmed) {
        failed = page_word(x, faults, "good_faith", "page.report.error_good_faith", NULL);
    }
    json_decref(limit);
    return failed;
}

int report_form_page(struct exchange *x, int status, const json_t *view,
                     const struct report_draft *draft) {
    json_t *root = page_root(x);
    int failed = !root || json_object_set(root, "review", (json_t *)(uintptr_t)view) ||
                 page_words(x, root, "form") || report_fields(x, root, view, draft) ||
                 page_words(x, root, "report") ||
                 page_word(x, root, "stars", "mail.common.rating", root) ||
                 page_word(x, root, "error", "page.form.error", root) ||
                 page_word(x, root, "heading", "page.report.title", root);

    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, status, "report", root);
}

int report_thanks_page(struct exchange *x) {
    json_t *root = page_root(x);

    if (!root || page_word(x, root, "heading", "page.report.title", root) ||
        page_word(x, root, "sentence", "page.report.thanks", root)) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, 200, "report_status", root);
}

static const char *report_sentence(const json_t *view) {
    static const struct {
        const char *outcome, *key;
    } sentences[] = {{"kept", "mail.report_decision.body.kept"},
                     {"removed", "mail.report_decision.body.removed"},
                     {"moot", "mail.report_decision.body.withdrawn"},
                     {"open", "mail.report_receipt.body"}};
    const char *outcome = json_string_value(json_object_get(view, "outcome"));
    size_t i = 0;

    while (outcome && i + 1 < sizeof sentences / sizeof *sentences &&
           strcmp(sentences[i].outcome, outcome) != 0) {
        i++;
    }
    return sentences[i].key;
}

int report_status_page(struct exchange *x, int status, const json_t *view, bool sent) {
    json_t *root = page_root(x);
    int failed =
        !root || json_object_set(root, "report", json_object_get(view, "report")) ||
        page_word(x, root, "sentence", report_sentence(view), root) ||
        objection_data(x, root, json_object_get(view, "appeal")) ||
        page_words(x, root, "author") ||
        page_word(x, root, "heading", "page.report.sent", root) ||
        (sent && page_word(x, root, "notice", "page.author.appeal_received", root));

    if (!failed && json_object_get(view, "explanation")) {
        failed =
            json_object_set(root, "explanation", json_object_get(view, "explanation"));
    }
    if (failed) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, status, "report_status", root);
}
