/* SPDX-License-Identifier: MIT */
/* The one table of what may be asked for, by whom and how. A route is written with all its
   rules or does not compile; none of them has a value 0. */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "web/target.h"

struct exchange;

enum route_method { METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4 };

enum route_role {
    ROLE_ANYBODY = 1,
    ROLE_VIEWER = 2,
    ROLE_MODERATOR = 4,
    ROLE_MANAGER = 8,
    ROLE_MEDIATOR = 16,
    ROLE_PRODUCER = 32
};

enum route_guard {
    GUARD_READS = 1,  /* nothing unsafe here */
    GUARD_ORIGIN = 2, /* no token, but no other site's page either */
    GUARD_TOKEN = 3,  /* origin, and the operator's CSRF token */
    GUARD_NONE = 4    /* one click from a mail program, RFC 8058 */
};

enum route_cache {
    CACHE_NEVER = 1, /* private: no-store, no-referrer, not indexed */
    CACHE_SHORT = 2,
    CACHE_FOREVER = 3
};

enum route_voice { VOICE_PAGE = 1, VOICE_DATA = 2 }; /* how its errors are told */

struct route {
    unsigned methods;
    const char *pattern; /* "/r/{token}"; one segment in braces at most */
    unsigned roles;      /* any of them */
    enum route_guard guard;
    enum route_cache cache;
    enum route_voice voice;
    size_t body_most;   /* bytes */
    size_t fields_most; /* of a form */
    /* 0 when it answered, else the HTTP status to tell. */
    int (*handle)(struct exchange *x);
};

extern const struct route route_table[];
extern const size_t route_count;

/* The route of a target, NULL when there is none; *argument: what stands in the braces,
   NULL without. */
const struct route *route_find(const struct target *target, const char **argument);
/* 0 for a method that is none of ours, which are written in capitals. */
unsigned route_method(const char *method);
/* "GET, HEAD, POST" */
void route_allow(const struct route *route, char out[32]);
/* 0 for a role that is none. */
unsigned route_role(const char *role);
/* Every rule is set and they agree with each other; what a test asks of each route. */
bool route_sound(const struct route *route);

#endif
