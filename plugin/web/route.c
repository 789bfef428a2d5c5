/* SPDX-License-Identifier: MIT */
/* The table, and how a target finds its row. */
#include "web/route.h"

#include <stdio.h>
#include <string.h>

#include "web/alert.h"
#include "web/author.h"
#include "web/confirm.h"
#include "web/console.h"
#include "web/feed.h"
#include "web/figures.h"
#include "web/form.h"
#include "web/machine.h"
#include "web/query.h"
#include "web/rating.h"
#include "web/report.h"
#include "web/resolution.h"
#include "web/review_page.h"
#include "web/storefront.h"
#include "web/style.h"
#include "web/transparency.h"
#include "web/unsubscribe.h"

/* A rule left out, or 0, does not compile. */
#define RULE(given) ((given) + 0 * sizeof(char[(given) ? 1 : -1]))
#define ROUTE(methods, pattern, roles, guard, cache, voice, body, fields, handle)        \
    {                                                                                    \
        (unsigned)RULE(methods), pattern, (unsigned)RULE(roles),                         \
            (enum route_guard)RULE(guard), (enum route_cache)RULE(cache),                \
            (enum route_voice)RULE(voice), RULE(body), RULE(fields), handle              \
    }
#define READ (METHOD_GET | METHOD_HEAD)
#define BOTH (READ | METHOD_POST)
#define STAFF (ROLE_VIEWER | ROLE_MODERATOR | ROLE_MANAGER | ROLE_MEDIATOR)
#define DECIDERS (ROLE_MODERATOR | ROLE_MANAGER)
/* A page of the console, and a deed that one of its forms asks for. */
#define SHOWN(pattern, roles)                                                            \
    ROUTE(READ, pattern, roles, GUARD_READS, CACHE_NEVER, VOICE_PAGE, SMALL,             \
          QUERY_FIELDS_MOST, console_show)
#define DONE(pattern, roles)                                                             \
    ROUTE(METHOD_POST, pattern, roles, GUARD_TOKEN, CACHE_NEVER, VOICE_PAGE, FORM,       \
          CONSOLE_FIELDS, console_do)

enum {
    SMALL = 64 << 10,
    FORM = 1 << 20,
    EVENTS = 16 << 20,
    FORM_FIELDS = 4 * FORM_LINES_MOST + 16,
    CONSOLE_FIELDS = 128
};

/* clang-format off */
const struct route route_table[] = {
    ROUTE(BOTH, "/r/{token}", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, FORM, FORM_FIELDS, form_serve),
    ROUTE(BOTH, "/a/{token}", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, FORM, QUERY_FIELDS_MOST, author_serve),
    ROUTE(READ, "/a/{token}/data", ROLE_ANYBODY, GUARD_READS, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, author_data),
    ROUTE(BOTH, "/c/{token}", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, confirm_serve),
    ROUTE(BOTH, "/s/{token}", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, resolution_serve),
    ROUTE(BOTH, "/k/{token}", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, alert_serve),
    ROUTE(BOTH, "/u/{token}", ROLE_ANYBODY, GUARD_NONE, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, unsubscribe_serve),
    ROUTE(READ, "/products/{id}/reviews", ROLE_ANYBODY, GUARD_READS, CACHE_SHORT, VOICE_DATA, SMALL, QUERY_FIELDS_MOST, storefront_reviews),
    ROUTE(READ, "/products/{id}/rating.jsonld", ROLE_ANYBODY, GUARD_READS, CACHE_SHORT, VOICE_DATA, SMALL, QUERY_FIELDS_MOST, rating_serve),
    ROUTE(READ, "/reviews/{id}", ROLE_ANYBODY, GUARD_READS, CACHE_SHORT, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, review_page_serve),
    ROUTE(READ, "/transparency", ROLE_ANYBODY, GUARD_READS, CACHE_SHORT, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, transparency_serve),
    ROUTE(BOTH, "/reviews/{id}/report", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, report_serve),
    ROUTE(BOTH, "/n/{token}", ROLE_ANYBODY, GUARD_ORIGIN, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, report_status_serve),
    ROUTE(READ, "/feeds/product-ratings.xml", ROLE_ANYBODY, GUARD_READS, CACHE_SHORT, VOICE_DATA, SMALL, QUERY_FIELDS_MOST, feed_serve),
    ROUTE(READ, "/console", STAFF, GUARD_READS, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, console_enter),
    SHOWN("/console/", STAFF),
    ROUTE(READ, "/console/live", STAFF, GUARD_READS, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, console_part),
    SHOWN("/console/queue", STAFF),
    DONE("/console/queue/decision", DECIDERS),
    SHOWN("/console/reviews", STAFF),
    DONE("/console/reviews/find", STAFF),
    SHOWN("/console/reviews/{id}", STAFF),
    DONE("/console/reviews/{id}/decision", DECIDERS),
    DONE("/console/reviews/{id}/undo", DECIDERS),
    DONE("/console/reviews/{id}/redaction", DECIDERS),
    SHOWN("/console/reports", STAFF),
    DONE("/console/reports/{id}/decision", DECIDERS),
    SHOWN("/console/appeals", STAFF),
    DONE("/console/appeals/{id}/decision", DECIDERS),
    SHOWN("/console/parity", STAFF),
    SHOWN("/console/cases", STAFF),
    SHOWN("/console/cases/{id}", STAFF),
    DONE("/console/cases/{id}/step", DECIDERS | ROLE_MEDIATOR),
    SHOWN("/console/figures", ROLE_VIEWER | DECIDERS),
    ROUTE(READ, "/console/figures.csv", ROLE_VIEWER | DECIDERS, GUARD_READS, CACHE_NEVER, VOICE_PAGE, SMALL, QUERY_FIELDS_MOST, figures_serve),
    SHOWN("/console/webhooks", ROLE_VIEWER | DECIDERS),
    DONE("/console/webhooks/replay", ROLE_MANAGER),
    SHOWN("/console/discounts", STAFF),
    DONE("/console/discounts/find", STAFF),
    SHOWN("/console/delivery", STAFF),
    SHOWN("/console/suppression", STAFF),
    DONE("/console/suppression/find", STAFF),
    DONE("/console/suppression/change", ROLE_MANAGER),
    SHOWN("/console/settings", STAFF),
    SHOWN("/console/settings/{table}", STAFF),
    DONE("/console/settings/{table}/change", ROLE_MANAGER),
    ROUTE(METHOD_POST, "/events", ROLE_PRODUCER, GUARD_ORIGIN, CACHE_NEVER, VOICE_DATA, EVENTS, QUERY_FIELDS_MOST, machine_events),
    ROUTE(READ, "/healthz", ROLE_ANYBODY, GUARD_READS, CACHE_NEVER, VOICE_DATA, SMALL, QUERY_FIELDS_MOST, machine_health),
    ROUTE(READ, "/metrics", ROLE_ANYBODY, GUARD_READS, CACHE_NEVER, VOICE_DATA, SMALL, QUERY_FIELDS_MOST, machine_metrics),
    ROUTE(READ, "/assets/{name}", ROLE_ANYBODY, GUARD_READS, CACHE_FOREVER, VOICE_DATA, SMALL, QUERY_FIELDS_MOST, style_serve),
};
/* clang-format on */
const size_t route_count = sizeof route_table / sizeof *route_table;

