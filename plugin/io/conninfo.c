/* SPDX-License-Identifier: MIT */
/* The connection options as libpq reads them (URL or keywords, then its environment), our
 * defaults where nothing was said, and the addresses behind the host names. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "io/pq.h"

struct conninfo {
    PQconninfoOption *options;
    size_t hosts;
    struct pq_target list[PQ_TARGETS_MOST];
};

/* value NULL: the option may not be set in a conninfo. several: only with several hosts.
 * Compiled-in values of libpq count as not given. */
static const struct {
    const char *keyword;
    const char *value;
    const char *why;
    bool several;
} rules[] = {
    {"options", NULL, "PgBouncer refuses it; use ALTER ROLE … SET", false},
    {"service", NULL, "name the host instead", false},
    {"replication", NULL, "it makes another kind of connection", false},
    {"application_name", "vouch", NULL, false},
    {"gssencmode", "disable", NULL, false},
    {"keepalives_idle", "5", NULL, false},
    {"keepalives_interval", "5", NULL, false},
    {"keepalives_count", "3", NULL, false},
    {"tcp_user_timeout", "15000", NULL, false},
    {"target_session_attrs", "read-write", NULL, true},
};

static PQconninfoOption *conninfo_find(PQconninfoOption *options, const char *keyword) {
    for (PQconninfoOption *o = options; o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0) {
            return o;
        }
    }
    return NULL;
}

static const char *conninfo_value(PQconninfoOption *options, const char *keyword) {
    const PQconninfoOption *o = conninfo_find(options, keyword);
    return o && o->val ? o->val : "";
}

static int conninfo_put(PQconninfoOption *option, const char *value,
                        struct error *error) {
    char *copy = memory_copy(value);
    if (!copy) {
        return error_set(error, ERROR_FAILED, NULL, "no memory for connection options");
    }
    if (option->val) {
        crypto_zero(option->val, strlen(option->val));
        free(option->val);
    }
    option->val = copy;
    return 0;
}

static void conninfo_wipe(PQconninfoOption *options) {
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (o->val) {
            crypto_zero(o->val, strlen(o->val));
        }
    }
    PQconninfoFree(options);
}

static int conninfo_parse(const char *text, PQconninfoOption **given,
                          struct error *error) {
    char *why = NULL, line[PQ_TEXT_MOST];
    *given = PQconninfoParse(text, &why);
    if (*given) {
        return 0;
    }
    pq_text(why ? why : "no memory", true, line);
    if (why) {
        crypto_zero(why, strlen(why));
    }
    PQfreemem(why);
    return error_set(error, ERROR_INVALID, NULL, "the database's connection URL: %s",
                     line);
}

/* What the conninfo gives goes over what the environment gave. */
static int conninfo_overlay(PQconninfoOption *options, const PQconninfoOption *given,
                            struct error *error) {
    for (const PQconninfoOption *o = given; o->keyword; o++) {
        PQconninfoOption *into = conninfo_find(options, o->keyword);
        if (into && o->val && conninfo_put(into, o->val, error) != 0) {
            return ERROR_FAILED;
        }
    }
    return 0;
}

static int conninfo_apply(PQconninfoOption *options, PQconninfoOption *given,
                          bool several, struct error *error) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const char *own = given ? conninfo_value(given, rules[i].keyword) : "";
        PQconninfoOption *o = conninfo_find(options, rules[i].keyword);
        if (!rules[i].value && own[0]) {
            return error_set(error, ERROR_INVALID, NULL,
                             "the database's connection URL must not set %s: %s",
                             rules[i].keyword, rules[i].why);
        }
        bool unset =
            o && !own[0] &&
            (!o->val || !o->val[0] || (o->compiled && strcmp(o->val, o->compiled) == 0));
        if (rules[i].value && unset && (several || !rules[i].several) &&
            conninfo_put(o, rules[i].value, error) != 0) {
            return ERROR_FAILED;
        }
    }
    return 0;
}

/* Item i of a comma-separated list; the only item of a list of one stands for all when
 * repeat. False when it does not fit. */
