/* SPDX-License-Identifier: MIT */
/* tsan */
/* The pool and its calls against a real PostgreSQL (VOUCH_TEST_DATABASE), behind a proxy
 * that swallows, cuts and refuses, and behind PgBouncer where that is installed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "io/db.h"

static const char *url;
#define NEEDS_SERVER()                                                                   \
    if (!url) {                                                                          \
        skip();                                                                          \
    }

static int64_t in_ms(int ms) {
    return clock_now_us() + ms * INT64_C(1000);
}

static void expect_code(int code, int wanted, const struct error *error) {
    if (code != wanted) {
        print_message("# code %d, wanted %d: %s\n", code, wanted, error->detail);
    }
    assert_int_equal(code, wanted);
}

static struct db_pool *open_pool(const char *conninfo, int most) {
    struct error error = {0};
    struct db_pool *pool = NULL;
    expect_code(db_pool_open(conninfo, most, &pool, &error), 0, &error);
    expect_code(db_pool_resolve(pool, &error), 0, &error);
    return pool;
}

static struct db *take(struct db_pool *pool) {
    struct error error = {0};
    struct db *db = NULL;
    expect_code(db_acquire(pool, in_ms(5000), &db, &error), 0, &error);
    assert_non_null(db);
    return db;
}

/* One statement without parameters; the first value as a number. */
static int64_t ask(struct db *db, const char *sql) {
    struct error error = {0};
    struct db_result *result = NULL;
    expect_code(db_call(db, sql, NULL, in_ms(5000), &result, NULL, &error), 0, &error);
    int64_t value = db_int(result, 0, 0);
    db_result_free(result);
    return value;
}

static enum db_fault fault_of(struct db *db, const char *sql, int ms,
                              struct error *error) {
    enum db_fault fault = DB_FINE;
    memset(error, 0, sizeof *error);
    int code = db_call(db, sql, NULL, in_ms(ms), NULL, &fault, error);
    assert_int_equal(code, error->code);
    assert_int_equal(code == 0, fault == DB_FINE);
    return fault;
}

static struct db_health health_of(struct db_pool *pool) {
    struct db_health health;
    db_pool_report(pool, &health);
    return health;
}

/* --- a proxy in front of the server, steered by its mode */
enum { PASS, SWALLOW, CUT, STUCK };

struct proxy {
    int listener, port;
    char target[300];
    atomic_int mode, accepted;
    atomic_bool stop;
    pthread_t thread;
};

struct lane {
    int client, server;
};

static int dial_server(const char *conninfo) {
    int fd = -1, port = 0;
    char host[200] = "";
    const char *at = strchr(conninfo, '@');
    at = at ? at + 1 : strstr(conninfo, "//") + 2;
    if (sscanf(at, "%199[^:/]:%d", host, &port) == 2 && host[0] != '%') {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                      &a.sin_addr) == 1) {
            fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
                close(fd);
                fd = -1;
            }
        }
    }
    return fd;
}

static void lane_close(struct lane *lane) {
    if (lane->client >= 0) {
        close(lane->client);
        close(lane->server);
    }
    lane->client = lane->server = -1;
}

static bool lane_move(struct proxy *proxy, struct lane *lane, bool back) {
    static __thread char bytes[65536];
    int from = back ? lane->server : lane->client,
        to = back ? lane->client : lane->server;
    ssize_t n = read(from, bytes, sizeof bytes);
    int mode = atomic_load(&proxy->mode);
    if (n <= 0 || (back && mode == CUT)) {
        return false;
    }
    if (back && mode == SWALLOW) {
        return true;
    }
    for (ssize_t at = 0; at < n;) {
        ssize_t sent = send(to, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
    }
    return true;
}

static void *proxy_run(void *argument) {
    struct proxy *proxy = argument;
    struct lane lanes[80];
    for (int i = 0; i < 80; i++) {
        lanes[i] = (struct lane){-1, -1};
    }
    while (!atomic_load(&proxy->stop)) {
        struct pollfd fds[161] = {{.fd = proxy->listener, .events = POLLIN}};
        bool stuck = atomic_load(&proxy->mode) == STUCK;
        for (int i = 0; i < 80; i++) {
            fds[1 + 2 * i] = (struct pollfd){stuck ? -1 : lanes[i].client, POLLIN, 0};
            fds[2 + 2 * i] = (struct pollfd){stuck ? -1 : lanes[i].server, POLLIN, 0};
        }
        poll(fds, 161, 5);
        for (int i = 0; i < 80; i++) {
            if ((fds[1 + 2 * i].revents && !lane_move(proxy, &lanes[i], false)) ||
                (fds[2 + 2 * i].revents && !lane_move(proxy, &lanes[i], true))) {
                lane_close(&lanes[i]);
            }
        }
        if (fds[0].revents) {
            int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
            atomic_fetch_add(&proxy->accepted, 1);
            int server = dial_server(proxy->target);
            for (int i = 0; i < 80 && client >= 0; i++) {
                if (lanes[i].client < 0) {
                    lanes[i] = (struct lane){client, server};
                    client = -1;
                }
            }
        }
    }
    for (int i = 0; i < 80; i++) {
        lane_close(&lanes[i]);
    }
    close(proxy->listener);
    return NULL;
}

static int listen_on(int *port) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_port = htons((uint16_t)*port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 64), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    *port = ntohs(a.sin_port);
    return fd;
}

