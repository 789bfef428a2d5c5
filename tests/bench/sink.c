/* SPDX-License-Identifier: MIT */
/* A mail relay that is never the bottleneck: one epoll loop that takes every mail and keeps
 * none. sink DELAY_MS: says its port, answers each group of commands DELAY_MS after it came
 * (a distance, not a queue), and says at the end of its stdin how many mails it took. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PEERS = 1024, IN = 256 * 1024, OUT = 512, EVENTS = 64, LATER = 4096 };

struct peer {
    uint32_t life; /* how often this place was taken: late answers of others go nowhere */
    bool open, body;
    size_t have;
    char out[OUT];
    size_t said;
    char in[IN];
};

struct answer {
    int64_t due_us;
    int fd;
    uint32_t life;
    size_t length;
    char bytes[OUT];
};

static struct peer *peers[PEERS];
static struct answer later[LATER]; /* a ring: every answer waits equally long */
static size_t later_first, later_count;
static int64_t delay_us;
static long mails;

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void hang_up(int fd) {
    peers[fd]->open = false;
    close(fd);
}

static void send_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* answers are small: a full buffer is a dead client */
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void flush(int fd) {
    struct peer *p = peers[fd];
    if (p->said == 0)
        return;
    if (delay_us == 0) {
        send_all(fd, p->out, p->said);
    } else if (later_count < LATER) {
        struct answer *a = &later[(later_first + later_count++) % LATER];
        a->due_us = now_us() + delay_us;
        a->fd = fd;
        a->life = p->life;
        a->length = p->said;
        memcpy(a->bytes, p->out, p->said);
    }
    p->said = 0;
}

static void say(struct peer *p, const char *line) {
    size_t n = strlen(line);
    if (p->said + n <= OUT) {
        memcpy(p->out + p->said, line, n);
        p->said += n;
    }
}

static bool is(const char *line, const char *verb) {
    return strncasecmp(line, verb, 4) == 0;
}

static void command(struct peer *p, const char *line) {
    if (is(line, "EHLO"))
        say(p, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
    else if (is(line, "DATA"))
        p->body = true, say(p, "354 go on\r\n");
    else if (is(line, "QUIT"))
        say(p, "221 bye\r\n");
    else
        say(p, "250 2.0.0 Ok\r\n");
}

/* The line or the body at the start of the bytes; how many of them it took, 0: not whole. */
static size_t take(struct peer *p, char *bytes, size_t n) {
    char *end = p->body ? memmem(bytes, n, "\r\n.\r\n", 5) : memchr(bytes, '\n', n);
    if (!end)
        return 0;
    if (!p->body) {
        command(p, bytes);
        return (size_t)(end - bytes) + 1;
    }
    p->body = false;
    mails++;
    say(p, "250 2.0.0 Ok\r\n");
    return (size_t)(end - bytes) + 5;
}

static void hear(int fd) {
    struct peer *p = peers[fd];
    ssize_t n = recv(fd, p->in + p->have, IN - p->have, 0);
    size_t at = 0, used;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || p->have + (size_t)n == IN) {
        hang_up(fd);
        return;
    }
    p->have += (size_t)n;
    while ((used = take(p, p->in + at, p->have - at)) > 0)
        at += used;
    memmove(p->in, p->in + at, p->have - at);
    p->have -= at;
    flush(fd);
}

static void welcome(int listener, int epoll) {
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0)
        return;
    if (fd >= PEERS || (!peers[fd] && !(peers[fd] = calloc(1, sizeof **peers)))) {
        close(fd);
        return;
    }
    peers[fd]->life++;
    peers[fd]->open = true;
    peers[fd]->body = false;
    peers[fd]->have = peers[fd]->said = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    say(peers[fd], "220 sink ESMTP\r\n");
    flush(fd);
}

/* Microseconds to the next answer, -1: none. */
static int64_t answer_due(void) {
    while (later_count > 0) {
        struct answer *a = &later[later_first];
        int64_t left = a->due_us - now_us();
        if (left > 0)
            return left;
        if (peers[a->fd]->open && peers[a->fd]->life == a->life)
            send_all(a->fd, a->bytes, a->length);
        later_first = (later_first + 1) % LATER;
        later_count--;
    }
    return -1;
}

static int listen_somewhere(void) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, 512) ||
        getsockname(fd, (struct sockaddr *)&at, &size))
        return -1;
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **words) {
    int listener = listen_somewhere(), epoll = epoll_create1(0);
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN, .data.fd = 0}};
    bool over = false;
    delay_us = count > 1 ? strtol(words[1], NULL, 10) * 1000 : 0;
    if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, 0, events))
        return 1;
    events[0].data.fd = listener;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, events);
    while (!over) {
        int64_t left = answer_due();
        struct timespec wait = {left / 1000000, left % 1000000 * 1000};
        int n = epoll_pwait2(epoll, events, EVENTS, left < 0 ? NULL : &wait, NULL);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            over |= fd == 0;
            if (fd == listener)
                welcome(listener, epoll);
            else if (fd != 0)
                hear(fd);
        }
    }
    printf("%ld\n", mails);
    return 0;
}
