/* SPDX-License-Identifier: MIT */
/* The dialogue itself. What it must never get wrong: a mail whose terminating dot was not
 * handed over is surely not sent, one whose dot was is only what the relay's reply says. */
#include "mail/smtp_dialogue.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

enum {
    DIALOGUE_CHUNK = 16 * 1024, /* one TLS record: a send that failed left none of it */
    DIALOGUE_READ = 4096,
    DIALOGUE_READS_MAX = 256, /* of them at a time: no relay may hold the worker */
    DIALOGUE_OUT_MAX = 2 * SMTP_MESSAGE_MAX,
    DIALOGUE_OUT_KEPT = 256 * 1024
};

static const char terminator[] = "\r\n.\r\n";

static void settle(struct dialogue *d, enum smtp_class class, int code, const char *why) {
    if (!d->busy)
        return;
    d->result = (struct smtp_result){.id = d->mail.id,
                                     .class = class,
                                     .code = code,
                                     .data_started = d->result.data_started};
    smtp_reply_print(d->result.reply, sizeof d->result.reply, why, strlen(why));
    d->busy = false;
    d->decided = true;
}

static void settle_by_reply(struct dialogue *d, enum smtp_class class) {
    if (!d->busy)
        return;
    settle(d, class, d->reply.code, d->reply.text);
    memcpy(d->result.enhanced, d->reply.enhanced, sizeof d->result.enhanced);
}

static void fail(struct dialogue *d, int code, const char *enhanced, const char *why) {
    d->result = (struct smtp_result){.class = SMTP_RELAY_DOWN, .code = code};
    memcpy(d->result.enhanced, enhanced, strlen(enhanced) + 1);
    smtp_reply_print(d->result.reply, sizeof d->result.reply, why, strlen(why));
    d->failed = true;
}

static void drop(struct dialogue *d) {
    net_stream_close(d->stream);
    d->stream = NULL;
    d->state = DIALOGUE_CLOSED;
    buffer_free(&d->out);
}

void dialogue_lose(struct dialogue *d, const char *why) {
    bool unused = d->mails == 0 && d->state != DIALOGUE_CLOSED;
    if (unused)
        fail(d, 0, "", why);
    settle(d, d->dot_handed ? SMTP_AMBIGUOUS : SMTP_DEFERRED, 0, why);
    drop(d);
}

/* The relay takes its leave, or speaks out of turn: its own words say why. */
static void lose_by_reply(struct dialogue *d) {
    if (d->mails == 0)
        fail(d, d->reply.code, d->reply.enhanced, d->reply.text);
    settle(d, d->dot_handed ? SMTP_AMBIGUOUS : SMTP_DEFERRED, d->reply.code,
           d->reply.text);
    drop(d);
}

void dialogue_init(struct dialogue *d, const struct dialogue_limits *limits) {
    memset(d, 0, sizeof *d);
    d->limits = limits;
}

int dialogue_open(struct dialogue *d, struct net *net, const struct net_target *target,
                  struct error *error) {
    dialogue_init(d, d->limits);
    int rc = net_stream_open(net, target, &d->stream, error);
    if (rc != ERROR_NONE)
        return rc;
    buffer_init(&d->out, DIALOGUE_OUT_MAX);
    d->state = DIALOGUE_CONNECTING;
    return ERROR_NONE;
}

void dialogue_close(struct dialogue *d) {
    if (d->state == DIALOGUE_IDLE)
        (void)net_stream_send(d->stream, "QUIT\r\n", 6);
    drop(d);
}

static void say(struct dialogue *d, enum dialogue_state state, const char *line) {
    buffer_text(&d->out, line);
    d->state = state;
}

static void rest(struct dialogue *d) {
    d->state = DIALOGUE_IDLE;
    d->idle_since_us = clock_now_us();
    if (d->mails >= d->limits->mails)
        dialogue_close(d);
}

static void reset(struct dialogue *d) {
    say(d, DIALOGUE_RESET, "RSET\r\n");
    d->deadline_us = clock_now_us() + d->limits->reply_us;
}

static bool has_eight_bit(const char *s, size_t n) {
    uint64_t seen = 0, eight;
    for (; n >= sizeof eight; s += sizeof eight, n -= sizeof eight) {
        memcpy(&eight, s, sizeof eight);
        seen |= eight;
    }
    for (; n > 0; s++, n--)
        seen |= (unsigned char)*s;
    return (seen & UINT64_C(0x8080808080808080)) != 0;
}

