/* SPDX-License-Identifier: MIT */
/* mail/smtp without a relay: replies, addresses, messages, targets, a resolver that hangs.
 * With --drive it is a sender for tests/flow/test_smtp.py: settings as name=value
 * arguments, then commands on stdin, see drive_command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "mail/smtp.h"
#include "mail/smtp_reply.h"

/* libcurl finds this one: a resolver that takes two seconds and knows nobody. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    (void)service;
    (void)hints;
    *found = NULL;
    if (node && strstr(node, "slow"))
        sleep(2);
    return EAI_NONAME;
}

static void test_replies(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        enum smtp_reply_event event;
        int code;
        const char *enhanced, *text;
    } cases[] = {
        {"250 2.0.0 Ok\r\n", SMTP_REPLY_END, 250, "2.0.0", "Ok"},
        {"250 Ok\n", SMTP_REPLY_END, 250, "", "Ok"},
        {"250\r\n", SMTP_REPLY_END, 250, "", ""},
        {"250 \r\n", SMTP_REPLY_END, 250, "", ""},
        {"550-5.1.1 no\r\n550 5.1.1 such user\r\n", SMTP_REPLY_END, 550, "5.1.1",
         "no such user"},
        {"550-first\r\n550 5.7.26 second\r\n", SMTP_REPLY_END, 550, "5.7.26",
         "first second"},
        {"451 5.1.1 not my class\r\n", SMTP_REPLY_END, 451, "", "5.1.1 not my class"},
        {"550 5.1.1234 too long\r\n", SMTP_REPLY_END, 550, "", "5.1.1234 too long"},
        {"550 5.1.\r\n", SMTP_REPLY_END, 550, "", "5.1."},
        {"550 5.1.1\r\n", SMTP_REPLY_END, 550, "5.1.1", ""},
        {"550 5.123.123 x\r\n", SMTP_REPLY_END, 550, "5.123.123", "x"},
        {"354 go\xff\x01on\r\n", SMTP_REPLY_END, 354, "", "go? on"},
        {"250 caf\xc3\xa9\r\n", SMTP_REPLY_END, 250, "", "caf\xc3\xa9"},
        {"250 a\r\r\n", SMTP_REPLY_END, 250, "", "a "},
        {"250-a\r\n550 b\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"199 a\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"650 a\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"25 a\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"2500 a\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"HTTP/1.1 400 Bad\r\n", SMTP_REPLY_BAD, 0, NULL, NULL},
        {"250 a", SMTP_REPLY_MORE, 0, NULL, NULL},
        {"250-a\r\n", SMTP_REPLY_MORE, 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].bytes);
        for (size_t step = 1; step <= n; step++) {
            struct smtp_reply reply;
            enum smtp_reply_event event = SMTP_REPLY_MORE;
            smtp_reply_clear(&reply);
            for (size_t at = 0; at < n && event < SMTP_REPLY_END;) {
                size_t used = 0, left = n - at < step ? n - at : step;
                event = smtp_reply_feed(&reply, cases[i].bytes + at, left, &used);
                at += used;
            }
            if (event == SMTP_REPLY_LINE)
                event = SMTP_REPLY_MORE;
            assert_int_equal(event, cases[i].event);
            if (event != SMTP_REPLY_END)
                continue;
            assert_int_equal(reply.code, cases[i].code);
            assert_string_equal(reply.enhanced, cases[i].enhanced);
            assert_string_equal(reply.text, cases[i].text);
        }
    }
}

static enum smtp_reply_event feed_all(const char *bytes, size_t n) {
    struct smtp_reply reply;
    enum smtp_reply_event event = SMTP_REPLY_MORE;
    smtp_reply_clear(&reply);
    for (size_t at = 0; at < n && event < SMTP_REPLY_END;) {
        size_t used = 0;
        event = smtp_reply_feed(&reply, bytes + at, n - at, &used);
        at += used;
    }
    return event;
}

static void test_reply_bounds(void **state) {
    (void)state;
    static char bytes[600000];
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "250 ", 4);
    bytes[4095] = '\n';
    assert_int_equal(feed_all(bytes, 4096), SMTP_REPLY_END);
    bytes[4095] = 'x';
    bytes[4096] = '\n';
    assert_int_equal(feed_all(bytes, 4097), SMTP_REPLY_END);
    bytes[4096] = 'x';
    assert_int_equal(feed_all(bytes, sizeof bytes), SMTP_REPLY_BAD);
    for (size_t i = 0; i < 100; i++)
        memcpy(bytes + 7 * i, "250-x\r\n", 7);
    assert_int_equal(feed_all(bytes, (size_t)7 * 63), SMTP_REPLY_LINE);
    assert_int_equal(feed_all(bytes, (size_t)7 * 64), SMTP_REPLY_BAD);
    memcpy(bytes + 7 * 63, "250 x\r\n", 7);
    assert_int_equal(feed_all(bytes, (size_t)7 * 64), SMTP_REPLY_END);
    memset(bytes, 0, 1000);
    bytes[1000] = '\n';
    assert_int_equal(feed_all(bytes, 1001), SMTP_REPLY_BAD);
}

static void test_targets(void **state) {
    (void)state;
    static const struct {
        const char *url;
        enum net_tls tls;
        int rc;
    } cases[] = {
        {"smtp://relay.example.test", NET_TLS_AUTO, ERROR_NONE},
        {"smtp://relay.example.test:587/shop.example.test", NET_TLS_REQUIRED, ERROR_NONE},
        {"smtps://relay.example.test:465", NET_TLS_AUTO, ERROR_NONE},
        {"smtp://relay.example.test", NET_TLS_NONE, ERROR_INVALID},
        {"smtps://relay.example.test", NET_TLS_NONE, ERROR_INVALID},
        {"smtp://localhost:25", NET_TLS_NONE, ERROR_NONE},
        {"smtp://127.0.0.1", NET_TLS_NONE, ERROR_NONE},
        {"smtp://127.8.9.1", NET_TLS_NONE, ERROR_NONE},
        {"smtp://[::1]:2525", NET_TLS_NONE, ERROR_NONE},
        {"smtp://127.0.0.1.example.test", NET_TLS_NONE, ERROR_INVALID},
        {"smtp://localhost.example.test", NET_TLS_NONE, ERROR_INVALID},
        {"smtp://128.0.0.1", NET_TLS_NONE, ERROR_INVALID},
        {"smtp://127.0.0.1@relay.example.test", NET_TLS_NONE, ERROR_INVALID},
        {"http://relay.example.test", NET_TLS_AUTO, ERROR_INVALID},
        {"file:///etc/passwd", NET_TLS_AUTO, ERROR_INVALID},
        {"relay.example.test", NET_TLS_AUTO, ERROR_INVALID},
        {"", NET_TLS_AUTO, ERROR_INVALID},
        {NULL, NET_TLS_AUTO, ERROR_INVALID},
        {"smtp://", NET_TLS_AUTO, ERROR_INVALID},
        {"smtp://relay.example.test:99999", NET_TLS_AUTO, ERROR_INVALID},
        {"smtp://relay.example.test/a%0d%0aMAIL", NET_TLS_AUTO, ERROR_INVALID},
        {"smtp://relay.example.test/a b", NET_TLS_AUTO, ERROR_INVALID},
        {"smtp://relay.example.test/a/b", NET_TLS_AUTO, ERROR_INVALID},
        {"smtp://relay.example.test\r\n", NET_TLS_AUTO, ERROR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        struct net_target target = {.url = cases[i].url, .tls = cases[i].tls};
        if (net_check(&target, &error) != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].url ? cases[i].url : "NULL", error.code,
                     error.detail);
        assert_int_equal(error.code, cases[i].rc);
    }
}

struct fixture {
    struct net *net;
    struct smtp *smtp;
};

static void fixture_open(struct fixture *f, const char *url, int connect_ms) {
    struct error error = {0};
    struct smtp_relay relay = {
        .url = url, .connect_timeout_ms = connect_ms, .password = "p"};
    assert_int_equal(net_open(&f->net, &error), ERROR_NONE);
    assert_int_equal(smtp_open(f->net, &relay, &f->smtp, &error), ERROR_NONE);
}

static void fixture_close(struct fixture *f) {
    smtp_close(f->smtp);
    net_close(f->net);
}

static int start(struct smtp *smtp, const char *from, const char *to, const char *message,
                 size_t n) {
    struct error error = {0};
    struct smtp_mail mail = {
        .id = 1, .from = from, .to = to, .message = message, .length = n};
    int rc = smtp_start(smtp, &mail, &error);
    assert_int_equal(rc, error.code);
    return rc;
}

static void test_envelopes(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "a",
                                      "a@b>\r\nRCPT TO:<x@y.test",
                                      "a@b.test\nDATA",
                                      "\"a\r\nb\"@x.test",
                                      "<a@b.test> SIZE=1",
                                      "a@b.test,c@d.test",
                                      "a@[127.0.0.1]",
                                      "a@localhost",
                                      "a@b.test.",
                                      "a(c)@b.test",
                                      "a@b.test\x7f",
                                      "a b@c.test",
                                      "a\xff@b.test",
                                      "a@b@c.test"};
    static const char good[] = "A: b\r\n\r\nc\r\n";
    struct fixture f;
    fixture_open(&f, "smtp://127.0.0.1:9", 100);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(start(f.smtp, bad[i], "a@b.test", good, sizeof good - 1),
                         ERROR_INVALID);
        assert_int_equal(start(f.smtp, "a@b.test", bad[i], good, sizeof good - 1),
                         ERROR_INVALID);
    }
    assert_int_equal(start(f.smtp, NULL, "a@b.test", good, sizeof good - 1),
                     ERROR_INVALID);
    assert_int_equal(start(f.smtp, "a@b.test", NULL, good, sizeof good - 1),
                     ERROR_INVALID);
    assert_int_equal(start(f.smtp, "a@b.test", "c@d.test", good, sizeof good - 1),
                     ERROR_UNAVAILABLE);
    assert_int_equal(smtp_in_flight(f.smtp), 0);
    fixture_close(&f);
}

static void test_messages(void **state) {
    (void)state;
    static const char *const bad[] = {"",         "\n",      "a\n",     "a\r",
                                      "a",        "\r",      "a\r\nb",  "a\rb\r\n",
                                      "a\nb\r\n", "\n.\n",   "\n.\r\n", "\r.\r",
                                      "\r\n.\n",  "a\r\r\n", "\r\n\n",  "\r\r\n"};
    static const char *const good[] = {"\r\n",  "a\r\n",       "\r\n\r\n",
                                       ".\r\n", "..\r\n.\r\n", "a\r\n.\r\nb\r\n"};
    char line[1010];
    struct fixture f;
    fixture_open(&f, "smtp://127.0.0.1:9", 100);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (start(f.smtp, "a@b.test", "c@d.test", bad[i], strlen(bad[i])) !=
            ERROR_INVALID)
            fail_msg("taken: %zu", i);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (start(f.smtp, "a@b.test", "c@d.test", good[i], strlen(good[i])) !=
            ERROR_UNAVAILABLE)
            fail_msg("refused: %zu", i);
    assert_int_equal(start(f.smtp, "a@b.test", "c@d.test", "a\0b\r\n", 5), ERROR_INVALID);
    memset(line, 'x', sizeof line);
    memcpy(line + 998, "\r\n", 3);
    assert_int_equal(start(f.smtp, "a@b.test", "c@d.test", line, 1000),
                     ERROR_UNAVAILABLE);
    memset(line, 'x', sizeof line);
    memcpy(line + 999, "\r\n", 3);
    assert_int_equal(start(f.smtp, "a@b.test", "c@d.test", line, 1001), ERROR_INVALID);
    fixture_close(&f);
}

/* Runs until the relay is known to be out of reach; milliseconds. */
static int64_t trouble_after(struct fixture *f, struct smtp_result *why) {
    int64_t begun_us = clock_now_us();
    memset(why, 0, sizeof *why);
    assert_int_equal(smtp_ready(f->smtp), 0);
    for (int i = 0; i < 100 && !smtp_trouble(f->smtp, why); i++)
        (void)smtp_run(f->smtp, clock_now_us() + 500000);
    return (clock_now_us() - begun_us) / 1000;
}

