/* SPDX-License-Identifier: MIT */
/* vouchctl preview, test-mail and resume: mails as the store's settings make them. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "cli.h"
#include "io/net.h"
#include "mail/mime.h"
#include "mail/preview.h"
#include "mail/sender.h"
#include "mail/smtp.h"
#include "print.h"
#include "session.h"

enum { MAIL_CALL_S = 10, MAIL_SEND_S = 60, MAIL_MESSAGE_MAX = 4 * 1024 * 1024 };

/* What a mail is made from; zeroed to start. */
struct mail_desk {
    json_t *settings; /* as vouch.settings tells */
    struct letter_book *book;
    struct letter letter;
    struct sender from;
    struct buffer message;
};

static const char *desk_text(const struct mail_desk *desk, const char *column) {
    const char *text = json_string_value(
        json_object_get(json_object_get(desk->settings, "store"), column));
    return text ? text : "";
}

static void desk_close(struct mail_desk *desk) {
    letter_free(&desk->letter);
    letter_book_close(desk->book);
    sender_free(&desk->from);
    buffer_free(&desk->message);
    json_decref(desk->settings);
}

static int desk_settings(const struct cli *cli, struct mail_desk *desk,
                         struct error *error) {
    struct session session;
    struct db_params params;
    struct db_result *result = NULL;
    int code = session_open(cli, MAIL_CALL_S * INT64_C(1000000), &session, error);

    db_params_open(&params);
    db_add_text(&params, cli->options->stores[0]);
    if (!code) {
        code = session_call(&session, "SELECT vouch.settings($1)", &params, &result, error);
    }
    if (!code) {
        desk->settings = db_json(result, 0, 0);
    }
    if (!code && !json_is_object(json_object_get(desk->settings, "store"))) {
        code = error_set(error, ERROR_INVALID, "", "there is no store %s: vouchctl migrate",
                         cli->options->stores[0]);
    }
    db_result_free(result);
    db_params_free(&params);
    session_close(&session);
    return code;
}

/* A row with a fault is said, and the mail is as shipped, as it would be for a buyer. */
static void desk_tell_faults(const struct mail_desk *desk) {
    const json_t *faults = letter_book_faults(desk->book), *fault;
    size_t i;

    json_array_foreach(faults, i, fault) {
        print_error("mail_template %s %s, %s: %s; its mails go out as shipped",
                    json_string_value(json_object_get(fault, "kind")),
                    json_string_value(json_object_get(fault, "locale")),
                    json_string_value(json_object_get(fault, "part")),
                    json_string_value(json_object_get(fault, "text")));
    }
    if (desk->letter.fault.code) {
        print_error("the mail_template of this kind goes unused: %s",
                    desk->letter.fault.detail);
    }
}

static int desk_letter(const struct cli *cli, struct mail_desk *desk,
                       struct error *error) {
    const char *kind = cli_value(cli, "kind"), *locale = cli_value(cli, "locale");
    bool codes = json_is_object(json_object_get(desk->settings, "discount_policy"));
    int code = letter_book_open(json_object_get(desk->settings, "mail_template"), codes,
                                &desk->book, error);

    locale = locale ? locale : desk_text(desk, "locale");
    if (!code) {
        code = preview_render(desk->book, kind ? kind : "request", locale,
                              desk_text(desk, "name"), &desk->letter, error);
    }
    if (!code) {
        desk_tell_faults(desk);
    }
    return code;
}

static bool one_store(const struct cli *cli) {
    return cli->options->store_count == 1 && strcmp(cli->options->stores[0], "*") != 0;
}

int preview_run(const struct cli *cli) {
    struct mail_desk desk = {0};
    struct error error = {0};
    int code;

    if (!one_store(cli)) {
        return cli_misused(cli, "of which store? say --store ID");
    }
    code = desk_settings(cli, &desk, &error);
    if (!code) {
        code = desk_letter(cli, &desk, &error);
    }
    if (!code && cli_value(cli, "html")) {
        print_raw(desk.letter.html.data);
    } else if (!code) {
        print_raw(desk.letter.subject.data);
        print_raw("\n\n");
        print_raw(desk.letter.text.data);
    }
    desk_close(&desk);
    return code ? cli_failed(&error) : CLI_DONE;
}