/* What no dialogue could change: NULL, or why, with its enhanced code. */
static const char *obstacle(const struct dialogue *d, bool utf8, bool eight_bit,
                            const char **enhanced) {
    if (utf8 && !d->utf8) {
        *enhanced = "5.6.7";
        return "the relay offers no SMTPUTF8, which an address of this mail needs";
    }
    if (eight_bit && !d->eight_bit) {
        *enhanced = "5.6.3";
        return "the relay offers no 8BITMIME, which this mail needs";
    }
    if (d->has_size && d->most_octets > 0 && d->mail.length > d->most_octets) {
        *enhanced = "5.3.4";
        return "the mail is larger than the relay takes";
    }
    return NULL;
}

static void say_rcpt(struct dialogue *d) {
    buffer_format(&d->out, "RCPT TO:<%s>\r\n", d->mail.to);
    d->state = DIALOGUE_RCPT;
}

static void say_envelope(struct dialogue *d, bool utf8, bool eight_bit) {
    buffer_format(&d->out, "MAIL FROM:<%s>", d->mail.from);
    if (d->has_size)
        buffer_format(&d->out, " SIZE=%zu", d->mail.length);
    buffer_text(&d->out, eight_bit ? " BODY=8BITMIME" : "");
    buffer_text(&d->out, utf8 ? " SMTPUTF8\r\n" : "\r\n");
    if (d->pipelining) {
        say_rcpt(d);
        buffer_text(&d->out, "DATA\r\n");
    }
    d->state = DIALOGUE_MAIL;
}

/* A little less than smtp_longest_us, for the owner to hear of it in time. */
static int64_t latest(const struct dialogue *d, int64_t now_us) {
    return now_us + d->limits->data_us + d->limits->reply_us / 12 * 11;
}

void dialogue_begin(struct dialogue *d, const struct smtp_mail *mail) {
    const char *enhanced = "";
    bool utf8 = has_eight_bit(mail->from, strlen(mail->from)) ||
                has_eight_bit(mail->to, strlen(mail->to));
    bool eight_bit = utf8 || has_eight_bit(mail->message, mail->length);
    int64_t now_us = clock_now_us();
    d->mail = *mail;
    d->busy = true;
    d->dot_handed = d->result.data_started = false;
    const char *why = obstacle(d, utf8, eight_bit, &enhanced);
    if (why) {
        settle(d, SMTP_REFUSED, 0, why);
        memcpy(d->result.enhanced, enhanced, strlen(enhanced) + 1);
        return;
    }
    d->mails++;
    d->deadline_us = now_us + d->limits->reply_us;
    d->last_us = latest(d, now_us);
    say_envelope(d, utf8, eight_bit);
    dialogue_drive(d, now_us);
}

/* The octets up to the next dot that begins a line, that dot included. */
static size_t up_to_dot(const char *at, const char *end) {
    const char *line = at;
    while ((line = memchr(line, '\n', (size_t)(end - line))) && ++line < end)
        if (*line == '.')
            return (size_t)(line + 1 - at);
    return (size_t)(end - at);
}

/* A dot at a line's start is said twice (RFC 5321 4.5.2). */
static void say_message(struct dialogue *d) {
    const char *at = d->mail.message, *end = at + d->mail.length;
    if (*at == '.')
        buffer_char(&d->out, '.');
    while (at < end) {
        size_t n = up_to_dot(at, end);
        buffer_append(&d->out, at, n);
        at += n;
        if (at < end || at[-1] == '.')
            buffer_char(&d->out, '.');
    }
    buffer_text(&d->out, terminator + 2);
    d->dot_at = d->out.length - (sizeof terminator - 1);
    d->state = DIALOGUE_BODY;
    d->deadline_us = clock_now_us() + d->limits->reply_us;
    d->result.data_started = true;
}

static bool same_word(const char *words, const char *name, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char c = words[i];
        if ((c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c) != name[i])
            return false;
    }
    return words[n] == '\0' || words[n] == ' ';
}