static void proxy_start(struct proxy *proxy, int port) {
    memset(proxy, 0, sizeof *proxy);
    proxy->port = port;
    proxy->listener = listen_on(&proxy->port);
    snprintf(proxy->target, sizeof proxy->target, "%s", url);
    assert_int_equal(pthread_create(&proxy->thread, NULL, proxy_run, proxy), 0);
}

static void proxy_stop(struct proxy *proxy) {
    atomic_store(&proxy->stop, true);
    pthread_join(proxy->thread, NULL);
}

/* The test database's URL with another address. */
static const char *via(int port, char out[600]) {
    char user[100] = "", base[100] = "", query[200] = "";
    const char *at = strstr(url, "//") + 2, *host = strchr(at, '@');
    if (host) {
        snprintf(user, sizeof user, "%.*s@", (int)(host - at), at);
    }
    const char *slash = strchr(host ? host : at, '/');
    if (slash) {
        sscanf(slash + 1, "%99[^?]", base);
    }
    snprintf(out, 600, "postgresql://%s127.0.0.1:%d/%s%s", user, port, base, query);
    return out;
}

static bool have_tcp(void) {
    int fd = url ? dial_server(url) : -1;
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* --- options */
static void test_options(void **state) {
    (void)state;
    static const char *const bad[] = {
        "postgresql://u:hunter2@h/d?options=-cgeqo%3Doff",
        "service=x password=hunter2",
        "postgresql://u:hunter2@h:p%00rt/d",
        "host hunter2",
        "host=a,b,c port=1,2",
        "replication=database",
        "postgresql://u:hunter2@h/d?sslmod=x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        struct db_pool *pool = NULL;
        assert_int_equal(db_pool_open(bad[i], 2, &pool, &error), ERROR_INVALID);
        assert_null(pool);
        assert_null(strstr(error.detail, "hunter2"));
        assert_true(strlen(error.detail) > 20);
    }
    struct error error = {0};
    struct db_pool *pool = NULL;
    assert_int_equal(db_pool_open("host=/tmp", 0, &pool, &error), ERROR_INVALID);
    db_pool_close(NULL);
}

static void test_names(void **state) {
    (void)state;
    struct error error = {0};
    struct db_pool *pool = NULL;
    struct db *db = NULL;
    assert_int_equal(db_pool_open("host=no.such.host.invalid user=x", 1, &pool, &error),
                     0);
    assert_int_equal(db_acquire(pool, in_ms(1000), &db, &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, "looked up"));
    assert_false(health_of(pool).resolved);
    memset(&error, 0, sizeof error);
    assert_int_equal(db_pool_resolve(pool, &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, "no.such.host.invalid"));
    memset(&error, 0, sizeof error);
    assert_int_equal(db_acquire(pool, in_ms(1000), &db, &error), ERROR_UNAVAILABLE);
    db_pool_close(pool);
    pool = open_pool("host=localhost port=1 user=x", 1);
    assert_true(health_of(pool).resolved);
    db_pool_close(pool);
}

/* --- reaching the server */
static void test_unreachable(void **state) {
    (void)state;
    int port = 0, fd = listen_on(&port);
    close(fd);
    char info[200];
    snprintf(info, sizeof info, "host=127.0.0.1 port=%d user=x password=hunter2", port);
    struct db_pool *pool = open_pool(info, 4);
    assert_false(db_pool_down(pool));
    int64_t begin = clock_now_us();
    int attempts = 0;
    while (clock_now_us() - begin < 2500000) {
        struct error error = {0};
        struct db *db = NULL;
        int before = health_of(pool).failures;
        assert_int_equal(db_acquire(pool, in_ms(500), &db, &error), ERROR_UNAVAILABLE);
        assert_null(db);
        assert_null(strstr(error.detail, "hunter2"));
        attempts += health_of(pool).failures > before;
        usleep(5000);
    }
    assert_in_range(attempts, 2, 3);
    assert_true(db_pool_down(pool));
    assert_true(health_of(pool).retry_ms > 0);
    assert_non_null(strstr(health_of(pool).last_error, "refused"));
    int probes = 0;
    for (int i = 0; i < 300; i++) {
        probes += db_pool_probe(pool);
        usleep(1000);
    }
    assert_in_range(probes, 0, 1);
    db_pool_close(pool);
}

static void test_black_hole(void **state) {
    (void)state;
    int port = 0, fd = listen_on(&port);
    char info[200];
    snprintf(info, sizeof info, "host=127.0.0.1 port=%d user=x", port);
    struct db_pool *pool = open_pool(info, 1);
    struct error error = {0};
    struct db *db = NULL;
    int64_t begin = clock_now_us();
    assert_int_equal(db_acquire(pool, in_ms(300), &db, &error), ERROR_UNAVAILABLE);
    assert_in_range(clock_now_us() - begin, 250000, 600000);
    assert_non_null(strstr(error.detail, "in time"));
    db_pool_close(pool);
    close(fd);
}

static void test_several_hosts(void **state) {
    (void)state;
    if (!have_tcp()) {
        skip();
    }
    int hole = 0, fd = listen_on(&hole);
    struct proxy proxy;
    proxy_start(&proxy, 0);
    char one[600], many[900], user[100] = "";
    via(proxy.port, one);
    const char *at = strstr(one, "//") + 2;
    snprintf(user, sizeof user, "%.*s", (int)strcspn(at, "@"), at);
    snprintf(many, sizeof many, "postgresql://%s@127.0.0.1:%d,localhost:%d/%s", user,
             hole, proxy.port, strrchr(one, '/') + 1);
    struct db_pool *pool = open_pool(many, 2);
    struct db *db = take(pool), *second;
    assert_int_equal(ask(db, "select 7"), 7);
    int64_t begin = clock_now_us();
    second = take(pool);
    assert_true(clock_now_us() - begin < 1000000);
    db_release(second);
    db_release(db);
    db_pool_close(pool);
    proxy_stop(&proxy);
    close(fd);
}

/* --- calls */
static void test_parameters(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct db_params p;
    struct db_result *r = NULL;
    struct error error = {0};
    static const char odd[] =
        "it's \"quoted\" \\ back\\slash {a,b} NULL \xc4\x93\xf0\x9f\x99\x82";
    db_params_open(&p);
    db_add_text(&p, odd);
    db_add_text(&p, NULL);
    db_add_text(&p, "");
    db_add_int(&p, INT64_MIN);
    db_add_bool(&p, true);
    db_add_bytes(&p, "\0\1\xff", 3);
    db_add_time(&p, INT64_C(1793527200123456));
    json_t *json = json_pack("{s:s,s:[i,n]}", "a", odd, "b", 5);
    db_add_json(&p, json);
    db_add_null(&p);
    int code = db_call(db,
                       "select $1, $2, $3, $4, $5, encode($6, 'hex'), "
                       "(extract(epoch from $7) * 1000000)::bigint, $8, $9::int, "
                       "pg_typeof($7)::text, pg_typeof($8)::text",
                       &p, in_ms(5000), &r, NULL, &error);
    expect_code(code, 0, &error);
    assert_int_equal(db_rows(r), 1);
    assert_int_equal(db_columns(r), 11);
    assert_string_equal(db_value(r, 0, 0), odd);
    assert_int_equal(db_length(r, 0, 0), strlen(odd));
    assert_null(db_value(r, 0, 1));
    assert_string_equal(db_value(r, 0, 2), "");
    assert_true(db_int(r, 0, 3) == INT64_MIN);
    assert_true(db_bool(r, 0, 4));
    assert_string_equal(db_value(r, 0, 5), "0001ff");
    assert_true(db_int(r, 0, 6) == INT64_C(1793527200123456));
    json_t *back = db_json(r, 0, 7);
    assert_true(json_equal(back, json));
    assert_null(db_value(r, 0, 8));
    assert_string_equal(db_value(r, 0, 9), "timestamp with time zone");
    assert_string_equal(db_value(r, 0, 10), "jsonb");
    assert_null(db_value(r, 1, 0));
    assert_null(db_value(r, 0, 11));
    assert_null(db_value(NULL, 0, 0));
    assert_int_equal(db_int(r, -1, 0), 0);
    assert_null(db_json(r, 0, 1));
    json_decref(json);
    json_decref(back);
    db_result_free(r);
    db_params_free(&p);
    db_release(db);
    db_pool_close(pool);
}

static void check_array(struct db *db, struct db_array *a, const char *sql,
                        const char *wanted) {
    struct db_params p;
    struct db_result *r = NULL;
    struct error error = {0};
    db_params_open(&p);
    db_add_array(&p, a);
    expect_code(db_call(db, sql, &p, in_ms(5000), &r, NULL, &error), 0, &error);
    assert_string_equal(db_value(r, 0, 0), wanted);
    db_result_free(r);
    db_params_free(&p);
    db_array_free(a);
}

static void test_arrays(void **state) {
    (void)state;
    NEEDS_SERVER();
    static const enum db_kind kinds[] = {DB_TEXT,  DB_INT,  DB_BOOL,
                                         DB_BYTES, DB_TIME, DB_JSON};
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct db_array a;
    db_array_open(&a, DB_TEXT);
    db_array_text(&a, "a\"b'c\\d,{e}");
    db_array_text(&a, NULL);
    db_array_text(&a, "");
    db_array_text(&a, "NULL");
    db_array_text_n(&a, "\xc4\x93\xf0\x9f\x99\x82xyz", 6);
    check_array(
        db, &a, "select to_jsonb($1)::text",
        "[\"a\\\"b'c\\\\d,{e}\", null, \"\", \"NULL\", \"\xc4\x93\xf0\x9f\x99\x82\"]");
    db_array_open(&a, DB_INT);
    db_array_int(&a, INT64_MAX);
    db_array_null(&a);
    db_array_int(&a, -1);
    check_array(db, &a, "select to_jsonb($1)::text", "[9223372036854775807, null, -1]");
    db_array_open(&a, DB_BOOL);
    db_array_bool(&a, true);
    db_array_bool(&a, false);
    check_array(db, &a, "select to_jsonb($1)::text", "[true, false]");
    db_array_open(&a, DB_BYTES);
    db_array_bytes(&a, "\0x", 2);
    db_array_bytes(&a, "", 0);
    db_array_null(&a);
    check_array(db, &a, "select encode($1[1], 'hex') || length($1[2]) || ($1[3] is null)",
                "00780true");
    db_array_open(&a, DB_TIME);
    db_array_time(&a, 0);
    db_array_time(&a, INT64_C(253402300799999999));
    db_array_time(&a, INT64_C(-62135596800000000));
    check_array(db, &a,
                "select string_agg((extract(epoch from t) * 1000000)::bigint::text, ' ') "
                "from unnest($1) t",
                "0 253402300799999999 -62135596800000000");
    db_array_open(&a, DB_JSON);
    json_t *json = json_pack("{s:s}", "k", "v");
    db_array_json(&a, json);
    db_array_text(&a, "[1,2]");
    db_array_json(&a, NULL);
    check_array(db, &a, "select to_jsonb($1)::text", "[{\"k\": \"v\"}, [1, 2], null]");
    json_decref(json);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        db_array_open(&a, kinds[i]);
        check_array(db, &a, "select cardinality($1)::text || ($1 is null)", "0false");
    }
    db_array_open(&a, DB_INT);
    for (int i = 0; i < 100000; i++) {
        db_array_int(&a, i);
    }
    check_array(db, &a, "select sum(x)::text from unnest($1) x", "4999950000");
    db_release(db);
    db_pool_close(pool);
}

