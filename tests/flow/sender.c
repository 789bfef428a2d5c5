/* SPDX-License-Identifier: MIT */
/* A host process that does nothing but send: pool, keys and dispatch of one store, driven by
 * lines on stdin (run MS, drain MS, release MS, code TEXT, take, ack ID) with a line of JSON
 * as answer, or left alone with --forever. Arguments: name=value, see read_arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "mail/dispatch.h"
#include "notify/outbox.h"
#include "request/compose.h"
#include "request/discount.h"

enum { LINE_MOST = 4096 };

struct sender {
    struct store store;
    struct net *net;
    struct dispatch *dispatch;
    struct dispatch_limits limits;
    const char *database, *key, *log;
};

static void read_arguments(struct sender *s, int count, char **words) {
    struct {
        const char *name;
        const char **text;
        int *number;
    } known[] = {{"database=", &s->database, NULL},
                 {"store=", &s->store.name, NULL},
                 {"key=", &s->key, NULL},
                 {"log=", &s->log, NULL},
                 {"password=", &s->store.smtp_password, NULL},
                 {"connections=", NULL, &s->limits.connections},
                 {"connect=", NULL, &s->limits.connect_timeout_ms},
                 {"reply=", NULL, &s->limits.reply_timeout_ms},
                 {"data=", NULL, &s->limits.data_timeout_ms},
                 {"retry=", NULL, &s->limits.retry_ms}};
    for (int i = 1; i < count; i++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            size_t n = strlen(known[k].name);
            if (strncmp(words[i], known[k].name, n) != 0)
                continue;
            if (known[k].text)
                *known[k].text = words[i] + n;
            else
                *known[k].number = (int)strtol(words[i] + n, NULL, 10);
        }
}

static int open_all(struct sender *s, struct keyring **keys, struct error *error) {
    int rc = crypto_start();
    json_start();
    if (!rc)
        rc = log_open("info", s->log, &s->store.log, error);
    if (!rc)
        rc = keyring_open(s->key, strlen(s->key), keys, error);
    s->store.keys = *keys;
    if (!rc)
        rc = db_pool_open(s->database, 4, &s->store.pool, error);
    if (!rc)
        rc = settings_open(&s->store.settings, error);
    if (!rc)
        rc = net_open(&s->net, error);
    if (!rc)
        rc = dispatch_open(&s->store, s->net, compose_kinds, compose_kinds_count,
                           &s->limits, &s->dispatch, error);
    return rc;
}

static void run(struct sender *s, int64_t ms, struct dispatch_report *report) {
    int64_t now_us = clock_now_us();
    struct error error = {0};
    (void)db_pool_resolve(s->store.pool, NULL);
    (void)settings_poll(&s->store, now_us + 1000000, NULL);
    memset(report, 0, sizeof *report);
    if (dispatch_run(s->dispatch, now_us + ms * 1000, report, &error))
        (void)snprintf(report->trouble, sizeof report->trouble, "%.255s", error.detail);
}

static void tell(const struct dispatch_report *report, int done) {
    json_t *line =
        json_pack("{s:i,s:i,s:f,s:s}", "done", done, "in_flight", report->in_flight,
                  "next_ms", (double)report->next_us / 1000, "trouble", report->trouble);
    char *text = json_write(line);
    puts(text);
    memory_free(text);
    json_decref(line);
}

/* Until the queue is empty for us, or the time is over. */
static void drain(struct sender *s, int64_t ms) {
    int64_t until_us = clock_now_us() + ms * 1000;
    struct dispatch_report report;
    int done = 0, quiet = 0;
    do {
        run(s, 200, &report);
        done += report.done;
        quiet = report.done == 0 && report.in_flight == 0 ? quiet + 1 : 0;
        if (quiet > 0)
            usleep(120000);
    } while (quiet < 2 && clock_now_us() < until_us);
    tell(&report, done);
}

static void answer(struct sender *s, char *line) {
    char *word = strchr(line, ' ');
    long number = word ? strtol(word, NULL, 10) : 0;
    struct error error = {0};
    struct dispatch_report report;
    if (word)
        *word++ = '\0';
    if (strcmp(line, "run") == 0) {
        run(s, number, &report);
        tell(&report, report.done);
    } else if (strcmp(line, "drain") == 0) {
        drain(s, number);
    } else if (strcmp(line, "release") == 0) {
        int rc = dispatch_release(s->dispatch, clock_now_us() + number * 1000, &error);
        printf("{\"code\":%d,\"idle\":%s}\n", rc,
               dispatch_idle(s->dispatch) ? "true" : "false");
    } else if (strcmp(line, "code") == 0) {
        uint8_t hash[32];
        char hex[65] = "";
        if (discount_hash(&s->store, word, strlen(word), hash))
            crypto_hex(hash, 32, hex);
        printf("{\"hash\":\"%s\"}\n", hex);
    } else if (strcmp(line, "take") == 0) {
        char *event = NULL;
        int rc = outbox_take(&s->store, clock_now_us() + 2000000, &event, &error);
        printf("{\"code\":%d,\"event\":%s}\n", rc, event ? event : "null");
        memory_free(event);
    } else if (strcmp(line, "ack") == 0) {
        bool known = false;
        int rc = outbox_ack(&s->store, word, clock_now_us() + 2000000, &known, &error);
        printf("{\"code\":%d,\"known\":%s}\n", rc, known ? "true" : "false");
    } else {
        puts("{}");
    }
}

int main(int count, char **words) {
    static struct sender s;
    struct keyring *keys = NULL;
    struct error error = {0};
    static char line[LINE_MOST];
    bool forever = count > 1 && strcmp(words[1], "--forever") == 0;
    s.store.name = "main";
    read_arguments(&s, count, words);
    if (!s.key || open_all(&s, &keys, &error)) {
        fprintf(stderr, "%s\n", error.detail);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("{\"ready\":true}");
    while (forever) {
        struct dispatch_report report;
        run(&s, 500, &report);
        usleep((useconds_t)(report.next_us < 200000 ? report.next_us : 200000));
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(&s, line);
    }
    dispatch_close(s.dispatch);
    net_close(s.net);
    settings_close(s.store.settings);
    db_pool_close(s.store.pool);
    keyring_close(keys);
    log_close(s.store.log);
    return 0;
}
