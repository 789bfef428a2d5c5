/* SPDX-License-Identifier: MIT */
/* What pages cost beside the bare read of one row by its key, on one libpq connection, call by call in turn:
 * pages VOUCH.SO OWNER URL REVIEWS PRODUCTS CALLS. Prints one line of JSON: medians in microseconds. */
#include <dlfcn.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vouch.h"

enum { SHAPES = 8, CALLS_MOST = 100000, WARM = 200 };

static const char *const shapes[SHAPES] = {
    "key",        "product_first", "product_deep", "product_stars",
    "queue_deep", "served",        "console_deep", "key_revision"};
static double spent[SHAPES][CALLS_MOST];

struct bed {
    PGconn *pg;
    vouch *module;
    long reviews, products;
};

static int (*open_)(const char *, vouch **, char **);
static int (*serve_)(vouch *, const char *, size_t, char **);
static void (*free_)(char *);

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static uint64_t seed = 88172645463325252u;

static double chance(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* As products sell: the cube of a chance. */
static long product(const struct bed *bed) {
    double u = chance();
    return 1 + (long)((double)bed->products * u * u * u);
}

static void ask(struct bed *bed, const char *sql, int n, const char *const values[]) {
    PGresult *r = PQexecParams(bed->pg, sql, n, NULL, values, NULL, NULL, 0);

    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(bed->pg));
        exit(1);
    }
    PQclear(r);
}

static void served(struct bed *bed, long which) {
    char request[256], *response = NULL;
    int n = snprintf(request, sizeof request,
                     "{\"method\":\"GET\",\"target\":\"/products/p%ld/"
                     "reviews\",\"headers\":{},\"body\":\"\","
                     "\"client_address\":\"192.0.2.1\",\"operator\":null}",
                     which);

    if (serve_(bed->module, request, (size_t)n, &response) != 0 ||
        !strstr(response, "\"status\":200")) {
        fprintf(stderr, "not served: %s\n", response ? response : "");
        exit(1);
    }
    free_(response);
}

static void call(struct bed *bed, int shape) {
    char id[32], name[32], at[64];
    long which = product(bed), row = 1 + (long)(chance() * (double)bed->reviews);

    snprintf(id, sizeof id, "%ld", row);
    snprintf(name, sizeof name, "p%ld", which);
    /* Reviews of a product lie a second apart over the bed's time: a deep page is anywhere in it. */
    snprintf(at, sizeof at, "%ld", (long)(chance() * (double)bed->reviews));
    if (shape == 0) {
        ask(bed, "SELECT * FROM vouch.review WHERE store_id = $1 AND review_id = $2", 2,
            (const char *[]){"main", id});
    } else if (shape == 1) {
        ask(bed, "SELECT vouch.storefront_reviews($1, $2, NULL, NULL, 20)", 2,
            (const char *[]){"main", name});
    } else if (shape == 2) {
        ask(bed,
            "SELECT vouch.storefront_reviews($1, $2, '2020-01-01Z'::timestamptz + "
            "$3::text::bigint * interval '1 s', 1, 20)",
            3, (const char *[]){"main", name, at});
    } else if (shape == 3) {
        ask(bed, "SELECT vouch.storefront_reviews($1, $2, NULL, NULL, 20, '{1}')", 2,
            (const char *[]){"main", name});
    } else if (shape == 4) {
        ask(bed,
            "SELECT vouch.queue_view($1, '2020-01-01Z'::timestamptz + $2::text::bigint * "
            "interval '1 s', 1, 20)",
            2, (const char *[]){"main", at});
    } else if (shape == 5) {
        served(bed, which);
    } else if (shape == 6) {
        ask(bed,
            "SELECT vouch.console_queue($1, 'Zane', 'manager', "
            "jsonb_build_object('after', vouch.console_cursor('2020-01-01Z'::timestamptz"
            " + $2::text::bigint * interval '1 s', 1)))",
            2, (const char *[]){"main", at});
    } else {
        ask(bed,
            "SELECT * FROM vouch.review_revision WHERE store_id = $1 AND review_id = $2 "
            "AND revision = 1",
            2, (const char *[]){"main", id});
    }
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    struct bed bed = {0};
    char options[512], *reply = NULL;
    void *so = argc == 7 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    long calls = argc == 7 ? atol(argv[6]) : 0;

    if (!so || calls < 1 || calls > CALLS_MOST) {
        fprintf(stderr, "pages VOUCH.SO OWNER URL REVIEWS PRODUCTS CALLS\n");
        return 2;
    }
    *(void **)&open_ = dlsym(so, "vouch_open");
    *(void **)&serve_ = dlsym(so, "vouch_serve");
    *(void **)&free_ = dlsym(so, "vouch_free");
    bed.pg = PQconnectdb(argv[2]);
    bed.reviews = atol(argv[4]);
    bed.products = atol(argv[5]);
    snprintf(options, sizeof options, "{\"database\":\"%s\"}", argv[3]);
    if (PQstatus(bed.pg) != CONNECTION_OK || open_(options, &bed.module, &reply) != 0) {
        fprintf(stderr, "%s %s\n", PQerrorMessage(bed.pg), reply ? reply : "");
        return 1;
    }
    for (long i = -WARM; i < calls; i++) {
        for (int shape = 0; shape < SHAPES; shape++) {
            double began = now_us();
            call(&bed, shape);
            if (i >= 0) {
                spent[shape][i] = now_us() - began;
            }
        }
    }
    for (int shape = 0; shape < SHAPES; shape++) {
        qsort(spent[shape], (size_t)calls, sizeof(double), rising);
        printf("%s\"%s\": %.1f", shape ? ", " : "{", shapes[shape],
               spent[shape][calls / 2]);
    }
    printf("}\n");
    PQfinish(bed.pg);
    return 0;
}