static void test_refusals(void **state) {
    (void)state;
    struct db_params p;
    struct db_array a;
    struct error error = {0};
    enum db_fault fault;
    db_params_open(&p);
    db_add_text_n(&p, "a\0b", 3);
    assert_int_equal(db_call(NULL, "select $1", &p, in_ms(100), NULL, &fault, &error),
                     ERROR_INVALID);
    assert_int_equal(fault, DB_DATA);
    assert_non_null(strstr(error.detail, "NUL"));
    db_params_free(&p);
    db_params_open(&p);
    for (int i = 0; i <= DB_PARAMS_MOST; i++) {
        db_add_int(&p, i);
    }
    assert_int_equal(p.code, ERROR_INVALID);
    db_params_free(&p);
    db_params_open(&p);
    db_array_open(&a, DB_INT);
    db_array_text(&a, "x");
    db_add_array(&p, &a);
    assert_int_equal(p.code, ERROR_FAILED);
    db_params_free(&p);
    db_params_open(&p);
    db_add_time(&p, INT64_MAX);
    assert_int_equal(p.code, ERROR_INVALID);
    db_params_free(&p);
    db_params_open(&p);
    char *large = memory_zero(1, DB_PARAMS_BYTES / 2 + 1);
    memset(large, 'x', DB_PARAMS_BYTES / 2);
    db_add_text(&p, large);
    assert_int_equal(p.code, 0);
    db_add_text(&p, large);
    assert_int_equal(p.code, 0);
    db_add_text(&p, "x");
    assert_int_equal(p.code, ERROR_INVALID);
    db_params_free(&p);
    memory_free(large);
    memset(&error, 0, sizeof error);
    assert_int_equal(db_call(NULL, "select 1", NULL, in_ms(100), NULL, &fault, &error),
                     ERROR_UNAVAILABLE);
    assert_int_equal(fault, DB_UNREACHED);
}

