/* SPDX-License-Identifier: MIT */
/* Reports as mail servers write them, and what is none; return paths of single mails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/dsn.h"
#include "mail/verp.h"

#define PART(type) "--BOUND\r\nContent-Type: " type "\r\n\r\n"
#define REPORT(extra)                                                                    \
    "From: MAILER-DAEMON@mx.test\r\nTo: bounces+m7-aa@shop.test\r\n" extra                \
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"                    \
    "\tboundary=\"BOUND\"\r\n\r\nThis is a MIME-encapsulated message.\r\n\r\n"
#define ORIGINAL                                                                         \
    "\r\n--BOUND\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@shop.test\r\n"             \
    "Message-ID: <mid-1@shop.test>\r\nSubject: x\r\n\r\nbody\r\n\r\n--BOUND--\r\n"

struct sample {
    const char *name, *text;
    const char *recipient, *action, *status, *message_id;
};

static const struct sample samples[] = {
    {"postfix",
     REPORT("") PART("text/plain; charset=us-ascii")
     "<anna@x.test>: host mx.x.test[192.0.2.1] said: 550 5.1.1 <anna@x.test>: User unknown\r\n\r\n"
     "--BOUND\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n"
     "Reporting-MTA: dns; mail.shop.test\r\nX-Postfix-Queue-ID: 4F1\r\n"
     "Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000 (UTC)\r\n\r\n"
     "Final-Recipient: rfc822; anna@x.test\r\nOriginal-Recipient: rfc822;anna@x.test\r\n"
     "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.x.test\r\n"
     "Diagnostic-Code: smtp; 550 5.1.1 <anna@x.test>: User\r\n    unknown\r\n" ORIGINAL,
     "anna@x.test", "failed", "5.1.1", "mid-1@shop.test"},
    {"postfix, delayed",
     REPORT("") PART("message/delivery-status")
     "Reporting-MTA: dns; mail.shop.test\n\nFinal-Recipient: rfc822; anna@x.test\n"
     "Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: Thu, 26 Nov 2026 10:00:00 +0000\n" ORIGINAL,
     "anna@x.test", "delayed", "4.4.1", "mid-1@shop.test"},
    {"exim",
     REPORT("X-Failed-Recipients: anna@x.test\r\nAuto-Submitted: auto-replied\r\n")
     PART("message/delivery-status")
     "Reporting-MTA: dns; exim.shop.test\r\n\r\nAction: failed\r\n"
     "Final-Recipient: rfc822;anna@x.test\r\nStatus: 5.0.0\r\nRemote-MTA: dns; mx.x.test\r\n"
     "Diagnostic-Code: smtp; 550 5.7.1 not wanted\r\n\r\n"
     "--BOUND\r\nContent-type: text/rfc822-headers\r\n\r\nReceived: from a\r\n\tby b\r\n"
     "Message-Id:\r\n <mid-2@shop.test>\r\n\r\n--BOUND--\r\n",
     "anna@x.test", "failed", "5.7.1", "mid-2@shop.test"},
    {"exim, in plain words",
     "From: Mail Delivery System <Mailer-Daemon@x.test>\r\nTo: reviews@shop.test\r\n"
     "X-Failed-Recipients: anna@x.test\r\nSubject: Mail delivery failed\r\n\r\n"
     "This message was created automatically.\r\n\r\n  anna@x.test\r\n"
     "    SMTP error from remote mail server after RCPT TO: 550 5.1.10 no such user\r\n\r\n"
     "------ This is a copy of the message, including all the headers. ------\r\n\r\n"
     "From: a@shop.test\r\nMessage-ID: <mid-3@shop.test>\r\n\r\nbody 5.9.9\r\n",
     "anna@x.test", "failed", "5.1.10", "mid-3@shop.test"},
    {"exchange",
     REPORT("X-MS-Exchange-Message-Is-Ndr:\r\nIn-Reply-To: <mid-4@shop.test>\r\n")
     "--BOUND\r\nContent-Type: multipart/alternative; differences=Content-Type;\r\n\tboundary=\"inner\"\r\n\r\n"
     "--inner\r\nContent-Type: text/plain\r\n\r\nYour message couldn't be delivered: 550 5.4.1\r\n\r\n--inner--\r\n\r\n"
     PART("message/delivery-status")
     "Reporting-MTA: dns;EUR01.prod.outlook.test\r\nReceived-From-MTA: dns;mail.shop.test\r\n\r\n"
     "Final-Recipient: rfc822;Anna@X.test\r\nAction: failed\r\nStatus: 5.1.10\r\n"
     "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found\r\n\r\n--BOUND--\r\n",
     "Anna@X.test", "failed", "5.1.10", "mid-4@shop.test"},
    {"qmail",
     "Return-Path: <>\nTo: bounces@shop.test\nSubject: failure notice\n\n"
     "Hi. This is the qmail-send program at x.test.\n"
     "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
     "<anna@x.test>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
     "--- Below this line is a copy of the message.\n\nReturn-Path: <a@shop.test>\n"
     "Message-ID: <mid-5@shop.test>\n\nbody\n",
     "anna@x.test", "failed", "5.1.1", "mid-5@shop.test"},
    {"gmail",
     "Delivered-To: bounces+m7-aa@shop.test\r\n"
     REPORT("References: <mid-6@shop.test>\r\nIn-Reply-To: <mid-6@shop.test>\r\n"
            "X-Failed-Recipients: anna@gmail.test\r\n")
     PART("message/delivery-status")
     "Reporting-MTA: dns; googlemail.com\r\nArrival-Date: Sat, 21 Nov 2026 02:00:00 -0800 (PST)\r\n"
     "X-Original-Message-ID: <mid-6@shop.test>\r\n\r\nFinal-Recipient: rfc822; anna@gmail.test\r\n"
     "Action: failed\r\nStatus: 5.2.2\r\nRemote-MTA: dns; gmail-smtp-in.l.google.test. (192.0.2.2)\r\n"
     "Diagnostic-Code: smtp; 552-5.2.2 The email account is over quota.\r\n 552 5.2.2 more\r\n\r\n--BOUND--\r\n",
     "anna@gmail.test", "failed", "5.2.2", "mid-6@shop.test"},
    {"the second of two failed",
     REPORT("") PART("message/delivery-status")
     "Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; x@x.test\r\nAction: relayed\r\nStatus: 2.0.0\r\n\r\n"
     "Final-Recipient: rfc822; anna@x.test\r\nAction: FAILED (gone)\r\nStatus: 5.1.1 (bad mailbox)\r\n" ORIGINAL,
     "anna@x.test", "failed", "5.1.1", "mid-1@shop.test"},
    {"the status part alone",
     "Reporting-MTA: dns; mx.x.test\n\nFinal-Recipient: rfc822;anna@x.test\nAction: failed\nStatus: 5.1.1\n",
     "anna@x.test", "failed", "5.1.1", ""},
    {"a complaint",
     REPORT("") PART("message/feedback-report")
     "Feedback-Type: abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n"
     "Original-Rcpt-To: <anna@x.test>\r\nOriginal-Mail-From: <a@shop.test>\r\n" ORIGINAL,
     "anna@x.test", "", "", "mid-1@shop.test"},
};

static struct dsn dsn;

static void servers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample *s = &samples[i];
        print_message("# %s\n", s->name);
        assert_true(dsn_read(s->text, strlen(s->text), &dsn));
        const struct dsn_recipient *r = dsn_verdict(&dsn);
        assert_non_null(r);
        assert_string_equal(r->address, s->recipient);
        assert_string_equal(r->action, s->action);
        assert_string_equal(r->status, s->status);
        assert_string_equal(dsn.message_id, s->message_id);
    }
    assert_true(dsn_read(samples[0].text, strlen(samples[0].text), &dsn));
    assert_string_equal(dsn.mailbox, "bounces+m7-aa@shop.test");
}

static void no_reports(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "\n", ":", "hello", "Subject: hello\r\n\r\nI like your kettle, 5.1.1 stars\r\n",
        "Content-Type: multipart/report; boundary=\"\r\n\r\n--\r\n\r\n--\r\n",
        "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(dsn_read(texts[i], strlen(texts[i]), &dsn));
}

/* Every prefix, and mutants of each sample: nothing but what fits is read, all of
 * it ends. The copies have no byte behind them, which ASan watches. */
