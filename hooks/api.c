/* SPDX-License-Identifier: MIT */
/* The exported functions: arguments and process checked, then in. Replies are made here. */
#include "vouch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
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
    API_WAIT_MOST_MS = 60000,
    API_CALL_US = 5000000,
    API_TAKE_LOOK_US = 200000, /* between looks while waiting */
    API_ID_DIGITS = 18
};

/* Takes value over; NULL is no memory. */
static int api_reply(char **reply, json_t *value, int code) {
    if (reply) {
        *reply = value ? json_write(value) : NULL;
    }
    json_decref(value);
    return code;
}

/* RFC 9457. */
static int api_problem(char **reply, const struct error *error) {
    static const struct {
        int code;
        const char *type, *title;
    } problems[] = {
        {ERROR_INVALID, "urn:vouch:problem:invalid", "Invalid"},
        {ERROR_UNAVAILABLE, "urn:vouch:problem:unavailable", "Unavailable"},
        {ERROR_MISUSE, "urn:vouch:problem:misuse", "Misuse"},
        {ERROR_FORKED, "urn:vouch:problem:forked", "Forked"},
        {ERROR_FAILED, "urn:vouch:problem:failed", "Failed"},
    };
    size_t i = 0;

    while (problems[i].code != error->code &&
           i + 1 < sizeof problems / sizeof *problems) {
        i++;
    }
    return api_reply(reply,
                     json_pack("{s:s, s:s, s:s, s:s}", "type", problems[i].type, "title",
                               problems[i].title, "detail", error->detail, "pointer",
                               error->pointer),
                     problems[i].code);
}

/* One call of the host's: errno is no part of the contract, so it stays as it was. */
struct call {
    int kept;
    struct error error;
};

static int api_begin(struct call *call, const vouch *module, char **reply) {
    *call = (struct call){.kept = errno};
    if (reply) {
        *reply = NULL;
    }
    return module_here(module, &call->error);
}

/* value answers, unless code is a problem. */
static int api_end(const struct call *call, int code, char **reply, json_t *value) {
    if (code < 0) {
        json_decref(value);
        code = api_problem(reply, &call->error);
    } else if (value) {
        code = api_reply(reply, value, code);
    }
    errno = call->kept;
    return code;
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
    struct call call = {.kept = errno};
    int code;

    if (reply) {
        *reply = NULL;
    }
    if (module) {
        *module = NULL;
        code = module_open(options, &event_doors, module, &call.error);
    } else {
        code = error_set(&call.error, ERROR_INVALID, "",
                         "module is NULL: nowhere to put the handle");
    }
    return api_end(&call, code, reply, NULL);
}

int vouch_start(vouch *module, int threads, char **reply) {
    struct call call;
    int code = api_begin(&call, module, reply);

    if (!code) {
        code = api_range(threads, 1, MODULE_WORKERS_MOST, "threads", &call.error);
    }
    if (!code) {
        code = worker_start(module, threads, &call.error);
    }
    return api_end(&call, code, reply, NULL);
}

int vouch_step(vouch *module, int budget_ms, char **reply) {
    struct step_report report = {0};
    struct call call;
    json_t *value = NULL;
    int code = api_begin(&call, module, reply);

    if (!code) {
        code = api_range(budget_ms, 1, API_WAIT_MOST_MS, "budget_ms", &call.error);
    }
    if (!code) {
        code = worker_step(module, clock_now_us() + (int64_t)budget_ms * 1000, &report,
                           &call.error);
    }
    if (!code) {
        value =
            json_pack("{s:i, s:i, s:I}", "done", report.done, "in_flight",
                      report.in_flight, "next_ms", (json_int_t)(report.next_us / 1000));
    }
    return api_end(&call, code, reply, value);
}

int vouch_stop(vouch *module, int deadline_ms, char **reply) {
    struct call call;
    int in_flight = 0;
    int code = api_begin(&call, module, reply);

    if (!code && deadline_ms < 0) {
        code = error_set(&call.error, ERROR_INVALID, "", "deadline_ms is 0 or more");
    }
    if (!code) {
        code = worker_stop(module, clock_now_us() + (int64_t)deadline_ms * 1000,
                           &in_flight, &call.error);
    }
    return api_end(&call, code, reply, code ? NULL : json_pack("{s:i}", "in_flight", 0));
}

int vouch_emit(vouch *module, const char *event, size_t length, char **reply) {
    struct call call;
    json_t *answer = NULL;
    int code = api_begin(&call, module, reply);

    if (!code && !event) {
        code = error_set(&call.error, ERROR_INVALID, "", "event is NULL");
    }
    if (!code) {
        code = event_emit(module, event, length, &answer, &call.error);
    }
    return api_end(&call, code, reply, answer);
}