static void test_large(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct db_params p;
    struct db_result *r = NULL;
    struct error error = {0};
    size_t n = (size_t)20 << 20;
    char *large = memory_zero(1, n + 1);
    memset(large, 'x', n);
    db_params_open(&p);
    db_add_text_n(&p, large, n);
    expect_code(db_call(db, "select $1 || 'y'", &p, in_ms(30000), &r, NULL, &error), 0,
                &error);
    assert_int_equal(db_length(r, 0, 0), n + 1);
    db_result_free(r);
    db_params_free(&p);
    memory_free(large);
    db_release(db);
    db_pool_close(pool);
}

static void test_faults(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct error error;
    struct db_params p;
    enum db_fault fault;
    ask(db, "select set_config('x.y', 'z', true) is null");
    assert_int_equal(fault_of(db, "select 1/0", 5000, &error), DB_DATA);
    assert_string_equal(db_sqlstate(db), "22012");
    db_params_open(&p);
    db_add_text(&p, "secret value");
    memset(&error, 0, sizeof error);
    assert_int_equal(db_call(db, "select $1::int", &p, in_ms(5000), NULL, &fault, &error),
                     ERROR_INVALID);
    assert_int_equal(fault, DB_DATA);
    assert_null(strstr(error.detail, "secret"));
    db_params_free(&p);
    assert_int_equal(fault_of(db, "select nonsense", 5000, &error), DB_BUG);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_int_equal(fault_of(db, "select 1; select 2", 5000, &error), DB_BUG);
    assert_int_equal(fault_of(db, "", 5000, &error), DB_FINE);
#define RAISE(state, more)                                                               \
    "do $$ begin raise exception using errcode = '" state "'" more "; end $$"
    static const struct {
        const char *sql;
        enum db_fault fault;
        int code;
    } raised[] = {
        {RAISE("VO101", ", message = 'Quantity is \"odd\"', detail = '/data/q'"),
         DB_RAISED, ERROR_INVALID},
        {RAISE("VO201", ", message = 'm', detail = 'no pointer'"), DB_RAISED,
         ERROR_MISUSE},
        {RAISE("VO900", ", message = 'm'"), DB_RAISED, ERROR_FAILED},
        {RAISE("40001", ""), DB_RETRY, ERROR_UNAVAILABLE},
        {RAISE("40P01", ""), DB_RETRY, ERROR_UNAVAILABLE},
        {RAISE("55P03", ""), DB_RETRY, ERROR_UNAVAILABLE},
        {RAISE("57014", ""), DB_RETRY, ERROR_UNAVAILABLE},
        {RAISE("23505", ""), DB_DATA, ERROR_INVALID},
        {RAISE("P0001", ""), DB_BUG, ERROR_FAILED},
        {RAISE("XX000", ""), DB_BUG, ERROR_FAILED},
    };
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
        assert_int_equal(fault_of(db, raised[i].sql, 5000, &error), raised[i].fault);
        assert_int_equal(error.code, raised[i].code);
        assert_string_equal(error.pointer, i == 0 ? "/data/q" : "");
    }
    fault_of(db, raised[0].sql, 5000, &error);
    assert_string_equal(error.detail, "Quantity is \"odd\"");
    assert_string_equal(db_sqlstate(db), "VO101");
    fault_of(db, raised[9].sql, 5000, &error);
    assert_non_null(strstr(error.detail, "PL/pgSQL function inline_code_block line 1"));
    db_release(db);
    assert_int_equal(health_of(pool).idle, 1);
    assert_false(db_pool_down(pool));
    db_pool_close(pool);
}

