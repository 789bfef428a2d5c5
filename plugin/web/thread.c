/* SPDX-License-Identifier: MIT */
/* Nothing here touches the review. */
#include "web/thread.h"

#include <string.h>

#include "base/text.h"
#include "web/page.h"

enum { THREAD_BYTES_MOST = 5000 };

static const char *thread_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* One step as a message; NULL without memory, none when there is nothing to read. */
static json_t *thread_message(const struct exchange *x, const json_t *step) {
    bool own = strcmp(thread_text(step, "from"), "customer") == 0;
    const char *kind = thread_text(json_object_get(step, "detail"), "kind");
    json_t *made = json_pack(
        "{s:b, s:o, s:o, s:O?}", "own", own, "who",
        page_text(x, own ? "page.thread.you" : "page.thread.shop", NULL), "when",
        page_date(json_object_get(step, "at")), "body", json_object_get(step, "body"));
    json_t *data = *kind && made
                       ? json_pack("{s:o}", "kind", page_code(x, "resolution", kind))
                       : NULL;
    if (data && page_word(x, made, "proposal", "page.thread.proposal", data)) {
        json_decref(made);
        made = NULL;
    }
    json_decref(data);
    return made;
}

static int thread_messages(const struct exchange *x, json_t *thread,
                           const json_t *found) {
    const json_t *steps = json_object_get(found, "thread");
    json_t *list = json_array();
    int failed = json_object_set_new(thread, "messages", list);

    for (size_t i = 0; !failed && i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        if (*thread_text(step, "body")) {
            failed = json_array_append_new(list, thread_message(x, step));
        }
    }
    return failed;
}

int thread_put(struct exchange *x, json_t *root) {
    json_t *found = NULL, *thread = json_object(), *words = json_object();
    int status = exchange_ask(x, "SELECT vouch.author_case($1, $2)", NULL, &found);
    int failed = status || json_object_set_new(root, "thread", thread) ||
                 json_object_set_new(root, "thread_words", words);

    bool talks = found || json_is_true(json_object_get(root, "editable"));
    failed = failed || thread_messages(x, thread, found) ||
             json_object_set_new(root, "talks", json_boolean(talks)) ||
             json_object_set_new(
                 thread, "waits",
                 json_boolean(json_is_object(json_object_get(found, "proposal")))) ||
             json_object_set_new(
                 thread, "mediation",
                 json_boolean(json_is_true(json_object_get(found, "mediator"))));
    static const char *const names[] = {"title",  "write",   "send",     "note",
                                        "accept", "decline", "mediation"};
    static const char *const keys[] = {"page.thread.title",    "page.thread.write",
                                       "page.thread.send",     "page.thread.note",
                                       "page.thread.accept",   "page.thread.decline",
                                       "page.thread.mediation"};
    for (size_t i = 0; !failed && i < sizeof names / sizeof *names; i++) {
        failed = page_word(x, words, names[i], keys[i], root);
    }
    json_decref(found);
    return failed ? -1 : 0;
}

/* Line ends as LF; NULL when it is empty, too long, or no text. The caller's. */
static json_t *thread_words(const char *raw) {
    size_t n = raw ? strlen(raw) : 0;
    const char *at = raw;

    while (at && *at && strchr(" \t\r\n", *at)) {
        at++;
    }
    return n > 0 && *at && n <= THREAD_BYTES_MOST && text_valid(raw, n)
               ? json_stringn(raw, n)
               : NULL;
}

int thread_say(struct exchange *x) {
    json_t *words = thread_words(query_get(&x->form, "message")), *answer = NULL;
    const char *as = query_get(&x->form, "as");
    bool statement = as && strcmp(as, "statement") == 0;
    json_t *more = words ? json_pack("{s:o, s:s}", "body", words, "as",
                                     statement ? "statement" : "answer")
                         : NULL;
    if (!more) {
        return 400;
    }
    int status = exchange_ask(x, "SELECT vouch.author_say($1, $2, $3)", more, &answer);
    json_decref(more);
    json_decref(answer);
    return status;
}

int thread_resolve(struct exchange *x) {
    const char *said = query_get(&x->form, "answer");
    json_t *answer = NULL;
    bool yes = said && strcmp(said, "yes") == 0;

    if (!yes && !(said && strcmp(said, "no") == 0)) {
        return 400;
    }
    json_t *more = json_pack("{s:s}", "answer", yes ? "yes" : "no");
    int status =
        more ? exchange_ask(x, "SELECT vouch.author_resolve($1, $2, $3)", more, &answer)
             : 500;
    json_decref(more);
    json_decref(answer);
    return status;
}
