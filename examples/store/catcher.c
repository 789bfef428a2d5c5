/* SPDX-License-Identifier: MIT */
/* See catcher.h. One thread, one epoll; the dialogues themselves are in dialogue.c. */
#include "catcher.h"
#include "dialogue.h"
#include "mail.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CATCHER_GUESTS = 64, CATCHER_READ = 8192, CATCHER_EVENTS = 16 };

struct guest {
    int socket; /* -1: free */
    size_t sent;
    struct dialogue dialogue;
};

struct catcher {
    struct store *store;
    pthread_t thread;
    int epoll;
    int listener;
    int stop; /* an eventfd */
    struct guest guests[CATCHER_GUESTS];
};

static int catcher_write(const char *path, const struct text *mail) {
    FILE *file = fopen(path, "wxe");
    if (file == NULL)
        return -1;
    bool good = fwrite(mail->data, 1, mail->length, file) == mail->length;
    good = fflush(file) == 0 && fsync(fileno(file)) == 0 && good;
    return fclose(file) == 0 && good ? 0 : -1;
}

/* The row first, so that its number names the file; without the file it goes again. */
static int catcher_keep(void *context, const struct dialogue *dialogue) {
    struct store *store = context;
    struct text subject = {0};
    char path[512];
    mail_header(dialogue->mail.data, dialogue->mail.length, "Subject", &subject);
    const char *values[] = {dialogue->sender, dialogue->recipients.data,
                            text_ok(&subject) ? subject.data : ""};
    struct rows *rows =
        db_query_bytes(store->db,
                       "INSERT INTO shop.mail (sender, recipients, subject, raw)"
                       " VALUES ($1, $2, $3, $4) RETURNING lpad(id::text, 6, '0'), id",
                       3, values, dialogue->mail.data, dialogue->mail.length);
    int result = -1;
    if (rows_count(rows) == 1) {
        (void)snprintf(path, sizeof path, "%s/%s.eml", store->folder,
                       rows_text(rows, 0, 0));
        result = catcher_write(path, &dialogue->mail);
        if (result != 0)
            rows_free(DB_ASK(store->db, "DELETE FROM shop.mail WHERE id = $1",
                             rows_text(rows, 0, 1)));
    }
    rows_free(rows);
    text_free(&subject);
    return result;
}

static void catcher_hang_up(struct guest *guest) {
    (void)close(guest->socket);
    guest->socket = -1;
    dialogue_close(&guest->dialogue);
}

/* Sends what there is to say; a peer that does not read is hung up on. */
static void catcher_flush(struct guest *guest) {
    struct text *out = &guest->dialogue.out;
    while (guest->sent < out->length) {
        ssize_t n = send(guest->socket, out->data + guest->sent,
                         out->length - guest->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            catcher_hang_up(guest);
            return;
        }
        guest->sent += (size_t)n;
    }
    guest->sent = 0;
    out->length = 0;
    if (guest->dialogue.over || out->failed)
        catcher_hang_up(guest);
}

static void catcher_accept(struct catcher *catcher) {
    int socket = accept4(catcher->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0)
        return;
    struct guest *guest = catcher->guests;
    while (guest < catcher->guests + CATCHER_GUESTS && guest->socket >= 0)
        guest++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = guest};
    if (guest == catcher->guests + CATCHER_GUESTS ||
        epoll_ctl(catcher->epoll, EPOLL_CTL_ADD, socket, &event) != 0) {
        (void)close(socket);
        return;
    }
    guest->socket = socket;
    guest->sent = 0;
    dialogue_open(&guest->dialogue, catcher_keep, catcher->store);
    catcher_flush(guest);
}

static void catcher_read(struct guest *guest) {
    char bytes[CATCHER_READ];
    ssize_t n = recv(guest->socket, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        catcher_hang_up(guest);
        return;
    }
    dialogue_feed(&guest->dialogue, bytes, (size_t)n);
    catcher_flush(guest);
}

static void *catcher_run(void *argument) {
    struct catcher *catcher = argument;
    struct epoll_event events[CATCHER_EVENTS];
    for (;;) {
        int count = epoll_wait(catcher->epoll, events, CATCHER_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct guest *guest = events[i].data.ptr;
            if (events[i].data.ptr == &catcher->stop)
                return NULL;
            if (events[i].data.ptr == &catcher->listener)
                catcher_accept(catcher);
            else if (guest->socket >= 0)
                catcher_read(guest);
        }
    }
}

static int catcher_listen(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
        listen(listener, CATCHER_GUESTS) == 0)
        return listener;
    (void)close(listener);
    return -1;
}

static int catcher_watch(struct catcher *catcher, int *descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = descriptor};
    return epoll_ctl(catcher->epoll, EPOLL_CTL_ADD, *descriptor, &event);
}

static void catcher_free(struct catcher *catcher) {
    for (struct guest *g = catcher->guests; g < catcher->guests + CATCHER_GUESTS; g++)
        if (g->socket >= 0)
            catcher_hang_up(g);
    (void)close(catcher->listener);
    (void)close(catcher->epoll);
    (void)close(catcher->stop);
    free(catcher);
}

int catcher_start(struct store *store, int port, struct catcher **out) {
    struct catcher *catcher = calloc(1, sizeof *catcher);
    if (catcher == NULL)
        return -1;
    for (size_t i = 0; i < CATCHER_GUESTS; i++)
        catcher->guests[i].socket = -1;
    catcher->store = store;
    catcher->listener = catcher_listen(port);
    catcher->epoll = epoll_create1(EPOLL_CLOEXEC);
    catcher->stop = eventfd(0, EFD_CLOEXEC);
    if (catcher->listener < 0 || catcher_watch(catcher, &catcher->listener) != 0 ||
        catcher_watch(catcher, &catcher->stop) != 0 ||
        pthread_create(&catcher->thread, NULL, catcher_run, catcher) != 0) {
        catcher_free(catcher);
        return -1;
    }
    *out = catcher;
    return 0;
}

void catcher_stop(struct catcher *catcher) {
    if (catcher == NULL)
        return;
    uint64_t one = 1;
    (void)!write(catcher->stop, &one, sizeof one);
    (void)pthread_join(catcher->thread, NULL);
    catcher_free(catcher);
}