static void test_declined(void **state) {
    (void)state;
    NEEDS_SERVER();
    static const char *const sql[] = {RAISE("25006", ""), RAISE("57P03", ""),
                                      RAISE("53300", ""), RAISE("53100", "")};
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
        struct db_pool *pool = open_pool(url, 1);
        struct db *db = take(pool);
        struct error error;
        assert_int_equal(fault_of(db, sql[i], 5000, &error), DB_UNREACHED);
        assert_int_equal(error.code, ERROR_UNAVAILABLE);
        db_release(db);
        assert_int_equal(health_of(pool).open, 0);
        assert_true(db_pool_down(pool));
        memset(&error, 0, sizeof error);
        assert_int_equal(db_acquire(pool, in_ms(500), &db, &error), ERROR_UNAVAILABLE);
        db_pool_close(pool);
    }
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct error error;
    assert_int_equal(fault_of(db, RAISE("08006", ""), 5000, &error), DB_LOST);
    db_release(db);
    db_pool_close(pool);
}

static void test_scripts(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct error error = {0};
    expect_code(db_script(db,
                          "create temp table t(i int); insert into t values (1), (2);",
                          in_ms(5000), &error),
                0, &error);
    assert_int_equal(ask(db, "select count(*) from t"), 2);
    int code = db_script(db, "insert into t values (3);\n\xc4\x93;\nselect 1;",
                         in_ms(5000), &error);
    assert_int_equal(code, ERROR_FAILED);
    assert_non_null(strstr(error.detail, "line 2: syntax error"));
    assert_int_equal(ask(db, "select count(*) from t"), 2);
    memset(&error, 0, sizeof error);
    assert_int_equal(db_script(db, "copy t from stdin", in_ms(5000), &error),
                     ERROR_FAILED);
    db_release(db);
    assert_int_equal(health_of(pool).open, 0);
    db = take(pool);
    memset(&error, 0, sizeof error);
    expect_code(db_script(db, "begin; select 1", in_ms(5000), &error), 0, &error);
    db_release(db);
    assert_int_equal(health_of(pool).open, 0);
    db_pool_close(pool);
}

/* A deferred constraint fails after the statement completed. */
static void test_commit_fails(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 1);
    struct db *db = take(pool);
    struct error error = {0};
    expect_code(
        db_script(db,
                  "create temp table d(i int unique deferrable initially deferred);"
                  "insert into d values (1);",
                  in_ms(5000), &error),
        0, &error);
    assert_int_equal(fault_of(db, "insert into d values (1) returning 1", 5000, &error),
                     DB_DATA);
    assert_string_equal(db_sqlstate(db), "23505");
    assert_int_equal(ask(db, "select count(*) from d"), 1);
    db_release(db);
    db_pool_close(pool);
}

