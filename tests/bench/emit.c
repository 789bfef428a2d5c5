/* SPDX-License-Identifier: MIT */
/* Measures vouch_emit as a host calls it: loads vouch.so, lets CALLERS threads emit for
 * SECONDS, and prints one line of JSON: events a second and the callers' waits. */
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vouch.h"

enum { WAITS_MOST = 4000000, EVENT_MOST = 4096 };

static int (*open_)(const char *, vouch **, char **);
static int (*emit_)(vouch *, const char *, size_t, char **);
static int (*close_)(vouch *);
static void (*free_)(char *);

struct plan {
    vouch *module;
    const char *kind; /* placed, delivered, both */
    int array;        /* events in one call, 1: no array */
    double seconds;
    long run; /* makes ids of one run differ from those of others */
    atomic_long orders, waits, failed;
    float *ms;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* About 870 bytes, two lines, as a shop sends it. */
static int placed(char *out, size_t size, long run, long n) {
    long buyer = n * 7919 % 30011; /* who buys again does so later, not at the same instant */

    return snprintf(
        out, size,
        "{\"specversion\":\"1.0\",\"id\":\"placed:%ld-%ld\",\"source\":\"/shop\",\"type\":"
        "\"order.placed\",\"time\":\"2026-11-01T10:00:00Z\",\"data\":{\"order\":{\"id\":"
        "\"%ld-%ld\",\"placed_at\":\"2026-11-01T10:00:00Z\",\"currency\":\"EUR\",\"total\":"
        "\"39.80\",\"locale\":\"lv-LV\",\"country\":\"LV\",\"timezone\":\"Europe/Riga\","
        "\"marketing_consent\":true,\"customer\":{\"id\":\"c-%ld-%ld\",\"email\":"
        "\"buyer-%ld-%ld@example.test\",\"name\":\"Anna Berzina\",\"groups\":[\"b2c\"]},"
        "\"items\":[{\"id\":\"1\",\"product_id\":\"p-%ld\",\"name\":\"Tejkanna ar "
        "siltumizturigu rokturi\",\"url\":\"https://shop.test/products/p-%ld\",\"groups\":"
        "[\"kitchen\"],\"quantity\":1,\"unit_price\":\"19.90\",\"promised_at\":"
        "\"2026-11-03T18:00:00Z\"},{\"id\":\"2\",\"product_id\":\"p-%ld\",\"name\":\"Kruze "
        "balta, 0,3 l\",\"url\":\"https://shop.test/products/p-%ld\",\"groups\":"
        "[\"kitchen\"],\"quantity\":1,\"unit_price\":\"19.90\",\"promised_at\":"
        "\"2026-11-03T18:00:00Z\"}]}}}",
        run, n, run, n, run, buyer, run, buyer, n % 1000, n % 1000, n % 777, n % 777);
}

static int delivered(char *out, size_t size, long run, long n) {
    return snprintf(out, size,
                    "{\"specversion\":\"1.0\",\"id\":\"delivered:%ld-%ld\",\"source\":"
                    "\"/shop\",\"type\":\"order.delivered\",\"time\":"
                    "\"2026-11-04T12:00:00Z\",\"data\":{\"order\":{\"id\":\"%ld-%ld\","
                    "\"delivered_at\":\"2026-11-04T12:00:00Z\"}}}",
                    run, n, run, n);
}

static size_t one(const struct plan *plan, char *out, long n) {
    int length;

    if (strcmp(plan->kind, "both") == 0) {
        length = n % 2 ? delivered(out, EVENT_MOST, plan->run, n / 2)
                       : placed(out, EVENT_MOST, plan->run, n / 2);
    } else {
        length = placed(out, EVENT_MOST, plan->run, n);
    }
    return (size_t)length;
}

static size_t call(struct plan *plan, char *out) {
    long first = atomic_fetch_add(&plan->orders, plan->array);
    size_t length = 0;

    if (plan->array == 1) {
        return one(plan, out, first);
    }
    out[length++] = '[';
    for (int i = 0; i < plan->array; i++) {
        if (i) {
            out[length++] = ',';
        }
        length += one(plan, out + length, first + i);
    }
    out[length++] = ']';
    return length;
}

static void *caller(void *self) {
    struct plan *plan = self;
    char *text = malloc((size_t)plan->array * EVENT_MOST + 2);
    double until = now() + plan->seconds;

    while (text && now() < until) {
        char *reply = NULL;
        size_t length = call(plan, text);
        double begun = now();
        int code = emit_(plan->module, text, length, &reply);
        long place = atomic_fetch_add(&plan->waits, 1);
        if (place < WAITS_MOST) {
            plan->ms[place] = (float)((now() - begun) * 1000);
        }
        if (code != VOUCH_OK) {
            atomic_fetch_add(&plan->failed, 1);
            if (atomic_load(&plan->failed) == 1) {
                fprintf(stderr, "vouch_emit: %d %s\n", code, reply ? reply : "");
            }
        }
        free_(reply);
    }
    free(text);
    return NULL;
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static long resident_kib(void) {
    long pages = 0, ignored = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file) {
        if (fscanf(file, "%ld %ld", &ignored, &pages) != 2) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void report(struct plan *plan, double took) {
    long n = atomic_load(&plan->waits);
    long kept = n < WAITS_MOST ? n : WAITS_MOST;

    qsort(plan->ms, (size_t)kept, sizeof *plan->ms, by_size);
    printf("{\"events_per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"calls\":%ld,"
           "\"failed\":%ld,\"resident_kib\":%ld}\n",
           (double)n * plan->array / took, (double)plan->ms[kept / 2],
           (double)plan->ms[kept * 99 / 100], n, atomic_load(&plan->failed),
           resident_kib());
}

static int load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&open_ = dlsym(library, "vouch_open");
    *(void **)&emit_ = dlsym(library, "vouch_emit");
    *(void **)&close_ = dlsym(library, "vouch_close");
    *(void **)&free_ = dlsym(library, "vouch_free");
    return !open_ || !emit_ || !close_ || !free_;
}

static void measure(struct plan *plan, int callers) {
    pthread_t threads[256];
    double begun = now();

    for (int i = 0; i < callers; i++) {
        pthread_create(&threads[i], NULL, caller, plan);
    }
    for (int i = 0; i < callers; i++) {
        pthread_join(threads[i], NULL);
    }
    report(plan, now() - begun);
}

int main(int argc, char **argv) {
    struct plan plan = {.run = (long)time(NULL) * 1000 + getpid() % 1000};
    char *reply = NULL;

    if (argc != 7 || load(argv[1])) {
        fprintf(stderr, "usage: emit VOUCH.SO OPTIONS placed|both CALLERS ARRAY SECONDS\n");
        return 2;
    }
    int callers = atoi(argv[4]);
    plan.kind = argv[3];
    plan.array = atoi(argv[5]);
    plan.seconds = atof(argv[6]);
    plan.ms = malloc(WAITS_MOST * sizeof *plan.ms);
    if (callers < 1 || callers > 256 || plan.array < 1 || plan.array > 10000 || !plan.ms) {
        return 2;
    }
    if (open_(argv[2], &plan.module, &reply) != VOUCH_OK) {
        fprintf(stderr, "vouch_open: %s\n", reply ? reply : "");
        return 1;
    }
    measure(&plan, callers);
    close_(plan.module);
    free(plan.ms);
    return atomic_load(&plan.failed) ? 1 : 0;
}
