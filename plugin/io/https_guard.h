/* SPDX-License-Identifier: MIT */
/* Where outgoing HTTPS may go. Addresses in SQL are set by people at the store, so they must not
   reach the machine's own network: only https, ports 443 and 8443, no user, and every address
   that is connected to is a public one. What the host itself lists in the options is excepted. */
#ifndef IO_HTTPS_GUARD_H
#define IO_HTTPS_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

enum { HTTPS_URL_MAX = 2048, HTTPS_HOST_MAX = 253, HTTPS_ALLOW_MOST = 64 };

/* Borrowed as long as it is used; all zero is the strict default. */
struct https_policy {
    const char *const *allow; /* "127.0.0.1:9443", "[::1]:9443": excepted endpoints */
    size_t allow_count;
    const char *ca_file; /* NULL: the system's certificates */
};

/* The rules that bytes alone can break, before anybody takes the url apart; pointer names the
   field in the error. ERROR_INVALID with a sentence. */
int https_guard_text(const char *url, const char *pointer, struct error *error);
/* A port that some endpoint may have. */
bool https_guard_port(const struct https_policy *policy, unsigned port);
/* Whether this may be connected to: an IPv4 or IPv6 address with its port. */
bool https_guard_address(const struct https_policy *policy,
                         const struct sockaddr *address, size_t length);
/* The same for a host written as an address ("10.0.0.1", "[fd00::1]"); true for names, which
   are judged when they are resolved. */
bool https_guard_host(const struct https_policy *policy, const char *host, unsigned port);
/* Whether text is an endpoint as `allow` wants it. */
bool https_guard_endpoint(const char *text);

#endif
