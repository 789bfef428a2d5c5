/* SPDX-License-Identifier: MIT */
/* mail/mime: headers, bodies, refusals. With --drive it composes what stdin asks for, for
 * tests/flow/test_mime.py: lines "field hex", an empty line; the answer is "ok hex" or
 * "error pointer". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "mail/mime.h"

enum { DRIVE_LINE = 5 * 1024 * 1024, OUT_MAX = 8 * 1024 * 1024 };

static struct mime_mail sample(void) {
    return (struct mime_mail){
        .from_name = "Shop",
        .from_address = "shop@example.test",
        .to_name = "Anna Bērziņa",
        .to_address = "anna@example.test",
        .subject = "How was it?",
        .message_id = "abc.1@example.test",
        .date_us = INT64_C(1793527200000000),
        .text = "Hello\n.\nFrom here\n",
        .html = "<p>Hello</p>",
        .locale = "lv",
    };
}

static char *compose(const struct mime_mail *mail) {
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mime_compose(mail, &out, &error), ERROR_NONE);
    return buffer_steal(&out);
}

static void holds(const struct mime_mail *mail, const char *text) {
    char *made = compose(mail);
    if (!strstr(made, text))
        fail_msg("missing <%s> in:\n%s", text, made);
    memory_free(made);
}

static void refuses(const struct mime_mail *mail, const char *pointer) {
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mime_compose(mail, &out, &error), ERROR_INVALID);
    assert_string_equal(error.pointer, pointer);
    assert_int_equal(out.length, 0);
    buffer_free(&out);
}

/* Every line ended by CRLF and at most 998 octets; bodies and folded headers at most 78. */
static void canonical_lines(const char *made) {
    const char *line = made;
    while (*line) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end > line && end[-1] == '\r');
        assert_null(memchr(line, '\r', (size_t)(end - 1 - line)));
        assert_true(end - line <= 79);
        assert_true(line[0] != '.');
        line = end + 1;
    }
}

static void test_headers(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    holds(&mail, "Date: Sun, 01 Nov 2026 10:00:00 +0000\r\n");
    holds(&mail, "From: Shop <shop@example.test>\r\n");
    holds(&mail, "To: =?UTF-8?B?QW5uYSBCxJNyemnFhmE=?= <anna@example.test>\r\n");
    holds(&mail, "Subject: How was it?\r\n");
    holds(&mail, "Message-ID: <abc.1@example.test>\r\n");
    holds(&mail, "Content-Language: lv\r\n");
    holds(&mail, "Content-Type: multipart/alternative;\r\n boundary=\"=_");
    mail.from_name = "Shop, \"the\" \\ best";
    holds(&mail, "From: \"Shop, \\\"the\\\" \\\\ best\" <shop@example.test>\r\n");
    mail.list_id = "requests.example.test";
    mail.unsubscribe_url = "https://example.test/u/abc";
    mail.auto_submitted = "auto-generated";
    mail.feedback_id = "main:request:vouch";
    holds(&mail, "List-Id: <requests.example.test>\r\n");
    holds(&mail, "List-Unsubscribe: <https://example.test/u/abc>\r\n"
                 "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    holds(&mail, "Auto-Submitted: auto-generated\r\nFeedback-ID: main:request:vouch\r\n");
}

static void test_same_bytes_again(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    char *one = compose(&mail), *two = compose(&mail);
    assert_string_equal(one, two);
    canonical_lines(one);
    memory_free(one);
    memory_free(two);
}

static void test_plain_only(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    mail.html = NULL;
    char *made = compose(&mail);
    assert_null(strstr(made, "multipart"));
    assert_non_null(strstr(made, "\r\n\r\nHello\r\n=2E\r\n=46rom here\r\n"));
    canonical_lines(made);
    memory_free(made);
    mail.text = "مرحبا";
    made = compose(&mail);
    assert_non_null(strstr(made, "base64\r\n\r\n2YXYsdit2KjYpw0K\r\n"));
    memory_free(made);
}

static void test_line_ends(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    mail.html = NULL;
    mail.text = "a\rb\nc\r\nd\n\re \t\n";
    holds(&mail, "\r\n\r\na\r\nb\r\nc\r\nd\r\n\r\ne =09\r\n");
}

static void test_refusals(void **state) {
    (void)state;
    static const char *const bad[] = {"a\rb",      "a\nb",         "a\r\nBcc: x@y.test",
                                      "a\x0b",     "\x1b[0m",      "a\x7f",
                                      "a\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9",
                                      "\xff",      "\xc0\x80",     "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mime_mail mail = sample();
        struct {
            const char **field;
            const char *pointer;
        } fields[] = {
            {&mail.from_name, "/from_name"},
            {&mail.from_address, "/from_address"},
            {&mail.to_name, "/to_name"},
            {&mail.to_address, "/to_address"},
            {&mail.reply_to, "/reply_to"},
            {&mail.subject, "/subject"},
            {&mail.message_id, "/message_id"},
            {&mail.list_id, "/list_id"},
            {&mail.locale, "/locale"},
            {&mail.unsubscribe_url, "/unsubscribe_url"},
            {&mail.feedback_id, "/feedback_id"},
            {&mail.auto_submitted, "/auto_submitted"},
        };
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
            const char *before = *fields[k].field;
            *fields[k].field = bad[i];
            refuses(&mail, fields[k].pointer);
            *fields[k].field = before;
        }
    }
}

