/* SPDX-License-Identifier: MIT */
/* vouchctl routes: what may be asked of vouch_serve, by whom and how, from the one table. */
#include "web/route.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "print.h"

static void routes_roles(unsigned roles, char out[80]) {
    static const char *const names[] = {"viewer", "moderator", "manager", "mediator",
                                        "producer"};
    size_t used = (size_t)snprintf(out, 80, "%s", roles & ROLE_ANYBODY ? "anybody" : "");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((roles & route_role(names[i])) && used < 80) {
            used += (size_t)snprintf(out + used, 80 - used, "%s%s", used ? "," : "",
                                     names[i]);
        }
    }
}

int routes_run(const struct cli *cli) {
    static const char *const guards[] = {[GUARD_READS] = "reads",
                                         [GUARD_ORIGIN] = "origin",
                                         [GUARD_TOKEN] = "token",
                                         [GUARD_NONE] = "none"};
    static const char *const caches[] = {
        [CACHE_NEVER] = "never", [CACHE_SHORT] = "short", [CACHE_FOREVER] = "forever"};
    char methods[32], roles[80], line[320];

    (void)cli;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &route_table[i];
        route_allow(r, methods);
        routes_roles(r->roles, roles);
        snprintf(line, sizeof line, "%s\t%s\t%s\t%s\t%s\t%s", r->pattern, methods,
                 roles, guards[r->guard], caches[r->cache],
                 r->voice == VOICE_PAGE ? "page" : "data");
        print_raw(line);
    }
    return print_ok() ? CLI_DONE : CLI_FAILED;
}