static void test_nobody_listens(void **state) {
    (void)state;
    struct fixture f;
    struct smtp_result why;
    fixture_open(&f, "smtp://127.0.0.1:1", 1000);
    assert_true(trouble_after(&f, &why) < 1000);
    assert_int_equal(why.class, SMTP_RELAY_DOWN);
    assert_true(strlen(why.reply) > 0);
    assert_int_equal(smtp_ready(f.smtp), 0);
    assert_int_equal(smtp_run(f.smtp, clock_now_us() + 5000000),
                     0); /* at once: it may not retry yet */
    fixture_close(&f);
}

static void test_resolver_hangs(void **state) {
    (void)state;
    struct fixture f;
    struct smtp_result why;
    fixture_open(&f, "smtp://relay.slow.example.test", 200);
    assert_in_range(trouble_after(&f, &why), 150, 1000);
    assert_int_equal(why.class, SMTP_RELAY_DOWN);
    fixture_close(&f);
    fixture_open(&f, "smtp://other.slow.example.test", 5000);
    assert_int_equal(smtp_ready(f.smtp), 0);
    assert_int_equal(smtp_run(f.smtp, clock_now_us() + 50000), 0);
    int64_t begun_us = clock_now_us();
    fixture_close(&f);
    assert_true(clock_now_us() - begun_us < 500000);
    sleep(3); /* the lookups left behind end before the process does */
}

