/* SPDX-License-Identifier: MIT */
/* A host that emits until a given number of events, in arrays, alone, and from several
 * threads, and prints what the module added to its resident memory: "open KIB, half KIB,
 * end KIB, peak KIB". Arguments: vouch.so, options, events. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loaded.h"

enum { ARRAY = 100, THREADS = 4, EVENT_ROOM = 700 };

static vouch *module;
static atomic_long next_number, faults;
static long last;

static long resident(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long all = 0, pages = 0;

    if (!file || fscanf(file, "%ld %ld", &all, &pages) != 2) {
        exit(2);
    }
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Orders, what follows them, and now and then a review. */
static size_t event(char *out, long n) {
    static const char *const kinds[] = {"paid", "shipped", "cancelled"};
    int length;

    if (n % 4 == 0) {
        length = snprintf(
            out, EVENT_ROOM,
            "{\"specversion\":\"1.0\",\"id\":\"m-%ld\",\"source\":\"/memory\","
            "\"type\":\"order.placed\",\"data\":{\"order\":{\"id\":\"m-%ld\","
            "\"placed_at\":\"2026-11-01T10:00:00Z\",\"customer\":{\"id\":\"c-%ld\","
            "\"email\":\"a%ld@example.test\"},\"items\":[{\"id\":\"1\","
            "\"product_id\":\"kettle\",\"groups\":[\"a\",\"b\"]}]}}}",
            n, n, n % 1000, n % 1000);
    } else if (n % 1000 == 1) {
        length = snprintf(
            out, EVENT_ROOM,
            "{\"specversion\":\"1.0\",\"id\":\"m-%ld\",\"source\":\"/memory\","
            "\"type\":\"review.submitted\",\"data\":{\"review\":{\"id\":\"m-%ld\","
            "\"product_id\":\"p-%ld\",\"rating\":4,\"body\":\"Boils water.\","
            "\"author\":{\"name\":\"Eve\"}}}}",
            n, n, n % 50);
    } else {
        length =
            snprintf(out, EVENT_ROOM,
                     "{\"specversion\":\"1.0\",\"id\":\"m-%ld\",\"source\":\"/memory\","
                     "\"type\":\"order.%s\",\"data\":{\"order\":{\"id\":\"m-%ld\",\"at\":"
                     "\"2026-11-02T10:00:00Z\"}}}",
                     n, kinds[n % 3], n / 4 * 4);
    }
    return (size_t)length;
}

static void emit(const char *text, size_t length) {
    char *reply = NULL;
    int code = v.emit(module, text, length, &reply);

    if (code) {
        fprintf(stderr, "%d %s\n", code, reply ? reply : "");
        atomic_fetch_add(&faults, 1);
    }
    v.free(reply);
}

static void *caller(void *unused) {
    char *text = malloc(ARRAY * (EVENT_ROOM + 1) + 2);

    (void)unused;
    for (long n; text && (n = atomic_fetch_add(&next_number, ARRAY)) < last;) {
        size_t length = 0;
        bool alone = n / ARRAY % 50 == 0;
        for (long i = 0; i < ARRAY; i++) {
            size_t m = event(text + length + !alone, n + i);
            if (alone) {
                emit(text, m);
            } else {
                text[length] = i ? ',' : '[';
                length += m + 1;
            }
        }
        if (!alone) {
            text[length] = ']';
            emit(text, length + 1);
        }
    }
    free(text);
    return NULL;
}

static void until(long events) {
    pthread_t threads[THREADS];

    last = events;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, caller, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    atomic_store(&next_number, events);
}

int main(int count, char **words) {
    long events = count == 4 ? strtol(words[3], NULL, 10) : 0;
    struct rusage usage;

    if (events < 2 * ARRAY) {
        fprintf(stderr, "memory_host VOUCH.SO OPTIONS EVENTS\n");
        return 2;
    }
    long before = resident();
    loaded(words[1]);
    if (v.open(words[2], &module, NULL) || v.start(module, 2, NULL)) {
        return 2;
    }
    long opened = resident() - before;
    until(events / 2 / ARRAY * ARRAY);
    long half = resident() - before;
    until(events / ARRAY * ARRAY);
    long end = resident() - before;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %ld %ld %ld\n", opened, half, end, usage.ru_maxrss - before);
    return v.stop(module, 20000, NULL) || v.close(module) || atomic_load(&faults) ? 1 : 0;
}