/* Compares segment by segment; what stands in braces takes one that is not empty. */
static bool route_fits(const char *pattern, const struct target *target,
                       const char **argument) {
    *argument = NULL;
    for (size_t i = 0; i < target->count && i < TARGET_SEGMENTS_MOST; i++) {
        const char *segment = target->segments[i];
        size_t n;
        if (*pattern != '/') {
            return false;
        }
        n = strcspn(++pattern, "/");
        if (*pattern == '{' && *segment) {
            *argument = segment;
        } else if (strlen(segment) != n || memcmp(segment, pattern, n) != 0) {
            return false;
        }
        pattern += n;
    }
    return *pattern == '\0' && target->count > 0 && target->count <= TARGET_SEGMENTS_MOST;
}

const struct route *route_find(const struct target *target, const char **argument) {
    for (size_t i = 0; i < route_count; i++) {
        if (route_fits(route_table[i].pattern, target, argument)) {
            return &route_table[i];
        }
    }
    *argument = NULL;
    return NULL;
}

static const struct {
    const char *name;
    unsigned bit;
} methods[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_HEAD}, {"POST", METHOD_POST}},
  roles[] = {{"viewer", ROLE_VIEWER},
             {"moderator", ROLE_MODERATOR},
             {"manager", ROLE_MANAGER},
             {"mediator", ROLE_MEDIATOR},
             {"producer", ROLE_PRODUCER}};

unsigned route_method(const char *method) {
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(method, methods[i].name) == 0) {
            return methods[i].bit;
        }
    }
    return 0;
}

unsigned route_role(const char *role) {
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(role, roles[i].name) == 0) {
            return roles[i].bit;
        }
    }
    return 0;
}

void route_allow(const struct route *route, char out[32]) {
    size_t used = 0;

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (route->methods & methods[i].bit) {
            used += (size_t)snprintf(out + used, 32 - used, "%s%s", used ? ", " : "",
                                     methods[i].name);
        }
    }
}

bool route_sound(const struct route *r) {
    bool unsafe = (r->methods & METHOD_POST) != 0;
    bool known = r->methods && r->pattern && r->pattern[0] == '/' && r->roles &&
                 r->guard && r->cache && r->voice && r->body_most && r->fields_most &&
                 r->handle;

    return known && unsafe == (r->guard != GUARD_READS) &&
           (!unsafe || r->cache == CACHE_NEVER) &&
           !(r->methods & METHOD_GET) == !(r->methods & METHOD_HEAD) &&
           !((r->roles & ROLE_ANYBODY) && r->guard == GUARD_TOKEN) &&
           (strncmp(r->pattern, "/console", 8) != 0 ||
            (!(r->roles & ROLE_ANYBODY) && r->guard != GUARD_NONE));
}