static void test_no_such_host(void **state) {
    (void)state;
    struct fixture f;
    struct smtp_result why;
    fixture_open(&f, "smtp://nobody.example.test", 2000);
    assert_true(trouble_after(&f, &why) < 1500);
    assert_non_null(strstr(why.reply, "resolve"));
    fixture_close(&f);
}

enum { DRIVE_MAILS = 4096, DRIVE_LINE = 4096 };

struct drive {
    struct net *net;
    struct smtp *smtp;
    struct smtp_mail mails[DRIVE_MAILS];
    size_t next, count;
};

static char *generated(size_t size) {
    char *text = malloc(size + 200);
    size_t n = (size_t)sprintf(text, "Subject: big\r\n\r\n");
    while (n < size) {
        memset(text + n, 'x', 76);
        memcpy(text + n + 76, "\r\n", 3);
        n += 78;
    }
    return text;
}

static char *loaded(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(3);
    char *text = calloc(1, 1 << 20);
    (void)!fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static void say_result(const char *word, const struct smtp_result *r) {
    printf("%s\t%" PRId64 "\t%d\t%d\t%s\t%d\t%s\n", word, r->id, (int)r->class, r->code,
           r->enhanced, r->data_started, r->reply);
}

/* As mail/dispatch does it: connections first, then mails, then results. */
static void drive_go(struct drive *d, int64_t deadline_us, bool impatient) {
    struct smtp_result r;
    bool stop = false;
    while (!stop && (d->next < d->count || smtp_in_flight(d->smtp) > 0) &&
           clock_now_us() < deadline_us) {
        int ready = d->next < d->count ? smtp_ready(d->smtp) : 0;
        for (; ready > 0 && d->next < d->count; ready--) {
            struct error error = {0};
            const struct smtp_mail *mail = &d->mails[d->next];
            int rc = smtp_start(d->smtp, mail, &error);
            if (rc == ERROR_UNAVAILABLE)
                break;
            d->next++;
            if (rc != ERROR_NONE)
                printf("invalid\t%" PRId64 "\t%s\n", mail->id, error.pointer);
        }
        if (smtp_run(d->smtp, deadline_us) == 0 && smtp_in_flight(d->smtp) == 0 &&
            ready == 0)
            (void)net_wait(d->net, clock_now_us() + 5000);
        while (smtp_take(d->smtp, &r))
            say_result("result", &r);
        if (impatient && smtp_trouble(d->smtp, &r)) {
            say_result("trouble", &r);
            stop = true;
        }
    }
    if (impatient)
        d->next = d->count;
    printf("done\t%zu\t%d\n", d->count - d->next, smtp_in_flight(d->smtp));
}

static void drive_mail(struct drive *d, char *line) {
    char *save = NULL;
    char *id = strtok_r(line, "\t", &save), *from = strtok_r(NULL, "\t", &save);
    char *to = strtok_r(NULL, "\t", &save), *what = strtok_r(NULL, "\t\n", &save);
    if (!what || d->count == DRIVE_MAILS)
        exit(4);
    char *text = *what == '/' ? loaded(what) : generated(strtoul(what, NULL, 10));
    d->mails[d->count++] = (struct smtp_mail){.id = strtol(id, NULL, 10),
                                              .from = strdup(from),
                                              .to = strdup(to),
                                              .message = text,
                                              .length = strlen(text)};
}

/* mail TAB id TAB from TAB to TAB (file or size) · go ms · try ms (ends at trouble) · ready · wait ms ·
 * abort · close */
static bool drive_command(struct drive *d, char *line) {
    struct smtp_result r;
    int64_t begun_us = clock_now_us();
    char *space = strpbrk(line, " \t\n");
    int64_t ms = space && *space == ' ' ? strtol(space, NULL, 10) : 0;
    if (strncmp(line, "mail\t", 5) == 0) {
        drive_mail(d, line + 5);
        return true;
    }
    if (strncmp(line, "go ", 3) == 0 || strncmp(line, "try ", 4) == 0)
        drive_go(d, begun_us + ms * 1000, line[0] == 't');
    else if (strncmp(line, "ready", 5) == 0)
        printf("ready\t%d\n", smtp_ready(d->smtp));
    else if (strncmp(line, "run ", 4) == 0)
        printf("run\t%d\n", smtp_run(d->smtp, begun_us + ms * 1000));
    else if (strncmp(line, "start", 5) == 0)
        printf("start\t%d\n", smtp_start(d->smtp, &d->mails[d->next++], NULL));
    else if (strncmp(line, "wait ", 5) == 0)
        printf("wait\t%d\n", net_wait(d->net, begun_us + ms * 1000));
    else if (strncmp(line, "take", 4) == 0)
        while (smtp_take(d->smtp, &r))
            say_result("result", &r);
    else if (strncmp(line, "abort", 5) == 0)
        smtp_abort(d->smtp);
    else
        return false;
    printf("end\t%" PRId64 "\n", (clock_now_us() - begun_us) / 1000);
    fflush(stdout);
    return true;
}

static void drive_settings(struct smtp_relay *relay, int count, char **words) {
    const struct {
        const char *name;
        const char **text;
        int *number;
    } settings[] = {
        {"url", &relay->url, NULL},
        {"user", &relay->user, NULL},
        {"password", &relay->password, NULL},
        {"name", &relay->name, NULL},
        {"ca", &relay->ca_file, NULL},
        {"connections", NULL, &relay->connections},
        {"mails", NULL, &relay->mails_a_connection},
        {"connect", NULL, &relay->connect_timeout_ms},
        {"reply", NULL, &relay->reply_timeout_ms},
        {"data", NULL, &relay->data_timeout_ms},
        {"idle", NULL, &relay->idle_timeout_ms},
        {"retry", NULL, &relay->retry_ms},
    };
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
            size_t n = strlen(settings[k].name);
            if (strncmp(words[i], settings[k].name, n) != 0 || words[i][n] != '=')
                continue;
            if (settings[k].text)
                *settings[k].text = words[i] + n + 1;
            else
                *settings[k].number = (int)strtol(words[i] + n + 1, NULL, 10);
        }
}