/* --- outages */
static void test_deadline(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 2);
    struct db *db = take(pool);
    struct error error;
    int64_t begin = clock_now_us();
    assert_int_equal(fault_of(db, "select pg_sleep(3)", 200, &error), DB_LOST);
    assert_in_range(clock_now_us() - begin, 190000, 700000);
    assert_true(db_pool_down(pool));
    assert_int_equal(fault_of(db, "select 1", 200, &error), DB_UNREACHED);
    db_release(db);
    assert_int_equal(health_of(pool).open, 0);
    db = take(pool);
    assert_true(db_pool_down(pool));
    assert_int_equal(fault_of(db, "select 1", -5, &error), DB_UNREACHED);
    ask(db, "select 1");
    assert_false(db_pool_down(pool));
    db_release(db);
    db_pool_close(pool);
}

static void test_stopped_backend(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 2);
    struct db *db = take(pool), *other = take(pool);
    struct error error;
    pid_t backend = (pid_t)ask(db, "select pg_backend_pid()");
    ask(other, "select 1");
    if (kill(backend, SIGSTOP) != 0) {
        db_release(db);
        db_release(other);
        db_pool_close(pool);
        skip();
    }
    db_release(other);
    assert_int_equal(health_of(pool).idle, 1);
    int64_t begin = clock_now_us();
    enum db_fault fault = fault_of(db, "select 1", 300, &error);
    int64_t took = clock_now_us() - begin;
    db_release(db);
    took = clock_now_us() - begin > took ? clock_now_us() - begin : took;
    kill(backend, SIGCONT);
    assert_int_equal(fault, DB_LOST);
    assert_in_range(took, 290000, 700000);
    assert_int_equal(health_of(pool).idle, 0);
    db_pool_close(pool);
}

static void test_terminated(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 2);
    struct db *db = take(pool), *other = take(pool);
    struct error error;
    char sql[100];
    int64_t backend = ask(db, "select pg_backend_pid()");
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld, 5000)",
             (long long)backend);
    db_release(db);
    ask(other, sql);
    db = take(pool);
    assert_true(ask(db, "select pg_backend_pid()") != backend);
    backend = ask(db, "select pg_backend_pid()");
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld, 5000)",
             (long long)backend);
    ask(other, sql);
    assert_int_equal(fault_of(db, "select 1", 1000, &error), DB_UNREACHED);
    assert_string_equal(db_sqlstate(db), "57P01");
    db_release(db);
    db_release(other);
    db_pool_close(pool);
}

static void test_answer_lost(void **state) {
    (void)state;
    if (!have_tcp()) {
        skip();
    }
    struct proxy proxy;
    proxy_start(&proxy, 0);
    char info[600];
    struct error error = {0};
    struct db_pool *direct = open_pool(url, 1),
                   *pool = open_pool(via(proxy.port, info), 2);
    struct db *check = take(direct);
    expect_code(
        db_script(check,
                  "drop table if exists lost_answer; create table lost_answer(i int)",
                  in_ms(5000), &error),
        0, &error);
    for (int mode = SWALLOW; mode <= CUT; mode++) {
        struct db *db = take(pool);
        ask(db, "select 1");
        atomic_store(&proxy.mode, mode);
        enum db_fault fault =
            fault_of(db, "insert into lost_answer values (1)", 400, &error);
        assert_int_equal(fault, DB_LOST);
        assert_int_equal(error.code, ERROR_UNAVAILABLE);
        db_release(db);
        atomic_store(&proxy.mode, PASS);
        assert_int_equal(ask(check, "select count(*) from lost_answer"), mode);
        usleep(1600000);
    }
    struct db *db = take(pool);
    ask(db, "select 1");
    atomic_store(&proxy.mode, STUCK);
    struct db_params p;
    db_params_open(&p);
    char *large = memory_zero(1, (size_t)30 << 20);
    memset(large, 'x', ((size_t)30 << 20) - 1);
    db_add_text(&p, large);
    enum db_fault fault;
    memset(&error, 0, sizeof error);
    db_call(db, "insert into lost_answer select length($1)", &p, in_ms(300), NULL, &fault,
            &error);
    assert_int_equal(fault, DB_UNREACHED);
    db_params_free(&p);
    memory_free(large);
    db_release(db);
    atomic_store(&proxy.mode, PASS);
    usleep(300000);
    assert_int_equal(ask(check, "select count(*) from lost_answer"), 2);
    db_script(check, "drop table lost_answer", in_ms(5000), &error);
    db_release(check);
    db_pool_close(direct);
    db_pool_close(pool);
    proxy_stop(&proxy);
}

