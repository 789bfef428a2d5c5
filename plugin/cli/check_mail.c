/* SPDX-License-Identifier: MIT */
/* vouchctl check, the mail of one store: pauses, the relay, domains, templates. */
#include "check.h"
#include "mail/letter_book.h"

#define HEALTH "select * from vouch.delivery_health where store_id = :store"

static const char *told(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void tell_faults(struct check *c, const struct letter_book *book) {
    const json_t *faults = letter_book_faults(book), *fault;
    size_t i;

    json_array_foreach(faults, i, fault) {
        findings_add(c->findings, FINDING_PROBLEM,
                     "correct it in the table, see vouchctl preview",
                     "mail_template %s %s goes unused, its mails go out as shipped: %s: %s",
                     told(fault, "kind"), told(fault, "locale"), told(fault, "part"),
                     told(fault, "text"));
    }
}

static void check_templates(struct check *c, const char *store) {
    struct db_params params;
    struct db_result *result = NULL;
    struct letter_book *book = NULL;
    struct error error = {0};
    json_t *settings = NULL;
    int code;

    db_params_open(&params);
    db_add_text(&params, store);
    code = session_call(c->session, "SELECT vouch.settings($1)", &params, &result, &error);
    if (!code) {
        settings = db_json(result, 0, 0);
        code = letter_book_open(
            json_object_get(settings, "mail_template"),
            json_is_object(json_object_get(settings, "discount_policy")), &book, &error);
    }
    if (code) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl migrate",
                     "the mail templates could not be looked at: %s", error.detail);
    } else {
        tell_faults(c, book);
    }
    letter_book_close(book);
    json_decref(settings);
    db_result_free(result);
    db_params_free(&params);
}

void check_sending(struct check *c, const char *store, const json_t *facts) {
    const json_t *delivery = json_object_get(facts, "delivery");
    long long domains =
        (long long)json_integer_value(json_object_get(delivery, "domains_waiting"));

    if (*told(delivery, "paused_at")) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl resume --store :store",
                     "no mail goes out since %s: %s", told(delivery, "paused_at"),
                     told(delivery, "pause_reason"));
    }
    if (*told(delivery, "relay_down_at")) {
        findings_add(c->findings, FINDING_PROBLEM, HEALTH,
                     "the relay takes no mail since %s: %s",
                     told(delivery, "relay_down_at"), told(delivery, "relay_problem"));
    }
    if (domains > 0) {
        findings_add(c->findings, FINDING_WARNING, HEALTH,
                     "%lld receiving domains asked for patience", domains);
    }
    check_templates(c, store);
}