/* One look through all stores. */
static int take_look(vouch *module, char **event, struct error *error) {
    int64_t deadline = clock_now_us() + API_CALL_US;
    struct shop *shop;
    int code = module_ready(module, deadline, error);

    for (size_t i = 0; !code && !*event && (shop = module_shop_at(module, i)); i++) {
        code = outbox_take(&shop->store, deadline, event, error);
    }
    return code;
}

/* Looks until there is an event, the time is over or vouch_stop is called. */
static int take_wait(vouch *module, int wait_ms, char **event, struct error *error) {
    int64_t now = clock_now_us();
    int64_t until = now + (int64_t)wait_ms * 1000;
    unsigned stops = worker_stops(module);
    int code = take_look(module, event, error);

    while (!code && !*event && (now = clock_now_us()) < until) {
        int64_t next = now + API_TAKE_LOOK_US;
        if (worker_pause(module, stops, next < until ? next : until)) {
            break;
        }
        code = take_look(module, event, error);
    }
    return code;
}

int vouch_take(vouch *module, int wait_ms, char **event) {
    struct call call;
    int code = api_begin(&call, module, event);

    if (!code && !event) {
        code = error_set(&call.error, ERROR_INVALID, "", "event is NULL");
    }
    if (!code) {
        code = api_range(wait_ms, 0, API_WAIT_MOST_MS, "wait_ms", &call.error);
    }
    if (!code) {
        code = take_wait(module, wait_ms, event, &call.error);
    }
    if (!code && !*event) {
        code = VOUCH_EMPTY;
    }
    return api_end(&call, code, event, NULL);
}

/* "STORE:NUMBER", as outbox_take made it. */
static struct shop *ack_shop(vouch *module, const char *id) {
    char name[64];
    const char *colon = strchr(id, ':');
    size_t n = colon ? (size_t)(colon - id) : 0;

    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (n == 0 || n >= sizeof name || digits == 0 || digits > API_ID_DIGITS ||
        id[n + 1 + digits]) {
        return NULL;
    }
    memcpy(name, id, n);
    name[n] = '\0';
    return module_shop(module, name);
}

int vouch_ack(vouch *module, const char *event_id, char **reply) {
    struct call call;
    struct shop *shop = NULL;
    bool known = false;
    int64_t deadline = clock_now_us() + API_CALL_US;
    int code = api_begin(&call, module, reply);

    if (!code && !event_id) {
        code = error_set(&call.error, ERROR_INVALID, "", "event_id is NULL");
    }
    if (!code) {
        code = module_ready(module, deadline, &call.error);
    }
    if (!code) {
        shop = ack_shop(module, event_id);
        code = shop ? outbox_ack(&shop->store, event_id, deadline, &known, &call.error)
                    : error_set(&call.error, ERROR_INVALID, "", "this is no id of ours");
    }
    return api_end(&call, code, reply, NULL);
}

static int serve_emit(void *self, const char *event, size_t length, char **reply) {
    return vouch_emit(self, event, length, reply);
}

static int serve_health(void *self, json_t **health) {
    *health = module_describe(self);
    return *health ? 0 : ERROR_FAILED;
}

int vouch_serve(vouch *module, const char *request, size_t length, char **response) {
    const struct web_doors doors = {serve_emit, serve_health, module};
    int64_t now = clock_now_us();
    struct call call;
    struct shop *shop = NULL;
    int code = api_begin(&call, module, response);

    if (!code && (!request || !response)) {
        code = error_set(&call.error, ERROR_INVALID, "", "request or response is NULL");
    }
    if (!code) {
        module_ready(module, now + API_CALL_US / 2, NULL);
        shop = module_shop(module, NULL);
        code =
            shop ? web_serve(&shop->store, &doors, request, length, now + API_CALL_US,
                             response, &call.error)
                 : error_set(&call.error, ERROR_UNAVAILABLE, "", "no store is known yet");
    }
    return api_end(&call, code, response, NULL);
}

int vouch_describe(vouch *module, char **reply) {
    struct call call;
    json_t *value = NULL;
    int code = api_begin(&call, module, reply);

    if (!code) {
        value = module_describe(module);
        code = value ? 0 : error_set(&call.error, ERROR_FAILED, "", "no memory");
    }
    return api_end(&call, code, reply, value);
}

int vouch_close(vouch *module) {
    struct call call;
    int code = api_begin(&call, module, NULL);

    if (!code) {
        code = module_close(module, &call.error);
    }
    return api_end(&call, code, NULL, NULL);
}

void vouch_free(char *text) {
    memory_free(text);
}