static void test_server_stops(void **state) {
    (void)state;
    if (!have_tcp()) {
        skip();
    }
    struct proxy proxy;
    proxy_start(&proxy, 0);
    int port = proxy.port;
    char info[600];
    struct db_pool *pool = open_pool(via(port, info), 2);
    struct db *db = take(pool), *busy = take(pool);
    struct error error;
    ask(db, "select 1");
    db_release(db);
    proxy_stop(&proxy);
    assert_int_equal(fault_of(busy, "select 1", 1000, &error), DB_LOST);
    db_release(busy);
    memset(&error, 0, sizeof error);
    assert_int_equal(db_acquire(pool, in_ms(500), &db, &error), ERROR_UNAVAILABLE);
    assert_int_equal(health_of(pool).open, 0);
    assert_true(db_pool_down(pool));
    proxy_start(&proxy, port);
    int64_t begin = clock_now_us();
    while (db_acquire(pool, in_ms(500), &db, NULL) != 0) {
        usleep(20000);
        assert_true(clock_now_us() - begin < 5000000);
    }
    ask(db, "select 1");
    assert_false(db_pool_down(pool));
    assert_int_equal(health_of(pool).failures, 0);
    db_release(db);
    db_pool_close(pool);
    proxy_stop(&proxy);
}

/* --- the pool */
static void test_exhausted(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 2);
    struct db *a = take(pool), *b = take(pool), *c = NULL;
    struct error error = {0};
    int64_t begin = clock_now_us();
    assert_int_equal(db_acquire(pool, in_ms(150), &c, &error), ERROR_UNAVAILABLE);
    assert_in_range(clock_now_us() - begin, 140000, 500000);
    assert_non_null(strstr(error.detail, "busy"));
    assert_false(db_pool_down(pool));
    db_release(a);
    c = take(pool);
    assert_ptr_equal(a, c);
    db_release(b);
    db_release(c);
    assert_ptr_equal(take(pool), c);
    db_pool_close(pool);
    db_release(c); /* the last one out frees the pool */
}

struct crowd {
    struct db_pool *pool;
    atomic_int done, failed;
    int rounds;
};

static void *crowd_run(void *argument) {
    struct crowd *crowd = argument;
    for (int i = 0; i < crowd->rounds; i++) {
        struct db *db = NULL;
        struct error error = {0};
        struct db_result *r = NULL;
        enum db_fault fault;
        struct db_params p;
        db_params_open(&p);
        db_add_int(&p, i);
        if (db_acquire(crowd->pool, in_ms(20000), &db, &error) == 0 &&
            db_call(db, "select $1 + 1", &p, in_ms(20000), &r, &fault, &error) == 0 &&
            db_int(r, 0, 0) == i + 1) {
            atomic_fetch_add(&crowd->done, 1);
        } else {
            atomic_fetch_add(&crowd->failed, 1);
        }
        db_result_free(r);
        db_params_free(&p);
        db_release(db);
    }
    return NULL;
}

static void test_crowd(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct crowd crowd = {.pool = open_pool(url, 8), .rounds = 50};
    pthread_t threads[64];
    for (int i = 0; i < 64; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, &crowd), 0);
    }
    for (int i = 0; i < 200; i++) {
        assert_true(health_of(crowd.pool).open <= 8);
        db_pool_resolve(crowd.pool, NULL);
        usleep(500);
    }
    for (int i = 0; i < 64; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&crowd.failed), 0);
    assert_int_equal(atomic_load(&crowd.done), 64 * 50);
    assert_int_equal(health_of(crowd.pool).waiting, 0);
    assert_true(health_of(crowd.pool).open <= 8);
    db_pool_close(crowd.pool);
}

/* Backends die under the crowd: no thread hangs, no slot is lost. */
static void test_crowd_killed(void **state) {
    (void)state;
    NEEDS_SERVER();
    char info[900];
    snprintf(info, sizeof info, "%s%sapplication_name=vouch_crowd", url,
             strchr(url, '?') ? "&" : "?");
    struct crowd crowd = {.pool = open_pool(info, 6), .rounds = 150};
    struct db_pool *killer = open_pool(url, 1);
    struct db *db = take(killer);
    pthread_t threads[32];
    for (int i = 0; i < 32; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, &crowd), 0);
    }
    for (int i = 0; i < 20; i++) {
        ask(db, "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where application_name = 'vouch_crowd' and random() < 0.4");
        usleep(10000);
    }
    for (int i = 0; i < 32; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&crowd.done) + atomic_load(&crowd.failed), 32 * 150);
    struct db_health health = health_of(crowd.pool);
    assert_int_equal(health.open, health.idle);
    db_release(db);
    db_pool_close(killer);
    db_pool_close(crowd.pool);
}

static void test_fork(void **state) {
    (void)state;
    NEEDS_SERVER();
    struct db_pool *pool = open_pool(url, 2);
    struct db *busy = take(pool), *idle = take(pool);
    ask(busy, "select 1");
    db_release(idle);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            db_pool_forget(pool);
            db_pool_forget(pool);
            struct db_pool *own = NULL;
            struct db *db = NULL;
            bool good = db_pool_open(url, 1, &own, NULL) == 0 &&
                        db_pool_resolve(own, NULL) == 0 &&
                        db_acquire(own, in_ms(5000), &db, NULL) == 0 &&
                        db_call(db, "select 1", NULL, in_ms(5000), NULL, NULL, NULL) == 0;
            db_release(db);
            db_pool_close(own);
            _exit(good ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(ask(busy, "select 2"), 2);
    }
    idle = take(pool);
    assert_int_equal(ask(idle, "select 3"), 3);
    db_release(idle);
    db_release(busy);
    db_pool_close(pool);
}

