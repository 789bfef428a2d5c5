/* SPDX-License-Identifier: MIT */
/* What vouch.ingest alone costs: ingest URL [SECONDS]. Events go straight into binary arrays and
 * through io/db, without JSON, spool or coalescing, so this is the floor under vouch_emit. Prints
 * one line a shape: connections, events a call, events/s, microseconds a call and an event. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "io/db.h"

enum { COLUMNS = 39, EVENTS = 0, ORDERS = 6, LINES = 23, FACTS = 33 };

static const char *const sql =
    "SELECT vouch.ingest($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,"
    "$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34,$35,$36,$37,$38,"
    "$39,$40)";
static const char kinds[COLUMNS + 1] = "ssstjs"
                                       "istsTbbsssssszsss"
                                       "isssssssst"
                                       "isssts";
static int64_t begun_us;
static long next_order;

struct shape {
    const char *name;
    int connections, batch;
    bool delivered;
};

struct lane {
    pthread_t thread;
    struct db_pool *pool;
    const struct shape *shape;
    int64_t until_us;
    long calls, failed;
    long first; /* delivered: the orders of this lane */
    long count;
    double cpu; /* seconds of the server's process, 0 when it is not on this machine */
};

static void columns_open(struct db_array *c) {
    for (int i = 0; i < COLUMNS; i++) {
        const char k = kinds[i];
        db_array_open(&c[i], k == 's'               ? DB_TEXT
                             : k == 't' || k == 'T' ? DB_TIME
                             : k == 'j'             ? DB_JSON
                             : k == 'i'             ? DB_INT
                             : k == 'b'             ? DB_BYTES
                                                    : DB_BOOL);
    }
}

static void event_add(struct db_array *c, const char *id, const char *type) {
    db_array_text(&c[0], "/shop");
    db_array_text(&c[1], id);
    db_array_text(&c[2], type);
    db_array_time(&c[3], begun_us);
    db_array_null(&c[4]);
    db_array_null(&c[5]);
}

static void line_add(struct db_array *c, int64_t n, const char *order, int line) {
    char text[32];
    db_array_int(&c[LINES], n);
    db_array_text(&c[LINES + 1], order);
    snprintf(text, sizeof text, "%d", line);
    db_array_text(&c[LINES + 2], text);
    snprintf(text, sizeof text, "p-%ld", (long)(begun_us % 977 + line));
    db_array_text(&c[LINES + 3], text);
    db_array_text(&c[LINES + 4], "A kettle of stainless steel");
    db_array_text(&c[LINES + 5], "https://shop.example.test/products/kettle");
    db_array_text(&c[LINES + 6], "{kitchen}");
    db_array_text(&c[LINES + 7], "1");
    db_array_text(&c[LINES + 8], "19.90");
    db_array_null(&c[LINES + 9]);
}

static void placed_add(struct db_array *c, int64_t n, long number) {
    char order[32], id[40], email[64], rank[64];
    uint8_t key[32];
    struct db_array *o = c + ORDERS;

    snprintf(order, sizeof order, "o-%012lx", (unsigned long)number * 2654435761u % 281474976710656u);
    snprintf(id, sizeof id, "p-%s", order);
    snprintf(email, sizeof email, "buyer%ld@example.test", number);
    snprintf(rank, sizeof rank, "/shop|%s", id);
    crypto_sha256(email, strlen(email), key);
    event_add(c, id, "order.placed");
    db_array_int(&o[0], n);
    db_array_text(&o[1], rank);
    db_array_time(&o[2], begun_us);
    db_array_text(&o[3], order);
    db_array_time(&o[4], begun_us);
    db_array_bytes(&o[5], key, 32);
    key[0] ^= 1;
    db_array_bytes(&o[6], key, 32);
    snprintf(id, sizeof id, "c-%ld", number);
    db_array_text(&o[7], id);
    db_array_text(&o[8], email);
    db_array_text(&o[9], "Anna Example");
    db_array_text(&o[10], "lv-LV");
    db_array_text(&o[11], "LV");
    db_array_text(&o[12], "Europe/Riga");
    db_array_bool(&o[13], true);
    db_array_text(&o[14], "EUR");
    db_array_text(&o[15], "39.80");
    db_array_text(&o[16], "{b2c}");
    line_add(c, n, order, 1);
    line_add(c, n, order, 2);
}

static void delivered_add(struct db_array *c, int64_t n, long number) {
    char order[32], id[40];
    snprintf(order, sizeof order, "o-%012lx", (unsigned long)number * 2654435761u % 281474976710656u);
    snprintf(id, sizeof id, "d-%s", order);
    event_add(c, id, "order.delivered");
    db_array_int(&c[FACTS], n);
    db_array_text(&c[FACTS + 1], order);
    db_array_null(&c[FACTS + 2]);
    db_array_text(&c[FACTS + 3], "delivered");
    db_array_time(&c[FACTS + 4], begun_us + 1000000);
    db_array_null(&c[FACTS + 5]);
}