static int drive(int count, char **words) {
    static struct drive d;
    static char line[DRIVE_LINE];
    struct smtp_relay relay = {0};
    struct error error = {0};
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], "tls=required") == 0)
            relay.tls = NET_TLS_REQUIRED;
    drive_settings(&relay, count, words);
    if (net_open(&d.net, &error) || smtp_open(d.net, &relay, &d.smtp, &error)) {
        printf("refused\t%s\n", error.detail);
        net_close(d.net);
        return 2;
    }
    printf("open\t%" PRId64 "\n", smtp_longest_us(d.smtp));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && drive_command(&d, line))
        ;
    int64_t begun_us = clock_now_us();
    smtp_close(d.smtp);
    net_close(d.net);
    printf("closed\t%" PRId64 "\n", (clock_now_us() - begun_us) / 1000);
    for (size_t i = 0; i < d.count; i++) {
        free((void *)(uintptr_t)d.mails[i].from);
        free((void *)(uintptr_t)d.mails[i].to);
        free((void *)(uintptr_t)d.mails[i].message);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (crypto_start() != 0)
        return 1;
    if (argc > 2 && strcmp(argv[1], "--drive") == 0)
        return drive(argc - 2, argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),      cmocka_unit_test(test_reply_bounds),
        cmocka_unit_test(test_targets),      cmocka_unit_test(test_envelopes),
        cmocka_unit_test(test_messages),     cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_no_such_host), cmocka_unit_test(test_resolver_hangs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
