/* SPDX-License-Identifier: MIT */
/* The sender: its connections, when to open them, and the results. */
#include "mail/smtp.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "mail/smtp_dialogue.h"

enum {
    SMTP_CONNECTIONS = 4,
    SMTP_MAILS_A_CONNECTION = 100,
    SMTP_REPLY_MS = 60000,
    SMTP_DATA_MS = 600000,
    SMTP_IDLE_MS = 60000,
    SMTP_RETRY_MS = 1000,
    SMTP_RETRY_MOST_MS = 60000,
    SMTP_RESULTS_MAX = 128,
    SMTP_LINE_MAX = 998
};

struct smtp {
    struct net *net;
    struct net_target target; /* its texts are ours */
    char *texts[5];
    struct dialogue_limits limits;
    int connections, expected;
    int64_t retry_us, next_connect_us;
    int failures; /* in a row */
    struct smtp_result trouble;
    bool stirred; /* a connection became ready or failed: smtp_run returns */
    struct smtp_result results[SMTP_RESULTS_MAX]; /* a ring */
    size_t first, waiting;
    struct dialogue dialogues[SMTP_CONNECTIONS_MAX];
};

static int or_default(int value, int otherwise) {
    return value > 0 ? value : otherwise;
}

static int64_t ms(int value, int otherwise) {
    return (int64_t)or_default(value, otherwise) * 1000;
}

static int copy_target(struct smtp *smtp, const struct smtp_relay *relay) {
    const char *from[5] = {relay->url, relay->user, relay->password, relay->name,
                           relay->ca_file};
    for (size_t i = 0; i < 5; i++) {
        smtp->texts[i] = memory_copy(from[i]);
        if (from[i] && !smtp->texts[i])
            return ERROR_FAILED;
    }
    smtp->target = (struct net_target){.url = smtp->texts[0],
                                       .user = smtp->texts[1],
                                       .password = smtp->texts[2],
                                       .name = smtp->texts[3],
                                       .ca_file = smtp->texts[4],
                                       .tls = relay->tls,
                                       .connect_timeout_ms = relay->connect_timeout_ms};
    return ERROR_NONE;
}

static void set_limits(struct smtp *smtp, const struct smtp_relay *relay) {
    int connections = or_default(relay->connections, SMTP_CONNECTIONS);
    if (connections > SMTP_CONNECTIONS_MAX)
        connections = SMTP_CONNECTIONS_MAX;
    smtp->connections = smtp->expected = connections;
    smtp->retry_us = ms(relay->retry_ms, SMTP_RETRY_MS);
    smtp->limits = (struct dialogue_limits){
        .reply_us = ms(relay->reply_timeout_ms, SMTP_REPLY_MS),
        .data_us = ms(relay->data_timeout_ms, SMTP_DATA_MS),
        .idle_us = ms(relay->idle_timeout_ms, SMTP_IDLE_MS),
        .mails = or_default(relay->mails_a_connection, SMTP_MAILS_A_CONNECTION),
    };
    for (size_t i = 0; i < SMTP_CONNECTIONS_MAX; i++)
        dialogue_init(&smtp->dialogues[i], &smtp->limits);
}

int smtp_open(struct net *net, const struct smtp_relay *relay, struct smtp **smtp,
              struct error *error) {
    struct smtp *made = memory_zero(1, sizeof *made);
    int rc = ERROR_FAILED;
    *smtp = NULL;
    if (!made || copy_target(made, relay) != ERROR_NONE) {
        error_set(error, ERROR_FAILED, "", "no memory for a mail sender");
        goto out;
    }
    made->net = net;
    set_limits(made, relay);
    rc = net_check(&made->target, error);
    if (rc != ERROR_NONE)
        goto out;
    *smtp = made;
    made = NULL;
out:
    smtp_close(made);
    return rc;
}

void smtp_close(struct smtp *smtp) {
    if (!smtp)
        return;
    for (int i = 0; i < smtp->connections; i++)
        dialogue_close(&smtp->dialogues[i]);
    for (size_t i = 0; i < 5; i++) {
        if (smtp->texts[i])
            crypto_zero(smtp->texts[i], strlen(smtp->texts[i]));
        memory_free(smtp->texts[i]);
    }
    memory_free(smtp);
}

void smtp_expect(struct smtp *smtp, int mails) {
    smtp->expected = mails < smtp->connections ? mails : smtp->connections;
}