static bool conninfo_item(const char *list, size_t i, bool repeat, char *out,
                          size_t size) {
    const char *at = list, *end = strchr(at, ',');
    bool single = !end;
    for (size_t k = 0; k < i && !(single && repeat); k++) {
        at = end ? end + 1 : "";
        end = strchr(at, ',');
    }
    size_t n = end ? (size_t)(end - at) : strlen(at);
    if (n >= size) {
        return false;
    }
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

static size_t conninfo_items(const char *list) {
    size_t n = list[0] ? 1 : 0;
    for (const char *c = list; *c; c++) {
        n += *c == ',';
    }
    return n;
}

static int conninfo_split(struct conninfo *info, struct error *error) {
    const char *host = conninfo_value(info->options, "host");
    const char *address = conninfo_value(info->options, "hostaddr");
    const char *port = conninfo_value(info->options, "port");
    size_t hosts = conninfo_items(host), addresses = conninfo_items(address);
    size_t ports = conninfo_items(port);
    info->hosts = hosts > addresses ? hosts : addresses;
    info->hosts = info->hosts > 0 ? info->hosts : 1;
    if ((hosts > 0 && addresses > 0 && hosts != addresses) ||
        (ports > 1 && ports != info->hosts) || info->hosts > PQ_TARGETS_MOST) {
        return error_set(
            error, ERROR_INVALID, NULL,
            "the database's connection URL names %zu hosts, %zu addresses and "
            "%zu ports; they must match and be at most %d",
            hosts, addresses, ports, PQ_TARGETS_MOST);
    }
    for (size_t i = 0; i < info->hosts; i++) {
        struct pq_target *t = &info->list[i];
        if (!conninfo_item(host, i, false, t->host, sizeof t->host) ||
            !conninfo_item(address, i, false, t->address, sizeof t->address) ||
            !conninfo_item(port, i, true, t->port, sizeof t->port)) {
            return error_set(
                error, ERROR_INVALID, NULL,
                "the database's connection URL: host, address or port %zu is "
                "too long",
                i + 1);
        }
    }
    return 0;
}

int conninfo_open(const char *text, struct conninfo **info, struct error *error) {
    int code = ERROR_FAILED;
    PQconninfoOption *given = NULL;
    struct conninfo *made = memory_zero(1, sizeof *made);
    *info = NULL;
    if (!made) {
        goto out;
    }
    made->options = PQconndefaults();
    if (!made->options) {
        error_set(error, code, NULL, "libpq's defaults cannot be read (see PGSERVICE)");
        goto out;
    }
    if (text) {
        code = conninfo_parse(text, &given, error);
        if (code == 0) {
            code = conninfo_overlay(made->options, given, error);
        }
        if (code != 0) {
            goto out;
        }
    }
    code = conninfo_split(made, error);
    if (code == 0) {
        code = conninfo_apply(made->options, given, made->hosts > 1, error);
    }
out:
    conninfo_wipe(given);
    if (code != 0) {
        conninfo_close(made);
        return error_set(error, code, NULL, "no memory for connection options");
    }
    *info = made;
    return 0;
}

void conninfo_close(struct conninfo *info) {
    if (info) {
        conninfo_wipe(info->options);
        memory_free(info);
    }
}

const PQconninfoOption *conninfo_options(const struct conninfo *info) {
    return info->options;
}

static bool conninfo_numeric(const char *host) {
    struct in6_addr bytes;
    return inet_pton(AF_INET, host, &bytes) == 1 ||
           inet_pton(AF_INET6, host, &bytes) == 1;
}

/* A socket's folder, an address or nothing needs no name server. */
static bool conninfo_named(const struct pq_target *t) {
    bool local = t->host[0] == '\0' || t->host[0] == '/' || t->host[0] == '@';
    return !local && t->address[0] == '\0' && !conninfo_numeric(t->host);
}

bool conninfo_names(const struct conninfo *info) {
    for (size_t i = 0; i < info->hosts; i++) {
        if (conninfo_named(&info->list[i])) {
            return true;
        }
    }
    return false;
}

static void conninfo_add(struct pq_targets *targets, const struct pq_target *t,
                         const char *address) {
    if (targets->count < PQ_TARGETS_MOST) {
        struct pq_target *into = &targets->list[targets->count++];
        *into = *t;
        memcpy(into->address, address, strnlen(address, sizeof into->address - 1) + 1);
    }
}

/* getaddrinfo with a second for each name server instead of five, twice: a caller waits for
 * it. glibc keeps this for each thread; what the host set is put back. */
static int conninfo_look(const char *host, const struct addrinfo *hints,
                         struct addrinfo **list) {
    bool known = (_res.options & RES_INIT) != 0 || res_ninit(&_res) == 0;
    int seconds = _res.retrans, tries = _res.retry;

    if (known) {
        _res.retrans = 1;
        _res.retry = 1;
    }
    int rc = getaddrinfo(host, NULL, hints, list);
    if (known) {
        _res.retrans = seconds;
        _res.retry = tries;
    }
    return rc;
}

/* Adds every address of t's name; the count added. */
static size_t conninfo_ask(const struct pq_target *t, struct pq_targets *targets,
                           struct error *error) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    size_t before = targets->count;
    int rc = conninfo_look(t->host, &hints, &list);
    if (rc != 0) {
        error_set(error, ERROR_UNAVAILABLE, NULL,
                  "the name %s of the database's host: %s", t->host, gai_strerror(rc));
        return 0;
    }
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        char text[sizeof t->address];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            conninfo_add(targets, t, text);
        }
    }
    freeaddrinfo(list);
    return targets->count - before;
}

static void conninfo_keep(const struct pq_target *t, const struct pq_targets *known,
                          struct pq_targets *targets) {
    for (size_t i = 0; known && i < known->count; i++) {
        if (strcmp(known->list[i].host, t->host) == 0 &&
            strcmp(known->list[i].port, t->port) == 0) {
            conninfo_add(targets, t, known->list[i].address);
        }
    }
}

int conninfo_resolve(const struct conninfo *info, bool ask,
                     const struct pq_targets *known, struct pq_targets *targets,
                     struct error *error) {
    struct error why = {0};
    targets->count = 0;
    for (size_t i = 0; i < info->hosts; i++) {
        const struct pq_target *t = &info->list[i];
        if (!conninfo_named(t)) {
            conninfo_add(targets, t, t->address);
        } else if (!ask || conninfo_ask(t, targets, &why) == 0) {
            conninfo_keep(t, known, targets);
        }
    }
    if (targets->count == 0) {
        return error_set(error, ERROR_UNAVAILABLE, NULL, "%s",
                         why.code
                             ? why.detail
                             : "the name of the database's host is not looked up yet");
    }
    return 0;
}