static void test_needed(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    mail.subject = NULL;
    refuses(&mail, "/subject");
    mail = sample();
    mail.text = NULL;
    refuses(&mail, "/text");
    mail = sample();
    mail.to_address = "a@b.test, c@d.test";
    refuses(&mail, "/to_address");
    mail = sample();
    mail.html = "\xff";
    refuses(&mail, "/html");
    mail = sample();
    mail.message_id = "no-domain";
    refuses(&mail, "/message_id");
    mail = sample();
    mail.unsubscribe_url = "javascript:alert(1)";
    refuses(&mail, "/unsubscribe_url");
}

static void test_utf8_address(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    assert_false(mime_needs_utf8(&mail));
    mail.to_address = "jānis@example.test";
    assert_true(mime_needs_utf8(&mail));
    holds(&mail, " <jānis@example.test>\r\n");
}

static void test_limit(void **state) {
    (void)state;
    struct mime_mail mail = sample();
    struct buffer out;
    struct error error = {0};
    char *whole = compose(&mail);
    size_t length = strlen(whole);
    memory_free(whole);
    for (size_t limit = 0; limit < length; limit += 7) {
        buffer_init(&out, limit);
        error = (struct error){0};
        assert_int_equal(mime_compose(&mail, &out, &error), ERROR_FAILED);
        buffer_free(&out);
    }
}

static char *hex_decode(const char *hex, size_t n) {
    char *made = calloc(1, n / 2 + 1);
    if (crypto_unhex(hex, n, (uint8_t *)made) != 0)
        made[0] = '\0';
    return made;
}

static void drive_set(struct mime_mail *mail, char *line) {
    const struct {
        const char *name;
        const char **field;
    } fields[] = {
        {"from_name", &mail->from_name},
        {"from_address", &mail->from_address},
        {"to_name", &mail->to_name},
        {"to_address", &mail->to_address},
        {"reply_to", &mail->reply_to},
        {"subject", &mail->subject},
        {"message_id", &mail->message_id},
        {"list_id", &mail->list_id},
        {"unsubscribe_url", &mail->unsubscribe_url},
        {"auto_submitted", &mail->auto_submitted},
        {"feedback_id", &mail->feedback_id},
        {"text", &mail->text},
        {"html", &mail->html},
        {"locale", &mail->locale},
    };
    char *value = strchr(line, ' ');
    if (!value)
        return;
    *value++ = '\0';
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, line) == 0) {
            free((void *)(uintptr_t)*fields[i].field);
            *fields[i].field = hex_decode(value, strcspn(value, "\n"));
        }
}

static void drive_answer(const struct mime_mail *mail) {
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, OUT_MAX);
    if (mime_compose(mail, &out, &error) != ERROR_NONE) {
        printf("error %s\n", error.pointer);
    } else {
        char *hex = malloc(2 * out.length + 1);
        crypto_hex(out.data, out.length, hex);
        printf("ok %s\n", hex);
        free(hex);
    }
    fflush(stdout);
    buffer_free(&out);
}

static int drive(void) {
    char *line = malloc(DRIVE_LINE);
    struct mime_mail mail = {.date_us = INT64_C(1793527200000000)};
    while (fgets(line, DRIVE_LINE, stdin)) {
        if (line[0] != '\n') {
            drive_set(&mail, line);
            continue;
        }
        drive_answer(&mail);
        const char **const fields[] = {
            &mail.from_name,      &mail.from_address, &mail.to_name,
            &mail.to_address,     &mail.reply_to,     &mail.subject,
            &mail.message_id,     &mail.list_id,      &mail.unsubscribe_url,
            &mail.auto_submitted, &mail.feedback_id,  &mail.text,
            &mail.html,           &mail.locale};
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            free((void *)(uintptr_t)*fields[i]);
            *fields[i] = NULL;
        }
    }
    free(line);
    return 0;
}

int main(int argc, char **argv) {
    if (crypto_start() != 0)
        return 1;
    if (argc == 2 && strcmp(argv[1], "--drive") == 0)
        return drive();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),      cmocka_unit_test(test_same_bytes_again),
        cmocka_unit_test(test_plain_only),   cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_needed),
        cmocka_unit_test(test_utf8_address), cmocka_unit_test(test_limit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