/* --- PgBouncer, transaction mode, two server connections */
struct bouncer {
    char folder[64];
    int port;
    pid_t pid;
};

static void write_file(const char *folder, const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0644);
}

static bool bouncer_start(struct bouncer *b) {
    static const char program[] = "/usr/sbin/pgbouncer";
    char ini[900], user[100], host[100], base[100] = "postgres", path[200];
    int port;
    if (!have_tcp() || access(program, X_OK) != 0 ||
        sscanf(strstr(url, "//") + 2, "%99[^@:/]@%99[^:]:%d/%99[^?]", user, host, &port,
               base) < 3) {
        return false;
    }
    strcpy(b->folder, "/tmp/vouch-bouncer-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    chmod(b->folder, 0755);
    b->port = 0;
    close(listen_on(&b->port));
    snprintf(
        ini, sizeof ini,
        "[databases]\n%s = host=%s port=%d user=%s\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
        "listen_port=%d\nunix_socket_dir=\nauth_type=plain\nauth_file=%s/users\n"
        "pool_mode=transaction\ndefault_pool_size=2\nmax_client_conn=100\n",
        base, host, port, user, b->port, b->folder);
    write_file(b->folder, "ini", ini);
    snprintf(ini, sizeof ini, "\"%s\" \"right\"\n", user);
    write_file(b->folder, "users", ini);
    snprintf(path, sizeof path, "%s/ini", b->folder);
    struct passwd *postgres = getpwnam("postgres");
    b->pid = fork();
    if (b->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        if (getuid() == 0 && (!postgres || setgid(postgres->pw_gid) != 0 ||
                              setuid(postgres->pw_uid) != 0)) {
            _exit(1);
        }
        execl(program, program, "-q", path, (char *)NULL);
        _exit(1);
    }
    usleep(500000);
    return true;
}

static void bouncer_stop(struct bouncer *b) {
    char path[200];
    kill(b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
    snprintf(path, sizeof path, "%s/ini", b->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/users", b->folder);
    unlink(path);
    rmdir(b->folder);
}

static void bouncer_url(const struct bouncer *b, const char *password, char out[900]) {
    char plain[600], user[100];
    via(b->port, plain);
    sscanf(strstr(plain, "//") + 2, "%99[^@:]", user);
    snprintf(out, 900, "postgresql://%s:%s@127.0.0.1:%d%s", user, password, b->port,
             strrchr(plain, '/'));
}

static void test_bouncer(void **state) {
    (void)state;
    struct bouncer b;
    if (!bouncer_start(&b)) {
        skip();
    }
    char info[900];
    struct error error = {0};
    struct db *db = NULL;
    bouncer_url(&b, "wrong", info);
    struct db_pool *pool = open_pool(info, 2);
    assert_int_equal(db_acquire(pool, in_ms(2000), &db, &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, "password"));
    assert_null(strstr(error.detail, "wrong"));
    db_pool_close(pool);
    bouncer_url(&b, "right", info);
    setenv("PGOPTIONS", "-c geqo=off", 1);
    struct crowd crowd = {.pool = open_pool(info, 8), .rounds = 50};
    unsetenv("PGOPTIONS");
    pthread_t threads[16];
    for (int i = 0; i < 16; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, &crowd), 0);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&crowd.failed), 0);
    db = take(crowd.pool);
    pid_t backend = (pid_t)ask(db, "select pg_backend_pid()");
    struct db_pool *direct = open_pool(url, 1);
    struct db *killer = take(direct);
    char sql[200];
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%d, 3000)", (int)backend);
    ask(killer, sql);
    enum db_fault fault = fault_of(db, "select 1", 2000, &error);
    assert_true(fault == DB_FINE || fault == DB_LOST || fault == DB_UNREACHED);
    db_release(db);
    db = NULL;
    db_release(killer);
    db_pool_close(direct);
    bouncer_stop(&b);
    memset(&error, 0, sizeof error);
    usleep(100000);
    assert_int_equal(db_acquire(crowd.pool, in_ms(500), &db, &error), ERROR_UNAVAILABLE);
    db_pool_close(crowd.pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_unreachable),     cmocka_unit_test(test_black_hole),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_several_hosts),
        cmocka_unit_test(test_parameters),      cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_large),           cmocka_unit_test(test_faults),
        cmocka_unit_test(test_declined),        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_commit_fails),    cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_stopped_backend), cmocka_unit_test(test_terminated),
        cmocka_unit_test(test_answer_lost),     cmocka_unit_test(test_server_stops),
        cmocka_unit_test(test_exhausted),       cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_crowd_killed),    cmocka_unit_test(test_fork),
        cmocka_unit_test(test_bouncer),
    };
    url = getenv("VOUCH_TEST_DATABASE");
    if (!url || !url[0]) {
        url = NULL;
        print_message(
            "# SKIP VOUCH_TEST_DATABASE is unset: no PostgreSQL to test against\n");
    }
    crypto_start();
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