static void anything(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t n = strlen(samples[i].text);
        for (size_t cut = 0; cut < n + 400; cut++) {
            size_t length = cut < n ? cut : n;
            char *copy = malloc(length ? length : 1);
            memcpy(copy, samples[i].text, length);
            for (size_t k = 0; cut >= n && k < 12; k++) {
                seed = seed * 1664525 + 1013904223;
                copy[(seed >> 8) % length] = "\n\r:;<>-. \0B\xFF"[(seed >> 4) % 12];
            }
            (void)dsn_read(copy, length, &dsn);
            assert_true(dsn.count <= DSN_RECIPIENTS_MOST);
            for (size_t k = 0; k < dsn.count; k++)
                assert_true(strlen(dsn.recipients[k].address) < DSN_ADDRESS_SIZE);
            free(copy);
        }
    }
}

static void many(void **state) {
    (void)state;
    size_t size = 4 << 20;
    char *text = malloc(size), *at = text;
    at += sprintf(at, REPORT("") PART("message/delivery-status"));
    while ((size_t)(at - text) < size - 100)
        at += sprintf(at, "\nFinal-Recipient: rfc822; a@x.test\nAction: delayed\n");
    assert_true(dsn_read(text, (size_t)(at - text), &dsn));
    assert_int_equal(dsn.count, DSN_RECIPIENTS_MOST);
    memset(text, 'a', size);
    assert_false(dsn_read(text, size, &dsn));
    memset(text, ' ', size);
    memcpy(text, "A:", 2);
    assert_false(dsn_read(text, size, &dsn));
    free(text);
}

