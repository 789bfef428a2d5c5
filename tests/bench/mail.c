/* SPDX-License-Identifier: MIT */
/* Vouch's sender alone: mail PORT CONNECTIONS MAILS TEXT_FILE HTML_FILE. Each mail is composed
 * from the two parts and sent; says how long that took from the first to the last answer,
 * connections and all, and the processor time of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "mail/mime.h"
#include "mail/smtp.h"

enum { PART = 64 * 1024, MESSAGE = 256 * 1024, PLACES = 256 /* more than may be untaken */ };

static char text[PART], html[PART];
static struct buffer messages[PLACES];
static int64_t owners[PLACES];

static int read_part(const char *path, char part[PART]) {
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(part, 1, PART - 1, f) : 0;
    if (f)
        fclose(f);
    part[n] = '\0';
    return n > 0 ? 0 : -1;
}

/* The message of that mail, in a place that is free. */
static int compose(int64_t id, size_t place) {
    char message_id[64], to[64], url[96];
    (void)snprintf(message_id, sizeof message_id, "%" PRId64 ".bench@shop.test", id);
    (void)snprintf(to, sizeof to, "buyer%" PRId64 "@buyer.test", id);
    (void)snprintf(url, sizeof url, "https://shop.test/u/%" PRId64, id);
    const struct mime_mail mail = {.from_name = "Kettle & Co",
                                   .from_address = "shop@shop.test",
                                   .to_address = to,
                                   .subject = "How do you like your Tējkanna?",
                                   .message_id = message_id,
                                   .date_us = clock_wall_us(),
                                   .list_id = "requests.main.shop.test",
                                   .unsubscribe_url = url,
                                   .auto_submitted = "auto-generated",
                                   .feedback_id = "request:main:mail:vouch",
                                   .text = text,
                                   .html = html,
                                   .locale = "en"};
    buffer_clear(&messages[place]);
    owners[place] = id;
    return mime_compose(&mail, &messages[place], NULL);
}

static size_t find(int64_t owner) {
    for (size_t i = 0; i < PLACES; i++)
        if (owners[i] == owner)
            return i;
    return PLACES;
}

static int64_t cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

/* Begins mails while connections are ready; how many. */
static int64_t begin(struct smtp *smtp, int64_t next, int64_t mails) {
    int64_t begun = 0;
    for (int ready = smtp_ready(smtp); ready > 0 && next + begun <= mails; ready--) {
        size_t place = find(0);
        char to[64];
        (void)snprintf(to, sizeof to, "buyer%" PRId64 "@buyer.test", next + begun);
        if (place == PLACES || compose(next + begun, place))
            exit(3);
        const struct smtp_mail mail = {.id = next + begun,
                                       .from = "shop@shop.test",
                                       .to = to,
                                       .message = messages[place].data,
                                       .length = messages[place].length};
        if (smtp_start(smtp, &mail, NULL))
            exit(4);
        begun++;
    }
    return begun;
}

int main(int count, char **words) {
    struct net *net = NULL;
    struct smtp *smtp = NULL;
    struct smtp_result result;
    char url[64];
    int64_t mails, next = 1, done = 0, accepted = 0;
    if (count < 6 || read_part(words[4], text) || read_part(words[5], html) ||
        crypto_start() || net_open(&net, NULL))
        return 1;
    mails = strtol(words[3], NULL, 10);
    (void)snprintf(url, sizeof url, "smtp://127.0.0.1:%s/bench.test", words[1]);
    for (size_t i = 0; i < PLACES; i++)
        buffer_init(&messages[i], MESSAGE);
    struct smtp_relay relay = {.url = url, .connections = (int)strtol(words[2], NULL, 10)};
    if (smtp_open(net, &relay, &smtp, NULL))
        return 2;
    int64_t begun_us = clock_now_us(), cpu = cpu_us();
    while (done < mails) {
        next += begin(smtp, next, mails);
        (void)smtp_run(smtp, clock_now_us() + 1000000);
        while (smtp_take(smtp, &result)) {
            owners[find(result.id)] = 0;
            accepted += result.class == SMTP_ACCEPTED;
            done++;
        }
    }
    printf("{\"mails\":%" PRId64 ",\"seconds\":%.6f,\"cpu_us\":%.2f}\n", accepted,
           (double)(clock_now_us() - begun_us) / 1e6,
           (double)(cpu_us() - cpu) / (double)mails);
    smtp_close(smtp);
    net_close(net);
    return 0;
}
