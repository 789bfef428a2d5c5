/* SPDX-License-Identifier: MIT */
/*
 * Non-blocking byte streams to mail relays. libcurl connects, checks the certificate, greets,
 * upgrades to TLS and logs in; whoever opened the stream speaks from there on.
 * A struct net and its streams belong to one thread at a time; only net_wake may come from another.
 */
#ifndef IO_NET_H
#define IO_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum { NET_STREAMS_MAX = 256, NET_NAME_MAX = 253 };

struct net;
struct net_stream;

enum net_tls {
    NET_TLS_AUTO = 0,     /* required, but on the loopback plain (smtp://) will do */
    NET_TLS_REQUIRED = 1, /* required everywhere */
    NET_TLS_NONE = 2      /* plain; refused for any host but the loopback */
};

enum net_state { NET_CONNECTING = 1, NET_OPEN = 2, NET_FAILED = 3 };

enum net_failure {
    NET_FAILURE_NONE = 0,
    NET_FAILURE_RESOLVE = 1,
    NET_FAILURE_REFUSED = 2,
    NET_FAILURE_TIMEOUT = 3,
    NET_FAILURE_TLS = 4,
    NET_FAILURE_AUTH = 5,
    NET_FAILURE_GREETING = 6, /* the relay said 4xx or 5xx before any mail: see code */
    NET_FAILURE_LOST = 7,     /* it hung up or spoke nonsense while connecting */
    NET_FAILURE_OTHER = 8
};

/* Everything is borrowed until net_stream_open returned. Only url is needed. */
struct net_target {
    const char *url; /* smtp://host[:port][/name] or smtps://…; name is what EHLO says */
    const char *user; /* NULL: no login */
    const char *password;
    const char *name; /* what EHLO says when the url has no name; NULL: the host's name */
    const char *ca_file; /* NULL: the system's certificates */
    enum net_tls tls;
    int connect_timeout_ms; /* from the name's lookup to the login's end; 0: 15 s */
};

struct net_fault {
    enum net_failure failure;
    int code; /* the relay's last reply code, 0 when it said nothing */
    char text[256];
};

/* Of the library underneath: "7.88.1"; borrowed, for the life of the process. */
const char *net_version(void);
/* The caller's, released with net_close, which takes NULL and closes every stream left. */
int net_open(struct net **net, struct error *error);
void net_close(struct net *net);

/* Whether the target can be used at all; connects nothing, looks up nothing. */
int net_check(const struct net_target *target, struct error *error);

/* Begins to connect and returns at once. The stream is the caller's: net_stream_close. */
int net_stream_open(struct net *net, const struct net_target *target,
                    struct net_stream **stream, struct error *error);
/* Never waits: no farewell is spoken, neither by us nor by libcurl. Takes NULL. */
void net_stream_close(struct net_stream *stream);

enum net_state net_stream_state(const struct net_stream *stream);
/* Why it failed; borrowed, as long as the stream. */
const struct net_fault *net_stream_fault(const struct net_stream *stream);
/* The name used in EHLO; borrowed, as long as the stream. */
const char *net_stream_name(const struct net_stream *stream);

/*
 * Bytes moved, 0 when it would block (and then until net_wait saw otherwise), -1 when the
 * stream is lost or not open. A send that would block is repeated with the same bytes.
 * Receive until 0: TLS may hold bytes that no poll sees.
 */
ssize_t net_stream_send(struct net_stream *stream, const void *bytes, size_t n);
ssize_t net_stream_receive(struct net_stream *stream, void *bytes, size_t n);

/*
 * Drives all connects and waits until a stream changed (opened, failed, readable after a receive
 * of 0, writable after a send of 0), net_wake was called, or the deadline. Number of changes.
 */
int net_wait(struct net *net, int64_t deadline_us);
/* Ends the present or the next net_wait; from any thread. */
void net_wake(struct net *net);

#endif