static const char secret[] = "a secret of the unit tests, 32 bytes or more";

static void return_paths(void **state) {
    (void)state;
    struct keyring *keys = NULL;
    char address[VERP_ADDRESS_SIZE], loud[VERP_ADDRESS_SIZE];
    int64_t mail = 0;
    assert_int_equal(crypto_start(), 0);
    assert_int_equal(keyring_open(secret, sizeof secret - 1, &keys, NULL), 0);
    assert_true(verp_write(keys, "main", "bounces+{mail}@shop.test", 42, address));
    assert_int_equal(strncmp(address, "bounces+m42-", 12), 0);
    assert_int_equal(strlen(address), strlen("bounces+m42-0123456789abcdef@shop.test"));
    assert_true(verp_read(keys, "main", address, &mail));
    assert_int_equal(mail, 42);
    for (size_t i = 0; i <= strlen(address); i++)
        loud[i] = address[i] >= 'a' && address[i] <= 'z' ? (char)(address[i] - 32) : address[i];
    assert_true(verp_read(keys, "main", loud, &mail));
    assert_false(verp_read(keys, "second", address, &mail));
    for (size_t i = 8; i < strlen("bounces+m42-0123456789abcdef"); i++) {
        char kept = address[i];
        address[i] = kept == '7' ? '8' : '7';
        assert_false(verp_read(keys, "main", address, &mail));
        address[i] = kept;
    }
    assert_true(verp_write(keys, "main", "bounces@shop.test", 42, address));
    assert_string_equal(address, "bounces@shop.test");
    assert_false(verp_read(keys, "main", address, &mail));
    assert_false(verp_read(keys, "main", "", &mail));
    assert_false(verp_read(keys, "main", "m-@x", &mail));
    assert_false(verp_read(keys, "main", "m99999999999999999999999999-0123456789abcdef@x", &mail));
    assert_false(verp_write(keys, "main", "no address {mail}", 42, address));
    assert_false(verp_write(keys, "main",
                            "a-very-long-local-part-that-leaves-no-room-for-it+{mail}@shop.test",
                            42, address));
    keyring_close(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers), cmocka_unit_test(no_reports), cmocka_unit_test(anything),
        cmocka_unit_test(many), cmocka_unit_test(return_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