static void call(struct db *db, struct lane *lane) {
    struct db_array c[COLUMNS];
    struct db_params p;
    struct error why = {0};

    columns_open(c);
    for (int i = 0; i < lane->shape->batch; i++) {
        if (lane->shape->delivered) {
            delivered_add(c, i + 1, lane->first + lane->count++);
        } else {
            placed_add(c, i + 1, __atomic_fetch_add(&next_order, 1, __ATOMIC_RELAXED));
        }
    }
    db_params_open(&p);
    db_add_text(&p, "main");
    for (int i = 0; i < COLUMNS; i++) {
        db_add_array(&p, &c[i]);
    }
    lane->calls++;
    if (db_call(db, sql, &p, clock_now_us() + 30000000, NULL, NULL, &why)) {
        if (!lane->failed++) {
            fprintf(stderr, "%s\n", why.detail);
        }
    }
    db_params_free(&p);
}

/* Processor time of the backend: steadier than any rate on a busy machine. */
static double backend_cpu(struct db *db) {
    struct db_result *r = NULL;
    char path[64], stat[512] = "";
    long user = 0, system = 0;

    db_call(db, "SELECT pg_backend_pid()", NULL, clock_now_us() + 1000000, &r, NULL, NULL);
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)db_int(r, 0, 0));
    db_result_free(r);
    FILE *f = fopen(path, "r");
    if (f) {
        const char *at = fgets(stat, sizeof stat, f) ? strrchr(stat, ')') : NULL;
        if (at) {
            sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system);
        }
        fclose(f);
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void *run(void *given) {
    struct lane *lane = given;
    struct db *db = NULL;

    if (!db_acquire(lane->pool, clock_now_us() + 5000000, &db, NULL)) {
        lane->cpu = -backend_cpu(db);
        while (clock_now_us() < lane->until_us) {
            call(db, lane);
        }
        lane->cpu += backend_cpu(db);
    }
    db_release(db);
    return NULL;
}

static void measure(struct db_pool *pool, const struct shape *shape, double seconds) {
    struct lane lanes[64] = {0};
    const int64_t from = clock_now_us();
    static long delivered_from;
    static bool counting;
    long calls = 0, failed = 0;
    double cpu = 0;

    if (!counting) {
        delivered_from = next_order;
        counting = true;
    }
    for (int i = 0; i < shape->connections; i++) {
        lanes[i] = (struct lane){.pool = pool, .shape = shape, .until_us = from + (int64_t)(seconds * 1e6),
                                 .first = delivered_from + i * 400000L};
        pthread_create(&lanes[i].thread, NULL, run, &lanes[i]);
    }
    for (int i = 0; i < shape->connections; i++) {
        pthread_join(lanes[i].thread, NULL);
        calls += lanes[i].calls;
        failed += lanes[i].failed;
        cpu += lanes[i].cpu;
    }
    if (shape->delivered) {
        delivered_from += lanes[0].count;
    }
    const double took = (double)(clock_now_us() - from) / 1e6;
    printf("%-28s %3d x %4d  %9.0f events/s  %8.0f us a call  %6.1f us an event, %6.1f of the server's processor%s\n", shape->name,
           shape->connections, shape->batch, (double)calls * shape->batch / took,
           took * 1e6 * shape->connections / (double)calls,
           took * 1e6 / ((double)calls * shape->batch),
           cpu * 1e6 / ((double)calls * shape->batch), failed ? "  FAILED" : "");
}

int main(int argc, char **argv) {
    static const struct shape shapes[] = {
        {"order.placed", 1, 1, false},      {"order.delivered", 1, 1, true},
        {"order.placed", 2, 32, false},     {"order.delivered", 2, 32, true},
        {"order.placed", 1, 1000, false},   {"order.placed", 2, 1000, false},
        {"order.delivered", 1, 1000, true},
    };
    struct error why = {0};
    struct db_pool *pool = NULL;

    begun_us = clock_wall_us();
    next_order = begun_us / 1000 % 1000000000 * 1000; /* not the orders of another run */
    if (argc < 2 || db_pool_open(argv[1], 8, &pool, &why) || db_pool_resolve(pool, &why)) {
        fprintf(stderr, "usage: ingest URL [SECONDS]: %s\n", why.detail);
        return 1;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        measure(pool, &shapes[i], argc > 2 ? strtod(argv[2], NULL) : 2);
    }
    db_pool_close(pool);
    return 0;
}