static int desk_compose(const struct cli *cli, struct mail_desk *desk,
                        struct error *error) {
    const char *kind = cli_value(cli, "kind");
    bool asks = letter_book_asks(kind ? kind : "request");
    const char *own = asks ? desk_text(desk, "request_from") : "";
    char id[300], token[33], list[512];
    uint8_t random[16];

    if (sender_read(*own ? own : desk_text(desk, "mail_from"), desk_text(desk, "name"),
                    &desk->from)) {
        return error_set(error, ERROR_INVALID, "",
                         "set store.mail_from to an address or Name <address>");
    }
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, token);
    (void)snprintf(id, sizeof id, "test.%s@%s", token, desk->from.domain);
    (void)snprintf(list, sizeof list, "requests.%s.%s", cli->options->stores[0],
                   desk->from.domain);
    const struct mime_mail mail = {.from_name = desk->from.name,
                                   .from_address = desk->from.address,
                                   .to_address = cli_value(cli, "to"),
                                   .subject = desk->letter.subject.data,
                                   .message_id = id,
                                   .date_us = clock_wall_us(),
                                   .list_id = asks ? list : NULL,
                                   .unsubscribe_url = asks ? preview_unsubscribe_url() : NULL,
                                   .auto_submitted = "auto-generated",
                                   .feedback_id = "test:vouch:mail:vouch",
                                   .text = desk->letter.text.data,
                                   .html = desk->letter.html.data};
    buffer_init(&desk->message, MAIL_MESSAGE_MAX);
    return mime_compose(&mail, &desk->message, error);
}

/* Until the relay has answered. */
static int desk_dialogue(struct smtp *smtp, const struct smtp_mail *mail,
                         struct smtp_result *result, struct error *error) {
    int64_t until_us = clock_now_us() + MAIL_SEND_S * INT64_C(1000000);
    bool begun = false;

    while (clock_now_us() < until_us) {
        if (!begun && smtp_ready(smtp) > 0) {
            int code = smtp_start(smtp, mail, error);
            if (code) {
                return code;
            }
            begun = true;
        }
        (void)smtp_run(smtp, clock_now_us() + 200000);
        if (smtp_take(smtp, result) || (!begun && smtp_trouble(smtp, result))) {
            return 0;
        }
    }
    return error_set(error, ERROR_UNAVAILABLE, "",
                     begun ? "the relay has the mail and did not answer in time"
                           : "the relay did not answer in time");
}

static int desk_send(const struct cli *cli, const struct mail_desk *desk,
                     struct smtp_result *result, struct error *error) {
    const char *user = desk_text(desk, "smtp_user");
    struct smtp_relay relay = {.url = desk_text(desk, "smtp_url"),
                               .user = *user ? user : NULL,
                               .password = *user ? cli->options->smtp_password : NULL,
                               .connections = 1};
    const struct smtp_mail mail = {.id = 1,
                                   .from = desk->from.address,
                                   .to = cli_value(cli, "to"),
                                   .message = desk->message.data,
                                   .length = desk->message.length};
    struct net *net = NULL;
    struct smtp *smtp = NULL;
    int code = *relay.url ? net_open(&net, error)
                          : error_set(error, ERROR_INVALID, "", "set store.smtp_url first");

    if (!code) {
        code = smtp_open(net, &relay, &smtp, error);
    }
    if (!code) {
        code = desk_dialogue(smtp, &mail, result, error);
    }
    smtp_close(smtp);
    net_close(net);
    return code;
}

int test_mail_run(const struct cli *cli) {
    struct mail_desk desk = {0};
    struct smtp_result result = {0};
    struct error error = {0};
    int code = crypto_start();

    if (!cli_value(cli, "to")) {
        return cli_misused(cli, "to whom? say --to ADDRESS");
    }
    if (!one_store(cli)) {
        return cli_misused(cli, "of which store? say --store ID");
    }
    if (!code) {
        code = desk_settings(cli, &desk, &error);
    }
    if (!code) {
        code = desk_letter(cli, &desk, &error);
    }
    if (!code) {
        code = desk_compose(cli, &desk, &error);
    }
    if (!code) {
        code = desk_send(cli, &desk, &result, &error);
    }
    if (!code && result.class != SMTP_ACCEPTED) {
        code = error_set(&error, ERROR_UNAVAILABLE, "", "the relay did not take it: %d %s %s",
                         result.code, result.enhanced, result.reply);
    }
    if (!code) {
        print_line("the relay took it: %d %s", result.code, result.reply);
    }
    desk_close(&desk);
    return code ? cli_failed(&error) : CLI_DONE;
}

int resume_run(const struct cli *cli) {
    struct session session;
    struct db_params params;
    struct db_result *result = NULL;
    struct error error = {0};
    const char *who = cli_value(cli, "operator");
    int code;

    if (!one_store(cli)) {
        return cli_misused(cli, "which store? say --store ID");
    }
    code = session_open(cli, MAIL_CALL_S * INT64_C(1000000), &session, &error);
    db_params_open(&params);
    db_add_text(&params, cli->options->stores[0]);
    db_add_text(&params, who ? who : "vouchctl");
    if (!code) {
        code = session_call(&session, "SELECT vouch.mail_resume($1, $2)", &params, &result,
                            &error);
    }
    if (!code) {
        const char *why = db_value(result, 0, 0);
        print_line(why ? "mail goes out again; it was paused because %s"
                       : "mail was not paused%s",
                   why ? why : "");
    }
    db_result_free(result);
    db_params_free(&params);
    session_close(&session);
    return code ? cli_failed(&error) : CLI_DONE;
}