/* Connections lost together are one failure of the relay: the first sets the pause. */
static void note_failure(struct smtp *smtp, const struct smtp_result *why) {
    int64_t most_us = (int64_t)SMTP_RETRY_MOST_MS * 1000;
    int64_t pause_us = smtp->retry_us, now_us = clock_now_us();
    smtp->trouble = *why;
    smtp->trouble.id = 0;
    smtp->stirred = true;
    if (smtp->failures > 0 && now_us < smtp->next_connect_us)
        return;
    for (int i = 0; i < smtp->failures && pause_us < most_us; i++)
        pause_us *= 2;
    if (smtp->failures < 64)
        smtp->failures++;
    smtp->next_connect_us = now_us + (pause_us < most_us ? pause_us : most_us);
}

static void keep_result(struct smtp *smtp, const struct smtp_result *result) {
    smtp->results[(smtp->first + smtp->waiting) % SMTP_RESULTS_MAX] = *result;
    smtp->waiting++;
}

static void look(struct smtp *smtp, struct dialogue *d) {
    if (d->opened || d->held)
        smtp->stirred = true;
    if (d->failed)
        note_failure(smtp, &d->result);
    if (d->decided) {
        keep_result(smtp, &d->result);
        if (d->result.class == SMTP_RELAY_DOWN) {
            note_failure(smtp, &d->result);
            dialogue_close(d);
        } else if (d->result.code > 0) {
            smtp->failures = 0;
        }
    }
    d->opened = d->failed = d->decided = false;
}

static void drive_all(struct smtp *smtp) {
    int64_t now_us = clock_now_us();
    for (int i = 0; i < smtp->connections; i++) {
        dialogue_drive(&smtp->dialogues[i], now_us);
        look(smtp, &smtp->dialogues[i]);
    }
}

static int count_state(const struct smtp *smtp, enum dialogue_state state) {
    int count = 0;
    for (int i = 0; i < smtp->connections; i++)
        count += smtp->dialogues[i].state == state;
    return count;
}

static int count_busy(const struct smtp *smtp) {
    int count = 0;
    for (int i = 0; i < smtp->connections; i++)
        count += smtp->dialogues[i].busy;
    return count;
}

static void close_stale(struct smtp *smtp) {
    int64_t now_us = clock_now_us();
    for (int i = 0; i < smtp->connections; i++) {
        struct dialogue *d = &smtp->dialogues[i];
        if (d->state == DIALOGUE_IDLE &&
            now_us - d->idle_since_us >= smtp->limits.idle_us)
            dialogue_close(d);
    }
}

/* After a failure one connection tries alone until a mail got an answer. */
static void open_missing(struct smtp *smtp) {
    int wanted = smtp->failures > 0 && smtp->expected > 1 ? 1 : smtp->expected;
    int have = smtp->connections - count_state(smtp, DIALOGUE_CLOSED);
    if (clock_now_us() < smtp->next_connect_us)
        return;
    for (int i = 0; i < smtp->connections && have < wanted; i++) {
        struct dialogue *d = &smtp->dialogues[i];
        struct error error = {0};
        struct smtp_result why = {.class = SMTP_RELAY_DOWN};
        if (d->state != DIALOGUE_CLOSED)
            continue;
        if (dialogue_open(d, smtp->net, &smtp->target, &error) != ERROR_NONE) {
            smtp_reply_print(why.reply, sizeof why.reply, error.detail,
                             strlen(error.detail));
            note_failure(smtp, &why);
            return;
        }
        have++;
    }
}

int smtp_ready(struct smtp *smtp) {
    close_stale(smtp);
    (void)net_wait(smtp->net, 0);
    drive_all(smtp);
    open_missing(smtp);
    int idle = count_state(smtp, DIALOGUE_IDLE);
    int space = SMTP_RESULTS_MAX - (int)smtp->waiting - count_busy(smtp);
    return idle < space ? idle : space;
}

bool smtp_trouble(const struct smtp *smtp, struct smtp_result *why) {
    int usable = smtp->connections - count_state(smtp, DIALOGUE_CLOSED) -
                 count_state(smtp, DIALOGUE_CONNECTING) -
                 count_state(smtp, DIALOGUE_HELLO);
    if (smtp->failures == 0 || usable > 0)
        return false;
    *why = smtp->trouble;
    return true;
}

static bool line_ends_well(const char *message, size_t at, size_t n) {
    return at > 0 && at < n && message[at - 1] == '\r';
}

/* Canonical, so that no relay can read it differently from us. */
static const char *message_fault(const char *message, size_t n) {
    size_t start = 0;
    if (n == 0 || n > SMTP_MESSAGE_MAX)
        return "the mail is empty or too large";
    if (memchr(message, '\0', n))
        return "the mail holds a NUL";
    while (start < n) {
        const char *end = memchr(message + start, '\n', n - start);
        size_t at = end ? (size_t)(end - message) : n;
        if (!line_ends_well(message, at, n) || at == start)
            return "a line of the mail does not end in CRLF";
        if (memchr(message + start, '\r', at - 1 - start))
            return "the mail holds a lone CR";
        if (at - 1 - start > SMTP_LINE_MAX)
            return "a line of the mail is too long";
        start = at + 1;
    }
    return NULL;
}

