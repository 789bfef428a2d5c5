/* SPDX-License-Identifier: MIT */
/* Each kind has a recipe: which links it needs and what its letter is told. */
#include "request/compose.h"

#include <string.h>

#include "base/memory.h"
#include "request/compose_case.h"
#include "request/compose_data.h"
#include "request/discount.h"
#include "request/link.h"

struct recipe {
    const char *kind;
    enum link_purpose purpose; /* of the link that the mail is about */
    const char *subject;       /* member of the context: what the link opens */
    const char *link_name;     /* member of the letter's data */
    bool listed;               /* asks for something: unsubscribe link, code */
    bool threaded;             /* may be answered: an address of its own */
    int (*put)(const struct settings *settings, const struct dispatch_mail *mail,
               json_t *data);
};

static const struct recipe recipes[] = {
    {"request", LINK_REVIEW, "request_id", "form_url", true, false, compose_put_request},
    {"reminder", LINK_REVIEW, "request_id", "form_url", true, false, compose_put_request},
    {"discount", LINK_REVIEW, "request_id", "form_url", true, false, compose_put_request},
    {"confirm", LINK_CONFIRM, "confirmation_id", "confirm_url", false, false,
     compose_put_confirmation},
    {"held", LINK_AUTHOR, "review_id", "author_url", false, false, compose_put_decision},
    {"rejected", LINK_AUTHOR, "review_id", "author_url", false, false,
     compose_put_decision},
    {"published", LINK_AUTHOR, "review_id", "author_url", false, false,
     compose_put_decision},
    {"alert", LINK_ALERT, "alert_id", "case_url", false, false, compose_put_alert},
    {"escalation", LINK_ALERT, "alert_id", "case_url", false, false, compose_put_alert},
    {"reply", LINK_AUTHOR, "review_id", "author_url", false, false, compose_put_reply},
    {"thread", LINK_AUTHOR, "review_id", "author_url", false, true, compose_put_message},
    {"proposal", LINK_RESOLUTION, "case_id", "resolution_url", false, true,
     compose_put_message},
    {"follow_up", LINK_RESOLUTION, "case_id", "resolution_url", false, true,
     compose_put_message},
    {"update_question", LINK_AUTHOR, "review_id", "author_url", false, false,
     compose_put_message},
    {"measure", LINK_AUTHOR, "review_id", "author_url", false, false,
     compose_put_message},
    {"report_receipt", LINK_REPORT, "report_id", "report_url", false, false,
     compose_put_report},
    {"report_decision", LINK_REPORT, "report_id", "appeal_url", false, false,
     compose_put_report},
};

static const struct recipe *find_recipe(const char *kind) {
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
        if (strcmp(recipes[i].kind, kind) == 0)
            return &recipes[i];
    return NULL;
}

/* What the mail's own link opens; the id of a review stands with the review. */
static int64_t subject_of(const struct recipe *recipe, const json_t *context) {
    const json_t *in =
        recipe->purpose == LINK_AUTHOR ? json_object_get(context, "review") : context;
    return json_integer_value(json_object_get(in, recipe->subject));
}

static int make_link(const struct store *store, const struct recipe *recipe,
                     const json_t *context, struct link *link, struct error *error) {
    int64_t subject = subject_of(recipe, context);
    if (subject <= 0)
        return error_set(error, ERROR_INVALID, "",
                         "the mail does not say what it is about");
    return link_make_number(store, recipe->purpose, subject,
                            json_integer_value(json_object_get(context, "link_version")),
                            link, error);
}

static int make_unsubscribe(const struct store *store, const json_t *context,
                            struct link *link, struct error *error) {
    const char *key = json_string_value(json_object_get(context, "address_key"));
    if (!key)
        return error_set(error, ERROR_INVALID, "", "the mail has no addressee");
    return link_make(store, LINK_UNSUBSCRIBE, key, 1, link, error);
}

static int make_thread(const struct store *store, const json_t *context,
                       struct link *link, struct error *error) {
    int64_t subject = json_integer_value(json_object_get(context, "case_id"));
    return link_make_number(store, LINK_THREAD, subject, 1, link, error);
}

static bool put_token(json_t *tokens, const struct link *link, int64_t subject,
                      const json_t *context) {
    const char *key = json_string_value(json_object_get(context, "address_key"));
    return json_array_append_new(tokens, link_token(link, subject, key)) == 0;
}

static void put_code(const struct store *store, const struct settings *settings,
                     const json_t *context, struct dispatch_prepared *out) {
    const char *order = json_string_value(json_object_get(context, "order_id"));
    if (!order || !discount_code(store, settings, order, out->code))
        return;
    out->has_code = discount_hash(store, out->code, strlen(out->code), out->code_hash);
}

