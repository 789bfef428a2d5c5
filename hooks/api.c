/* SPDX-License-Identifier: MIT */
/* The exported functions: arguments and process checked, then in. Replies are made here. */
#include "vouch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "event.h"
#include "module.h"
#include "notify/outbox.h"
#include "web/web.h"
#include "worker.h"

_Static_assert(VOUCH_INVALID == ERROR_INVALID && VOUCH_UNAVAILABLE == ERROR_UNAVAILABLE &&
                   VOUCH_MISUSE == ERROR_MISUSE && VOUCH_FORKED == ERROR_FORKED &&
                   VOUCH_FAILED == ERROR_FAILED,
               "inside and outside count errors alike");

enum {
    API_THREADS_MOST = 64,
    API_WAIT_MOST_MS = 60000,
    API_CALL_US = 5000000,
    API_TAKE_LOOK_US = 200000, /* between looks while waiting */
    API_ID_MOST = 200
};

static void api_reply(char **reply, json_t *value) {
    if (reply) {
        *reply = json_write(value);
    }
    json_decref(value);
}

/* RFC 9457. Preserves errno, which is no part of the contract but the host's. */
static int api_problem(char **reply, const struct error *error) {
    static const struct {
        int code;
        const char *type, *title;
    } problems[] = {
        {ERROR_INVALID, "invalid", "Invalid"},
        {ERROR_UNAVAILABLE, "unavailable", "Unavailable"},
        {ERROR_MISUSE, "misuse", "Misuse"},
        {ERROR_FORKED, "forked", "Forked"},
        {ERROR_FAILED, "failed", "Failed"},
    };
    size_t i = 0;

    while (problems[i].code != error->code && i + 1 < sizeof problems / sizeof *problems) {
        i++;
    }
    char type[64] = "urn:vouch:problem:";
    strncat(type, problems[i].type, sizeof type - strlen(type) - 1);
    api_reply(reply, json_pack("{s:s, s:s, s:s, s:s}", "type", type, "title",
                               problems[i].title, "detail", error->detail, "pointer",
                               error->pointer));
    return problems[i].code;
}

static int api_begin(const vouch *module, char **reply, struct error *error) {
    *error = (struct error){0};
    if (reply) {
        *reply = NULL;
    }
    return module_here(module, error);
}

static int api_range(int value, int least, int most, const char *what,
                     struct error *error) {
    if (value < least || value > most) {
        return error_set(error, ERROR_INVALID, "", "%s is %d to %d", what, least, most);
    }
    return 0;
}

int vouch_abi(void) {
    return VOUCH_ABI;
}

int vouch_open(const char *options, vouch **module, char **reply) {
    struct error error = {0};
    int kept = errno;
    int code;

    if (reply) {
        *reply = NULL;
    }
    if (!module) {
        error_set(&error, ERROR_MISUSE, "", "module is NULL: nowhere to put the handle");
        return api_problem(reply, &error);
    }
    *module = NULL;
    code = module_open(options, &event_doors, module, &error);
    errno = kept;
    return code ? api_problem(reply, &error) : VOUCH_OK;
}

int vouch_start(vouch *module, int threads, char **reply) {
    struct error error;
    int kept = errno;
    int code = api_begin(module, reply, &error);

    if (!code) {
        code = api_range(threads, 1, API_THREADS_MOST, "threads", &error);
    }
    if (!code) {
        code = worker_start(module, threads, &error);
    }
    errno = kept;
    return code ? api_problem(reply, &error) : VOUCH_OK;
}

int vouch_step(vouch *module, int budget_ms, char **reply) {
    struct step_report report = {0};
    struct error error;
    int kept = errno;
    int code = api_begin(module, reply, &error);

    if (!code) {
        code = api_range(budget_ms, 1, API_WAIT_MOST_MS, "budget_ms", &error);
    }
    if (!code) {
        code = worker_step(module, clock_now_us() + (int64_t)budget_ms * 1000, &report,
                           &error);
    }
    errno = kept;
    if (code) {
        return api_problem(reply, &error);
    }
    api_reply(reply, json_pack("{s:i, s:i, s:I}", "done", report.done, "in_flight",
                               report.in_flight, "next_ms",
                               (json_int_t)(report.next_us / 1000)));
    return VOUCH_OK;
}

int vouch_stop(vouch *module, int deadline_ms, char **reply) {
    struct error error;
    int in_flight = 0;
    int kept = errno;
    int code = api_begin(module, reply, &error);

    if (!code && deadline_ms < 0) {
        code = error_set(&error, ERROR_INVALID, "", "deadline_ms is 0 or more");
    }
    if (!code) {
        code = worker_stop(module, clock_now_us() + (int64_t)deadline_ms * 1000,
                           &in_flight, &error);
    }
    errno = kept;
    if (code) {
        return api_problem(reply, &error);
    }
    api_reply(reply, json_pack("{s:i}", "in_flight", in_flight));
    return VOUCH_OK;
}

