/* SPDX-License-Identifier: MIT */
/* Replays the Olist tables through vouch_emit and prints what became of them.
 *
 *   replay [--module FILE] [--options FILE | --database URL [--store ID]]
 *          [--batch N] [--shuffle SEED] FOLDER
 *
 * Loads the module as a store does, by dlopen, and needs nothing but hooks/vouch.h. It does
 * no background work: requests stay scheduled, nobody is mailed. Running it again changes
 * nothing: every event's id is derived from its fact. */
#include "olist.h"
#include "tally.h"
#include "vouch.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_MOST = 10000, TRIES_MOST = 60, PROBLEMS_SHOWN = 5, BAR = 30 };

struct host {
    vouch *module;
    int (*abi)(void);
    int (*open)(const char *, vouch **, char **);
    int (*emit)(vouch *, const char *, size_t, char **);
    int (*serve)(vouch *, const char *, size_t, char **);
    int (*close)(vouch *);
    void (*free)(char *);
};

struct wish {
    const char *module, *options, *database, *store, *folder;
    size_t batch;
    bool shuffled;
    uint64_t seed;
};

static int complain(const char *what, const char *why) {
    fprintf(stderr, "replay: %s: %s\n", what, why ? why : "unknown");
    return -1;
}

/* dlsym's void * becomes a function pointer as POSIX wants it. */
static int load(struct host *host, const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return complain(path, dlerror());
    const struct {
        const char *name;
        void *place;
    } functions[] = {
        {"vouch_abi", &host->abi},     {"vouch_open", &host->open},
        {"vouch_emit", &host->emit},   {"vouch_serve", &host->serve},
        {"vouch_close", &host->close}, {"vouch_free", &host->free},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *found = dlsym(library, functions[i].name);
        if (!found)
            return complain(path, dlerror());
        memcpy(functions[i].place, &found, sizeof found);
    }
    return host->abi() == VOUCH_ABI ? 0 : complain(path, "speaks another ABI");
}

static int open_module(struct host *host, const struct wish *wish) {
    json_error_t fault;
    char *reply = NULL, *text = NULL;
    json_t *options =
        wish->options ? json_load_file(wish->options, 0, &fault) : json_object();
    if (!options)
        return complain(wish->options, fault.text);
    if (wish->database)
        json_object_set_new(options, "database", json_string(wish->database));
    if (wish->store)
        json_object_set_new(options, "store", json_string(wish->store));
    if (!json_object_get(options, "emit_deadline_ms"))
        json_object_set_new(options, "emit_deadline_ms", json_integer(30000));
    text = json_dumps(options, 0);
    int code = host->open(text, &host->module, &reply);
    if (code < 0)
        complain("vouch_open", reply);
    host->free(reply);
    free(text);
    json_decref(options);
    return code < 0 ? -1 : 0;
}

/* Emits an array until it is accepted or refused; the code, and the reply as JSON. */
static int emit(struct host *host, const json_t *events, json_t **answer) {
    char *text = json_dumps(events, JSON_COMPACT), *reply = NULL;
    int code = VOUCH_FAILED;
    for (int i = 0; text && i < TRIES_MOST; i++) {
        code = host->emit(host->module, text, strlen(text), &reply);
        if (code != VOUCH_UNAVAILABLE || i + 1 == TRIES_MOST)
            break;
        host->free(reply);
        sleep(1);
    }
    *answer = reply ? json_loads(reply, 0, NULL) : NULL;
    host->free(reply);
    free(text);
    return code;
}

static void show_problem(struct tally *tally, const json_t *event, json_t *answer) {
    char *words = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    if (tally->refused < PROBLEMS_SHOWN)
        complain(json_string_value(json_object_get(event, "id")), words);
    free(words);
}

/* One invalid event refuses its array: then each is sent by itself, and only it is lost. */
static int send_batch(struct host *host, const struct olist *olist, struct tally *tally,
                      const struct moment *moment, json_t *events) {
    json_t *answer = NULL;
    size_t count = json_array_size(events);
    int code = emit(host, events, &answer);
    if (code == VOUCH_OK || code == VOUCH_SPOOLED) {
        for (size_t i = 0; i < count; i++)
            tally_add(tally, olist, &moment[i], code,
                      json_array_get(json_object_get(answer, "results"), i));
    } else if (code == VOUCH_INVALID && count == 1) {
        show_problem(tally, json_array_get(events, 0), answer);
        tally->refused++;
    } else if (code != VOUCH_INVALID) {
        char *words = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        complain("vouch_emit", words);
        free(words);
        json_decref(answer);
        return -1;
    }
    json_decref(answer);
    for (size_t i = 0; code == VOUCH_INVALID && count > 1 && i < count; i++) {
        json_t *one = json_pack("[O]", json_array_get(events, i));
        int sent = send_batch(host, olist, tally, &moment[i], one);
        json_decref(one);
        if (sent != 0)
            return -1;
    }
    return 0;
}