static int prepare(const struct store *store, const struct settings *settings,
                   const struct dispatch_mail *mail, struct dispatch_prepared *out,
                   struct error *error) {
    const struct recipe *recipe = find_recipe(mail->kind);
    struct link link, unsubscribe, thread;
    int rc = make_link(store, recipe, mail->context, &link, error);
    if (!rc && recipe->listed)
        rc = make_unsubscribe(store, mail->context, &unsubscribe, error);
    if (!rc && recipe->threaded)
        rc = make_thread(store, mail->context, &thread, error);
    if (rc)
        return rc;
    out->tokens = json_array();
    if (!out->tokens ||
        !put_token(out->tokens, &link, subject_of(recipe, mail->context),
                   mail->context) ||
        (recipe->listed && !put_token(out->tokens, &unsubscribe, 0, mail->context)) ||
        (recipe->threaded &&
         !put_token(out->tokens, &thread,
                    json_integer_value(json_object_get(mail->context, "case_id")),
                    mail->context)))
        return error_set(error, ERROR_FAILED, "", "no memory for a mail's links");
    if (recipe->listed)
        put_code(store, settings, mail->context, out);
    return 0;
}

static int put_link(json_t *data, const char *name, const char *base_url,
                    const struct link *link, char **url) {
    char *made = link_url(base_url, link);
    int rc =
        made && !json_object_set_new(data, name, json_string(made)) ? 0 : ERROR_FAILED;
    if (url)
        *url = made;
    else
        memory_free(made);
    return rc;
}

static int put_links(const struct store *store, const struct settings *settings,
                     const struct recipe *recipe, const struct dispatch_mail *mail,
                     json_t *data, struct dispatch_letter *out, struct error *error) {
    const char *base_url = settings_text(settings, "base_url");
    struct link link;
    int rc = make_link(store, recipe, mail->context, &link, error);
    if (!rc)
        rc = put_link(data, recipe->link_name, base_url, &link, NULL);
    if (!rc && recipe->listed) {
        rc = make_unsubscribe(store, mail->context, &link, error);
        if (!rc)
            rc =
                put_link(data, "unsubscribe_url", base_url, &link, &out->unsubscribe_url);
    }
    if (!rc && recipe->threaded) {
        rc = make_thread(store, mail->context, &link, error);
        out->reply_to = rc ? NULL : compose_reply_to(settings, link.token);
    }
    return rc ? error_set(error, rc, "", "the mail's links cannot be written") : 0;
}

/* The code that vouch.mail_attempt has just issued or found again, in words. */
static int put_discount(const struct store *store, const struct settings *settings,
                        const struct dispatch_mail *mail, json_t *data,
                        struct error *error) {
    const char *order = json_string_value(json_object_get(mail->context, "order_id"));
    char code[DISCOUNT_CODE_SIZE];
    int rc = 0;
    if (!mail->discount || !order)
        return 0;
    if (!discount_code(store, settings, order, code))
        return error_set(error, ERROR_UNAVAILABLE, "", "the discount's policy is gone");
    if (compose_put_discount(mail->discount, code, data))
        rc = error_set(error, ERROR_FAILED, "", "no memory for a mail");
    crypto_zero(code, sizeof code);
    return rc;
}

static int make_book(const struct settings *settings, void **made, struct error *error) {
    struct letter_book *book = NULL;
    int rc = letter_book_open(settings_rows(settings, "mail_template"),
                              settings_rows(settings, "discount_policy") != NULL, &book,
                              error);
    *made = book;
    return rc;
}

static void free_book(void *made) {
    letter_book_close(made);
}

int compose_book(struct settings *settings, const struct letter_book **book,
                 struct error *error) {
    const void *kept = NULL;
    int rc = settings_compiled(settings, "letters", make_book, free_book, &kept, error);
    *book = kept;
    return rc;
}

static int compose(const struct store *store, struct settings *settings,
                   const struct dispatch_mail *mail, struct dispatch_letter *out,
                   struct error *error) {
    const struct recipe *recipe = find_recipe(mail->kind);
    const char *locale = compose_locale(settings, mail->context);
    const struct letter_book *book = NULL;
    json_t *data = json_object();
    int rc = compose_book(settings, &book, error);

    if (rc)
        goto out;
    rc = ERROR_FAILED;
    out->listed = recipe->listed;
    out->locale = compose_language_tag(locale);
    if (!data || compose_put_common(settings, mail->context, data) ||
        recipe->put(settings, mail, data)) {
        error_set(error, ERROR_FAILED, "", "no memory for a mail");
        goto out;
    }
    rc = put_links(store, settings, recipe, mail, data, out, error);
    if (!rc && recipe->listed)
        rc = put_discount(store, settings, mail, data, error);
    if (!rc)
        rc = letter_render(mail->kind, locale, book, data, &out->letter, error);
    if (!rc && out->letter.fault.code)
        log_write(store->log, LOG_WARNING,
                  "store %s: the mail_template of %s goes unused: %s", store->name,
                  mail->kind, out->letter.fault.detail);
out:
    json_decref(data);
    return rc;
}

const struct dispatch_kind compose_kinds[] = {
    {"request", prepare, compose},
    {"reminder", prepare, compose},
    {"discount", prepare, compose},
    {"confirm", prepare, compose},
    {"held", prepare, compose},
    {"rejected", prepare, compose},
    {"published", prepare, compose},
    {"alert", prepare, compose},
    {"escalation", prepare, compose},
    {"reply", prepare, compose},
    {"thread", prepare, compose},
    {"proposal", prepare, compose},
    {"follow_up", prepare, compose},
    {"update_question", prepare, compose},
    {"measure", prepare, compose},
    {"report_receipt", prepare, compose},
    {"report_decision", prepare, compose},
};
const size_t compose_kinds_count = sizeof compose_kinds / sizeof *compose_kinds;