int vouch_emit(vouch *module, const char *event, size_t length, char **reply) {
    struct error error;
    json_t *answer = NULL;
    int kept = errno;
    int code = api_begin(module, reply, &error);

    if (!code && !event) {
        code = error_set(&error, ERROR_INVALID, "", "event is NULL");
    }
    if (!code) {
        code = event_emit(module, event, length, &answer, &error);
    }
    errno = kept;
    if (code < 0) {
        return api_problem(reply, &error);
    }
    api_reply(reply, answer);
    return code;
}

/* One look through all stores. */
static int take_look(vouch *module, char **event, struct error *error) {
    struct shop *shop;
    int code = module_ready(module, clock_now_us() + API_CALL_US, error);

    for (size_t i = 0; !code && !*event && (shop = module_shop_at(module, i)); i++) {
        code = outbox_take(&shop->store, clock_now_us() + API_CALL_US, event, error);
    }
    return code;
}

int vouch_take(vouch *module, int wait_ms, char **event) {
    struct error error;
    int kept = errno;
    int64_t until = clock_now_us() + (int64_t)wait_ms * 1000;
    int code = api_begin(module, event, &error);

    if (!code && !event) {
        code = error_set(&error, ERROR_INVALID, "", "event is NULL");
    }
    if (!code) {
        code = api_range(wait_ms, 0, API_WAIT_MOST_MS, "wait_ms", &error);
    }
    while (!code) {
        code = take_look(module, event, &error);
        if (code || *event || clock_now_us() >= until ||
            worker_pause(module, clock_now_us() + API_TAKE_LOOK_US, until)) {
            break;
        }
    }
    errno = kept;
    if (code) {
        return api_problem(event, &error);
    }
    return *event ? VOUCH_OK : VOUCH_EMPTY;
}

/* "STORE:NUMBER", as outbox_take made it. */
static struct shop *ack_shop(vouch *module, const char *id) {
    char name[64];
    const char *colon = strchr(id, ':');
    size_t n = colon ? (size_t)(colon - id) : 0;

    if (n == 0 || n >= sizeof name || strlen(id) > API_ID_MOST) {
        return NULL;
    }
    memcpy(name, id, n);
    name[n] = '\0';
    return module_shop(module, name);
}

int vouch_ack(vouch *module, const char *event_id, char **reply) {
    struct error error;
    bool known = false;
    int kept = errno;
    int64_t deadline = clock_now_us() + API_CALL_US;
    int code = api_begin(module, reply, &error);
    struct shop *shop = NULL;

    if (!code) {
        code = module_ready(module, deadline, &error);
    }
    if (!code) {
        shop = event_id ? ack_shop(module, event_id) : NULL;
        code = shop ? outbox_ack(&shop->store, event_id, deadline, &known, &error)
                    : error_set(&error, ERROR_INVALID, "", "this is no id of ours");
    }
    errno = kept;
    return code ? api_problem(reply, &error) : VOUCH_OK;
}

static int serve_emit(void *self, const char *event, size_t length, char **reply) {
    return vouch_emit(self, event, length, reply);
}

static int serve_health(void *self, json_t **health) {
    *health = module_describe(self);
    return *health ? 0 : ERROR_FAILED;
}

int vouch_serve(vouch *module, const char *request, size_t length, char **response) {
    struct error error;
    const struct web_doors doors = {serve_emit, serve_health, module};
    int kept = errno;
    int code = api_begin(module, response, &error);
    struct shop *shop = NULL;

    if (!code && (!request || !response)) {
        code = error_set(&error, ERROR_INVALID, "", "request or response is NULL");
    }
    if (!code) {
        module_ready(module, clock_now_us() + API_CALL_US / 2, NULL);
        shop = module_shop(module, NULL);
        code = shop ? web_serve(&shop->store, &doors, request, length,
                                clock_now_us() + API_CALL_US, response, &error)
                    : error_set(&error, ERROR_UNAVAILABLE, "", "no store is known yet");
    }
    errno = kept;
    return code ? api_problem(response, &error) : VOUCH_OK;
}

int vouch_describe(vouch *module, char **reply) {
    struct error error;
    int kept = errno;
    int code = api_begin(module, reply, &error);

    if (code) {
        return api_problem(reply, &error);
    }
    api_reply(reply, module_describe(module));
    errno = kept;
    return VOUCH_OK;
}

int vouch_close(vouch *module) {
    struct error error = {0};
    int kept = errno;
    int code = module_here(module, &error);

    if (!code) {
        code = module_close(module, &error);
    }
    errno = kept;
    return code;
}

void vouch_free(char *text) {
    memory_free(text);
}