static void show_progress(size_t done, size_t count, double seconds) {
    char bar[BAR + 1];
    size_t full = count ? done * BAR / count : BAR;
    for (size_t i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r[%s] %3zu %%  %zu of %zu events, %.0f a second ", bar,
            count ? done * 100 / count : 100, done, count,
            seconds > 0 ? (double)done / seconds : 0.0);
    if (done == count)
        fputc('\n', stderr);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int replay(struct host *host, struct olist *olist, struct tally *tally,
                  size_t batch) {
    size_t count, unreadable = 0;
    struct moment *moment = olist_moments(olist, &count);
    bool terminal = isatty(STDERR_FILENO) == 1;
    double begun = now();
    for (size_t i = 0, n; i < count; i += n) {
        json_t *events = json_array();
        for (n = 0; n < batch && i + n < count; n++) {
            json_t *event = olist_event(olist, &moment[i + n]);
            unreadable += !event;
            json_array_append_new(events, event ? event : json_object());
        }
        int code = send_batch(host, olist, tally, &moment[i], events);
        json_decref(events);
        if (code != 0)
            return -1;
        if (terminal)
            show_progress(i + n, count, now() - begun);
    }
    tally->seconds = now() - begun;
    tally->unreadable = unreadable;
    return 0;
}

/* Any order must end in the same tables; a seed makes one that can be had again. */
static void shuffle(struct moment *moment, size_t count, uint64_t seed) {
    for (size_t i = count; i > 1; i--) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t mix = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
        mix = (mix ^ (mix >> 27)) * 0x94d049bb133111ebu;
        size_t other = (size_t)((mix ^ (mix >> 31)) % i);
        struct moment swapped = moment[i - 1];
        moment[i - 1] = moment[other];
        moment[other] = swapped;
    }
}

/* Needs no percent-encoding in a path. */
static bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-._~", c));
}

/* What the storefront would show: the product's own JSON, through vouch_serve. */
static json_t *summary_of(void *context, const char *product) {
    struct host *host = context;
    char target[1024] = "/products/", *text, *response = NULL;
    size_t end = strlen(target);
    for (; *product && end + 32 < sizeof target; product++)
        end += (size_t)snprintf(target + end, 4, is_plain(*product) ? "%c" : "%%%02X",
                                (unsigned char)*product);
    snprintf(target + end, sizeof target - end, "/reviews?limit=1");
    json_t *request = json_pack("{s:s, s:s, s:{s:s}}", "method", "GET", "target", target,
                                "headers", "accept", "application/json");
    text = json_dumps(request, 0);
    json_decref(request);
    host->serve(host->module, text ? text : "", text ? strlen(text) : 0, &response);
    json_t *answer = response ? json_loads(response, 0, NULL) : NULL;
    json_t *page = json_loads(json_is_string(json_object_get(answer, "body"))
                                  ? json_string_value(json_object_get(answer, "body"))
                                  : "",
                              0, NULL);
    json_t *summary = json_incref(json_object_get(page, "summary"));
    json_decref(page);
    json_decref(answer);
    host->free(response);
    free(text);
    return summary;
}

static int usage(void) {
    fputs("usage: replay [--module FILE] [--options FILE | --database URL [--store ID]]\n"
          "              [--batch N] [--shuffle SEED] FOLDER\n"
          "FOLDER holds orders.csv, customers.csv, order_items.csv, order_payments.csv,\n"
          "order_reviews.csv, products.csv, or Olist's own names of them.\n",
          stderr);
    return -1;
}

static int read_number(const char *text, uint64_t most, uint64_t *number) {
    char *end = NULL;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && *number <= most ? 0 : -1;
}

static int read_arguments(int count, char **word, struct wish *wish) {
    uint64_t number = 0;
    for (int i = 1; i < count; i++) {
        bool more = i + 1 < count;
        if (more && strcmp(word[i], "--module") == 0)
            wish->module = word[++i];
        else if (more && strcmp(word[i], "--options") == 0)
            wish->options = word[++i];
        else if (more && strcmp(word[i], "--database") == 0)
            wish->database = word[++i];
        else if (more && strcmp(word[i], "--store") == 0)
            wish->store = word[++i];
        else if (more && strcmp(word[i], "--batch") == 0) {
            if (read_number(word[++i], BATCH_MOST, &number) != 0 || number == 0)
                return usage();
            wish->batch = (size_t)number;
        } else if (more && strcmp(word[i], "--shuffle") == 0) {
            if (read_number(word[++i], UINT64_MAX, &wish->seed) != 0)
                return usage();
            wish->shuffled = true;
        } else if (word[i][0] == '-' || wish->folder)
            return usage();
        else
            wish->folder = word[i];
    }
    return wish->folder ? 0 : usage();
}

int main(int count, char **word) {
    struct wish wish = {.module = "build/vouch.so", .batch = 500};
    struct host host = {0};
    struct tally tally = {0};
    struct olist *olist = NULL;
    char why[4200];
    int code = 1;
    if (read_arguments(count, word, &wish) != 0)
        return 2;
    olist = olist_read(wish.folder, why, sizeof why);
    if (!olist) {
        complain(wish.folder, why);
        goto out;
    }
    if (wish.shuffled) {
        size_t moments;
        struct moment *moment = olist_moments(olist, &moments);
        shuffle(moment, moments, wish.seed);
    }
    if (load(&host, wish.module) != 0 || open_module(&host, &wish) != 0)
        goto out;
    if (replay(&host, olist, &tally, wish.batch) == 0) {
        tally_print(&tally, olist, summary_of, &host);
        code = tally.refused || tally.unreadable ? 1 : 0;
    }
out:
    if (host.module)
        host.close(host.module);
    tally_free(&tally);
    olist_free(olist);
    return code;
}