static uint64_t read_size(const char *s) {
    uint64_t value = 0;
    for (int i = 0; i < 18 && s[i] >= '0' && s[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(s[i] - '0');
    return value;
}

/* The first line is the relay's name. */
static void learn(struct dialogue *d) {
    const char *words = smtp_reply_words(&d->reply);
    if (d->hello_lines++ == 0 || d->reply.code != 250)
        return;
    d->pipelining |= same_word(words, "PIPELINING", 10);
    d->eight_bit |= same_word(words, "8BITMIME", 8);
    d->utf8 |= same_word(words, "SMTPUTF8", 8);
    if (same_word(words, "SIZE", 4)) {
        d->has_size = true;
        d->most_octets = words[4] ? read_size(words + 5) : 0;
    }
}

/* Codes with which a relay refuses to serve us at all, whoever the mail is for. */
static bool is_relay_trouble(enum dialogue_state state, int code) {
    static const int codes[] = {530, 534, 535, 538};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code && (state == DIALOGUE_MAIL || state == DIALOGUE_RCPT))
            return true;
    return state == DIALOGUE_MAIL && (code == 421 || code == 454);
}

static enum smtp_class judge(enum dialogue_state state, int code) {
    if (is_relay_trouble(state, code))
        return SMTP_RELAY_DOWN;
    if (state == DIALOGUE_BODY && code / 100 == 2)
        return SMTP_ACCEPTED;
    if (state == DIALOGUE_BODY && code / 100 == 3)
        return SMTP_AMBIGUOUS;
    return code / 100 == 5 ? SMTP_REFUSED : SMTP_DEFERRED;
}

static void on_hello(struct dialogue *d) {
    /* A relay that knows only HELO has had libcurl's: no extensions then. */
    if (d->reply.code != 250 && d->reply.code / 100 != 5) {
        lose_by_reply(d);
        return;
    }
    d->opened = true;
    rest(d);
}

static void on_idle(struct dialogue *d) {
    lose_by_reply(d);
}

static void on_mail(struct dialogue *d) {
    bool good = d->reply.code / 100 == 2;
    if (!good)
        settle_by_reply(d, judge(DIALOGUE_MAIL, d->reply.code));
    if (d->pipelining)
        d->state = DIALOGUE_RCPT;
    else if (good)
        say_rcpt(d);
    else
        reset(d);
}

static void on_rcpt(struct dialogue *d) {
    bool good = d->reply.code / 100 == 2;
    if (!good)
        settle_by_reply(d, judge(DIALOGUE_RCPT, d->reply.code));
    if (d->pipelining)
        d->state = DIALOGUE_DATA;
    else if (good)
        say(d, DIALOGUE_DATA, "DATA\r\n");
    else
        reset(d);
}

static void hold(struct dialogue *d) {
    d->state = DIALOGUE_HELD;
    d->deadline_us = clock_now_us() + d->limits->reply_us;
    d->held = true;
}

void dialogue_go(struct dialogue *d) {
    int64_t now_us = clock_now_us();
    d->last_us = latest(d, now_us);
    say_message(d);
    dialogue_drive(d, now_us);
}

static void on_data(struct dialogue *d) {
    if (d->reply.code == 354 && d->busy && d->mail.hold) {
        hold(d);
    } else if (d->reply.code == 354 && d->busy) {
        say_message(d);
    } else if (d->reply.code == 354) {
        say(d, DIALOGUE_EMPTY, ".\r\n");
        d->deadline_us = clock_now_us() + d->limits->reply_us;
    } else if (d->reply.code >= 400) {
        settle_by_reply(d, judge(DIALOGUE_DATA, d->reply.code));
        reset(d);
    } else {
        lose_by_reply(d);
    }
}

/* Before the dot was handed over, only a refusal makes sense, and the rest of the body would
 * be taken for commands. */
static void on_body(struct dialogue *d) {
    enum smtp_class class = judge(DIALOGUE_BODY, d->reply.code);
    bool early = !d->dot_handed || d->sent < d->out.length;
    settle_by_reply(d, early && class == SMTP_ACCEPTED ? SMTP_AMBIGUOUS : class);
    if (early || class == SMTP_AMBIGUOUS)
        drop(d);
    else
        rest(d);
}

static void on_empty(struct dialogue *d) {
    reset(d);
}

static void on_reset(struct dialogue *d) {
    if (d->reply.code / 100 == 2)
        rest(d);
    else
        lose_by_reply(d);
}

static void on_reply(struct dialogue *d) {
    static void (*const handlers[DIALOGUE_STATES])(struct dialogue *) = {
        [DIALOGUE_HELLO] = on_hello, [DIALOGUE_IDLE] = on_idle,
        [DIALOGUE_MAIL] = on_mail,   [DIALOGUE_RCPT] = on_rcpt,
        [DIALOGUE_DATA] = on_data,   [DIALOGUE_HELD] = on_idle,
        [DIALOGUE_BODY] = on_body,   [DIALOGUE_EMPTY] = on_empty,
        [DIALOGUE_RESET] = on_reset,
    };
    if (d->reply.code == 421 && d->state != DIALOGUE_HELLO) {
        settle_by_reply(d, judge(d->state, 421));
        lose_by_reply(d);
        return;
    }
    handlers[d->state](d);
}

/* False when the stream is lost: what it still holds is worth reading first. */
static bool flush(struct dialogue *d) {
    if (!buffer_ok(&d->out)) {
        dialogue_lose(d, "no memory for the dialogue");
        return true;
    }
    while (d->sent < d->out.length) {
        size_t left = d->out.length - d->sent;
        size_t chunk = left < DIALOGUE_CHUNK ? left : DIALOGUE_CHUNK;
        bool dot = d->state == DIALOGUE_BODY && d->sent + chunk > d->dot_at;
        ssize_t n = net_stream_send(d->stream, d->out.data + d->sent, chunk);
        if (n < 0)
            return false;
        /* TLS may have passed on part of what would block: it counts as handed over. */
        d->dot_handed |= dot && (n == 0 || d->sent + (size_t)n > d->dot_at);
        d->sent += (size_t)n;
        if (n == 0)
            return true;
    }
    if (d->out.length > 0 && d->state == DIALOGUE_BODY) {
        int64_t due_us = clock_now_us() + d->limits->data_us;
        d->deadline_us = due_us < d->last_us ? due_us : d->last_us;
    }
    if (d->out.capacity > DIALOGUE_OUT_KEPT) {
        buffer_free(&d->out);
        buffer_init(&d->out, DIALOGUE_OUT_MAX);
    }
    buffer_clear(&d->out);
    d->sent = 0;
    return true;
}

static void take(struct dialogue *d, const char *bytes, size_t n) {
    while (n > 0 && d->state != DIALOGUE_CLOSED) {
        size_t used = 0;
        enum smtp_reply_event event = smtp_reply_feed(&d->reply, bytes, n, &used);
        bytes += used;
        n -= used;
        if (event == SMTP_REPLY_BAD) {
            dialogue_lose(d, "the relay sent no SMTP reply");
        } else if (event != SMTP_REPLY_MORE) {
            if (d->state == DIALOGUE_HELLO)
                learn(d);
            if (event == SMTP_REPLY_END) {
                on_reply(d);
                smtp_reply_clear(&d->reply);
            }
        }
    }
}

/* Reads until there is no more; false when the stream is lost. */
static bool listen_to(struct dialogue *d) {
    char bytes[DIALOGUE_READ];
    for (int i = 0; i < DIALOGUE_READS_MAX && d->state != DIALOGUE_CLOSED; i++) {
        ssize_t n = net_stream_receive(d->stream, bytes, sizeof bytes);
        if (n <= 0)
            return n == 0;
        take(d, bytes, (size_t)n);
    }
    return true;
}

static void drive_connect(struct dialogue *d, int64_t now_us) {
    enum net_state state = net_stream_state(d->stream);
    if (state == NET_FAILED) {
        const struct net_fault *fault = net_stream_fault(d->stream);
        fail(d, fault->code, "", fault->text);
        drop(d);
    } else if (state == NET_OPEN) {
        buffer_format(&d->out, "EHLO %s\r\n", net_stream_name(d->stream));
        d->state = DIALOGUE_HELLO;
        d->deadline_us = now_us + d->limits->reply_us;
    }
}

void dialogue_drive(struct dialogue *d, int64_t now_us) {
    bool alive = true;
    if (d->state == DIALOGUE_CONNECTING)
        drive_connect(d, now_us);
    if (d->state == DIALOGUE_CLOSED || d->state == DIALOGUE_CONNECTING)
        return;
    alive = flush(d) && d->state != DIALOGUE_CLOSED;
    if (d->state != DIALOGUE_CLOSED)
        alive = listen_to(d) && alive;
    if (d->state != DIALOGUE_CLOSED && alive)
        alive = flush(d);
    if (d->state == DIALOGUE_CLOSED)
        return;
    if (!alive)
        dialogue_lose(d, "the relay hung up");
    else if (d->state != DIALOGUE_IDLE && now_us >= d->deadline_us)
        dialogue_lose(d, "the relay did not answer in time");
}
