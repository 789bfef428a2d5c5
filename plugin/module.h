/* SPDX-License-Identifier: MIT */
/* The instance behind a handle: everything one vouch_open made, shared by all who opened
 * with the same options in this process. */
#ifndef VOUCH_MODULE_H
#define VOUCH_MODULE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "intake.h"
#include "intake_spool.h"
#include "io/spool.h"
#include "options.h"
#include "store.h"

enum {
    MODULE_CONNECTIONS = 8,   /* of one process at most: 2 leaders, workers, pages */
    MODULE_OPEN_US = 2500000, /* what vouch_open waits for PostgreSQL */
    MODULE_WARM = 8,          /* stores whose lexicon vouch_open compiles */
    MODULE_WORKERS_MOST = 64
};

struct vouch;
struct worker;

/* One store of this module, with its way in. */
struct shop {
    struct store store;
    struct intake *intake;
};

/* What the floor above hands down: events come back from the spool through the same door. */
struct module_doors {
    /* 0: applied. ERROR_UNAVAILABLE: later. Else it can never be applied. */
    int (*replay)(struct vouch *module, struct shop *shop, const char *event,
                  size_t length, int64_t deadline_us, struct error *error);
};

struct vouch {
    pid_t pid;
    int opened; /* under the register's lock */
    struct vouch *next;
    const struct module_doors *doors;
    struct options *options;
    struct log *log;
    struct db_pool *pool;
    struct spool *spool; /* NULL: none */
    struct spooler *spooler;
    atomic_bool ready; /* schema seen, keys known, stores known */

    pthread_mutex_t lock; /* shops (only added to), keys, workers */
    pthread_cond_t changed;
    struct keyring *own;        /* of the options, or kept in the database */
    struct keyring *carried;    /* own, with what an earlier key left; NULL: nothing */
    const struct keyring *keys; /* one of these once ready; until then NULL */
    struct shop **shops;
    size_t shop_count;
    struct worker *idle; /* workers nobody runs, the longest idle first */
    int workers;         /* idle or not */
    bool draining;       /* one of them moves the spool */
    int steps;           /* being taken, by own threads or callers */
    pthread_t crew[MODULE_WORKERS_MOST];
    int crewed;        /* threads to be joined */
    int threads;       /* of them, those still running */
    bool stopping;     /* no step begins */
    unsigned stops;    /* how often vouch_stop was called */
    int64_t looked_us; /* for stores, with "*" */
};

/* Finds or makes the instance; module_close undoes one of these. */
int module_open(const char *options, const struct module_doors *doors,
                struct vouch **module, struct error *error);
/* ERROR_MISUSE while threads run. */
int module_close(struct vouch *module, struct error *error);
/* 0, or ERROR_FORKED, ERROR_MISUSE (NULL). First in every call; touches nothing else. */
int module_here(const struct vouch *module, struct error *error);

/* Makes sure that schema, keys and stores are known. Cheap once that is so.
 * ERROR_UNAVAILABLE while PostgreSQL is away; ERROR_INVALID when what it holds does not
 * fit (schema, key, store). */
int module_ready(struct vouch *module, int64_t deadline_us, struct error *error);
/* The schema this module was made for: the highest number of sql/schema, which may have
 * gaps. */
int64_t ready_number(void);
/* With "*": takes in stores made since, unless that was done within the last every_us. */
int module_look(struct vouch *module, int64_t every_us, int64_t deadline_us,
                struct error *error);
/* The shop of a name, the first for NULL; NULL when this module does not serve it. */
struct shop *module_shop(struct vouch *module, const char *name);
/* Adds a shop unless it is there. */
int module_shop_add(struct vouch *module, const char *name, struct error *error);
/* The i-th shop, NULL behind the last. */
struct shop *module_shop_at(struct vouch *module, size_t i);
/* For vouch_describe; a new reference. */
json_t *module_describe(struct vouch *module);

#endif
