/* SPDX-License-Identifier: MIT */
/* The shop: opens everything in order, waits for a signal, closes everything in
 * reverse. */
#include "asset.h"
#include "catcher.h"
#include "event.h"
#include "http.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOUCH_THREADS = 2, STOP_MS = 10000, OPTIONS_MOST = 64 * 1024 };

static const char usage[] =
    "usage: store --module vouch.so --options FILE --database URL --port N\n"
    "             --smtp-port N --mails FOLDER\n"
    "  --options    the JSON of vouch_open, in a file\n"
    "  --database   of the shop's own tables, postgresql://...\n"
    "  --port       of the shop on 127.0.0.1;  --smtp-port  of the mail catcher there\n";

struct arguments {
    const char *module;
    const char *options;
    const char *database;
    const char *port;
    const char *smtp_port;
    const char *mails;
};

static int arguments_read(int count, char **words, struct arguments *arguments) {
    static const struct {
        const char *name;
        size_t offset;
    } known[] = {
        {"--module", offsetof(struct arguments, module)},
        {"--options", offsetof(struct arguments, options)},
        {"--database", offsetof(struct arguments, database)},
        {"--port", offsetof(struct arguments, port)},
        {"--smtp-port", offsetof(struct arguments, smtp_port)},
        {"--mails", offsetof(struct arguments, mails)},
    };
    enum { KNOWN = sizeof known / sizeof known[0] };
    size_t found = 0;
    for (int i = 1; i + 1 < count; i += 2)
        for (size_t k = 0; k < KNOWN; k++)
            if (strcmp(words[i], known[k].name) == 0) {
                memcpy((char *)arguments + known[k].offset, &words[i + 1],
                       sizeof(char *));
                found++;
            }
    return found == KNOWN && count == 2 * (int)KNOWN + 1 ? 0 : -1;
}

static int port_read(const char *words) {
    char *end = NULL;
    long port = strtol(words, &end, 10);
    return *words != '\0' && *end == '\0' && port > 0 && port < 65536 ? (int)port : -1;
}

/* The file's text, the caller's. */
static char *options_read(const char *path) {
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? calloc(1, OPTIONS_MOST) : NULL;
    size_t length = text != NULL ? fread(text, 1, OPTIONS_MOST - 1, file) : 0;
    if (file != NULL)
        (void)fclose(file);
    if (length > 0)
        return text;
    free(text);
    return NULL;
}

static int fail(const char *what, const char *why) {
    (void)fprintf(stderr, "store: %s: %s\n", what,
                  why != NULL ? why : "(no reason given)");
    return -1;
}

/* Loads the module and opens it. Background work starts in main, when nothing forks. */
static int store_open_vouch(struct store *store, const struct arguments *arguments) {
    char why[512];
    if (loader_open(arguments->module, &store->vouch, why, sizeof why) != 0)
        return fail("vouch.so", why);
    char *options = options_read(arguments->options);
    if (options == NULL)
        return fail(arguments->options, "cannot be read");
    char *reply = NULL;
    int code = store->vouch.open(options, &store->module, &reply);
    free(options);
    if (code != VOUCH_OK)
        (void)fail("vouch_open", reply);
    store->vouch.free(reply);
    return code == VOUCH_OK ? 0 : -1;
}

static int store_open_tables(struct store *store, const char *url) {
    char why[512];
    if (db_open(url, &store->db, why, sizeof why) != 0 ||
        db_script(store->db, asset_shop_sql, why, sizeof why) != 0 ||
        db_script(store->db, asset_event_sql, why, sizeof why) != 0)
        return fail("database", why);
    return 0;
}

static int store_start_vouch(struct store *store) {
    char *reply = NULL;
    int code = store->vouch.start(store->module, VOUCH_THREADS, &reply);
    if (code != VOUCH_OK)
        (void)fail("vouch_start", reply);
    store->vouch.free(reply);
    return code == VOUCH_OK ? 0 : -1;
}

/* In flight mails end before the catcher does; what did not end in time is Vouch's to
 * find again at the next start, and its handle is then left alone. */
static void store_close_vouch(struct store *store, struct catcher *catcher) {
    int stopped = VOUCH_OK;
    if (store->module != NULL)
        stopped = store->vouch.stop(store->module, STOP_MS, NULL);
    catcher_stop(catcher);
    if (store->module != NULL && stopped == VOUCH_OK)
        (void)store->vouch.close(store->module);
    if (stopped == VOUCH_OK)
        loader_close(&store->vouch);
}

int main(int count, char **words) {
    struct store store = {0};
    struct arguments arguments = {0};
    struct catcher *catcher = NULL;
    struct event_thread *events = NULL;
    struct http *http = NULL;
    int result = EXIT_FAILURE;
    int got = 0;
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* every thread inherits it */
    (void)sigdelset(&signals, SIGPIPE);
    if (arguments_read(count, words, &arguments) != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    int port = port_read(arguments.port);
    int smtp_port = port_read(arguments.smtp_port);
    store.folder = arguments.mails;
    (void)snprintf(store.url, sizeof store.url, "http://127.0.0.1:%d", port);
    if (port < 0 || smtp_port < 0) {
        (void)fail("ports", "1 to 65535");
        goto out;
    }
    if (store_open_tables(&store, arguments.database) != 0 ||
        store_open_vouch(&store, &arguments) != 0)
        goto out;
    if (catcher_start(&store, smtp_port, &catcher) != 0) {
        (void)fail("mail catcher", "cannot listen");
        goto out;
    }
    if (store_start_vouch(&store) != 0 || event_start(&store, &events) != 0)
        goto out;
    if (http_start(&store, port, &http) != 0) {
        (void)fail("web server", "cannot listen");
        goto out;
    }
    (void)fprintf(stderr, "store: open at %s\n", store.url);
    (void)sigwait(&signals, &got);
    result = EXIT_SUCCESS;
out:
    http_stop(http);
    event_stop(events);
    store_close_vouch(&store, catcher);
    db_close(store.db);
    return result;
}