static bool good_address(const char *address) {
    return address && address_valid(address, strlen(address));
}

int smtp_start(struct smtp *smtp, const struct smtp_mail *mail, struct error *error) {
    struct dialogue *d = NULL;
    if (!good_address(mail->from))
        return error_set(error, ERROR_INVALID, "/from", "the sender is no mail address");
    if (!good_address(mail->to))
        return error_set(error, ERROR_INVALID, "/to", "the recipient is no mail address");
    const char *fault = message_fault(mail->message, mail->length);
    if (fault)
        return error_set(error, ERROR_INVALID, "/message", "%s", fault);
    for (int i = 0; i < smtp->connections && !d; i++)
        if (smtp->dialogues[i].state == DIALOGUE_IDLE)
            d = &smtp->dialogues[i];
    if (!d || smtp->waiting + (size_t)count_busy(smtp) >= SMTP_RESULTS_MAX)
        return error_set(error, ERROR_UNAVAILABLE, "",
                         "no connection to the relay is ready");
    dialogue_begin(d, mail);
    look(smtp, d);
    return ERROR_NONE;
}

static int64_t next_deadline(const struct smtp *smtp, int64_t deadline_us) {
    for (int i = 0; i < smtp->connections; i++) {
        const struct dialogue *d = &smtp->dialogues[i];
        if (d->state > DIALOGUE_CONNECTING && d->state != DIALOGUE_IDLE &&
            d->deadline_us < deadline_us)
            deadline_us = d->deadline_us;
    }
    return deadline_us;
}

static bool under_way(const struct smtp *smtp) {
    return count_state(smtp, DIALOGUE_CLOSED) + count_state(smtp, DIALOGUE_IDLE) <
           smtp->connections;
}

/* Looks before it judges: what arrived while the process slept is no silence. */
int smtp_run(struct smtp *smtp, int64_t deadline_us) {
    int64_t until_us = 0;
    for (;;) {
        (void)net_wait(smtp->net, until_us);
        drive_all(smtp);
        if (smtp->waiting > 0 || smtp->stirred || !under_way(smtp) ||
            clock_now_us() >= deadline_us)
            break;
        until_us = next_deadline(smtp, deadline_us);
    }
    smtp->stirred = false;
    return (int)smtp->waiting;
}

bool smtp_take(struct smtp *smtp, struct smtp_result *result) {
    if (smtp->waiting == 0)
        return false;
    *result = smtp->results[smtp->first];
    smtp->first = (smtp->first + 1) % SMTP_RESULTS_MAX;
    smtp->waiting--;
    return true;
}

bool smtp_held(struct smtp *smtp, int64_t *id) {
    for (int i = 0; i < smtp->connections; i++) {
        struct dialogue *d = &smtp->dialogues[i];
        bool held = d->held && d->state == DIALOGUE_HELD;
        d->held = false;
        if (!held)
            continue;
        *id = d->mail.id;
        return true;
    }
    return false;
}

static struct dialogue *find_held(struct smtp *smtp, int64_t id) {
    for (int i = 0; i < smtp->connections; i++)
        if (smtp->dialogues[i].state == DIALOGUE_HELD && smtp->dialogues[i].mail.id == id)
            return &smtp->dialogues[i];
    return NULL;
}

bool smtp_go(struct smtp *smtp, int64_t id) {
    struct dialogue *d = find_held(smtp, id);
    if (!d)
        return false;
    dialogue_go(d);
    look(smtp, d);
    return true;
}

void smtp_drop(struct smtp *smtp, int64_t id) {
    struct dialogue *d = find_held(smtp, id);
    if (!d)
        return;
    dialogue_lose(d, "not handed over");
    look(smtp, d);
}

int smtp_in_flight(const struct smtp *smtp) {
    return count_busy(smtp) + (int)smtp->waiting;
}

void smtp_abort(struct smtp *smtp) {
    for (int i = 0; i < smtp->connections; i++) {
        struct dialogue *d = &smtp->dialogues[i];
        if (d->busy)
            dialogue_lose(d, "given up at shutdown");
        else
            dialogue_close(d);
        look(smtp, d);
    }
}

int64_t smtp_longest_us(const struct smtp *smtp) {
    return smtp->limits.data_us + smtp->limits.reply_us;
}
