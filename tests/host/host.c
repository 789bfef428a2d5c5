/* SPDX-License-Identifier: MIT */
/* A plain C host: host VOUCH.SO OPTIONS-FILE. Speaks TAP. It links nothing of Vouch and
 * declares nothing itself: the header's own prototypes give the types of the symbols. */
#include "vouch.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLERS = 8, EVENTS = 25, TEXT_MOST = 65536 };

/* gcc 12's ASan does not guard its allocator across fork(): a child of a process whose threads
 * allocate may wait for ever. There the threads rest while the process forks; the host without
 * sanitizers forks beside them. */
#ifdef __SANITIZE_ADDRESS__
enum { REST_TO_FORK = 1 };
#else
enum { REST_TO_FORK = 0 };
#endif

static void *library;
static int (*abi)(void);
static int (*open_module)(const char *, vouch **, char **);
static int (*start)(vouch *, int, char **);
static int (*step)(vouch *, int, char **);
static int (*stop)(vouch *, int, char **);
static int (*emit)(vouch *, const char *, size_t, char **);
static int (*take)(vouch *, int, char **);
static int (*ack)(vouch *, const char *, char **);
static int (*serve)(vouch *, const char *, size_t, char **);
static int (*describe)(vouch *, char **);
static int (*close_module)(vouch *);
static void (*free_text)(char *);

static int tests, failures;

static int ok(int fine, const char *what) {
    printf("%sok %d - %s\n", fine ? "" : "not ", ++tests, what);
    failures += !fine;
    fflush(stdout);
    return fine;
}

static int load(const char *path) {
    struct {
        const char *name;
        void *place;
    } symbol[] = {
        {"vouch_abi", &abi},
        {"vouch_open", &open_module},
        {"vouch_start", &start},
        {"vouch_step", &step},
        {"vouch_stop", &stop},
        {"vouch_emit", &emit},
        {"vouch_take", &take},
        {"vouch_ack", &ack},
        {"vouch_serve", &serve},
        {"vouch_describe", &describe},
        {"vouch_close", &close_module},
        {"vouch_free", &free_text},
    };
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        printf("# %s\n", dlerror());
        return 0;
    }
    for (size_t i = 0; i < sizeof symbol / sizeof *symbol; i++) {
        void *found = dlsym(library, symbol[i].name);
        if (!found)
            return 0;
        memcpy(symbol[i].place, &found, sizeof found);
    }
    return 1;
}

static int entries(const char *path) {
    int count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static int threads(void) {
    return entries("/proc/self/task");
}

/* The kernel wakes who joins a thread before it takes the task out of /proc. */
static int threads_settle(int wanted) {
    struct timespec moment = {0, 10000000};
    for (int i = 0; i < 500 && threads() != wanted; i++)
        nanosleep(&moment, NULL);
    return threads() == wanted;
}

static int descriptors(void) {
    return entries("/proc/self/fd");
}

static char *options;

static int read_options(const char *path) {
    FILE *file = fopen(path, "r");
    options = calloc(1, TEXT_MOST);
    size_t length = file && options ? fread(options, 1, TEXT_MOST - 1, file) : 0;
    if (file)
        fclose(file);
    return length > 0;
}

/* Emits order.placed number n; the code, and the problem on standard output. */
static int place(vouch *module, const char *who, int n) {
    char event[1024], *reply = NULL;
    int length =
        snprintf(event, sizeof event,
                 "{\"specversion\":\"1.0\",\"id\":\"%s-%d\",\"source\":\"/c\",\"type\":"
                 "\"order.placed\",\"time\":\"2026-11-01T10:00:00Z\",\"data\":{\"order\":"
                 "{\"id\":\"%s-%d\",\"placed_at\":\"2026-11-01T10:00:00Z\",\"customer\":"
                 "{\"email\":\"anna@example.test\"},\"items\":[{\"id\":\"1\","
                 "\"product_id\":\"kettle\"}]}}}",
                 who, n, who, n);
    /* What follows the length is not the module's business. */
    event[length] = '#';
    int code = emit(module, event, (size_t)length, &reply);
    if (code < 0)
        printf("# emit: %d %s\n", code, reply ? reply : "(no reply)");
    free_text(reply);
    return code;
}

static void test_load(const char *path) {
    int before_threads = threads(), before_descriptors = descriptors();
    if (!ok(load(path), "dlopen finds every function"))
        exit(1);
    ok(abi() == VOUCH_ABI, "vouch_abi() is VOUCH_ABI");
    ok(threads() == before_threads, "loading adds no thread");
    ok(descriptors() == before_descriptors, "loading adds no descriptor");
    free_text(NULL);
}

static void test_share(const char *path) {
    vouch *first = NULL, *second = NULL;
    char *reply = options;
    ok(open_module(options, &first, &reply) == VOUCH_OK && first && !reply, "vouch_open");
    ok(threads() == 3, "open starts no thread"); /* ".", ".." and this one */
    ok(place(first, "share", 1) == VOUCH_OK, "an event is accepted");
    int held = descriptors();
    ok(open_module(options, &second, NULL) == VOUCH_OK && second == first,
       "equal options share one instance; no reply is wanted");
    ok(close_module(second) == VOUCH_OK && place(first, "share", 2) == VOUCH_OK,
       "closing one of two leaves it open");
    dlclose(library);
    ok(load(path) && open_module(options, &second, NULL) == VOUCH_OK && second == first,
       "after dlclose and dlopen it is the same instance");
    ok(place(second, "share", 3) == VOUCH_OK && descriptors() <= held,
       "and it works, with no more descriptors");
    ok(close_module(second) == VOUCH_OK && close_module(first) == VOUCH_OK, "closed");
    ok(open_module(options, &first, NULL) == VOUCH_OK &&
           place(first, "share", 4) == VOUCH_OK,
       "opened again after the last close");
    close_module(first);
}

/* How many threads but the main one have TERM, INT, USR1 and PIPE blocked. */
static int deaf_threads(void) {
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGPIPE};
    int count = 0;
    struct dirent *entry;
    DIR *folder = opendir("/proc/self/task");
    while (folder && (entry = readdir(folder))) {
        char path[300], line[256];
        unsigned long long mask = 0;
        int deaf = atoi(entry->d_name) != (int)getpid();
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file && fgets(line, sizeof line, file))
            sscanf(line, "SigBlk: %llx", &mask);
        if (file)
            fclose(file);
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            deaf = deaf && (mask >> (signals[i] - 1) & 1);
        count += deaf;
    }
    if (folder)
        closedir(folder);
    return count;
}

static void test_threads(void) {
    vouch *module = NULL;
    char *reply = NULL;
    sigset_t before, after;
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    int alone = threads();
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    open_module(options, &module, NULL);
    ok(start(module, 2, NULL) == VOUCH_OK && threads() == alone + 2,
       "vouch_start starts as many threads as asked");
    ok(deaf_threads() == 2, "in which the host's signals are blocked");
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ok(memcmp(&before, &after, sizeof before) == 0,
       "the caller's signal mask is untouched");
    ok(start(module, 1, &reply) == VOUCH_MISUSE && reply,
       "starting twice is MISUSE, with a problem");
    free_text(reply);
    ok(close_module(module) == VOUCH_MISUSE, "closing while threads run is MISUSE");
    ok(place(module, "threads", 1) == VOUCH_OK, "and frees nothing");
    ok(stop(module, 10000, NULL) == VOUCH_OK && threads_settle(alone),
       "vouch_stop joins them");
    ok(stop(module, 0, NULL) == VOUCH_OK, "stopping twice is fine");
    ok(start(module, 1, NULL) == VOUCH_OK && stop(module, 10000, NULL) == VOUCH_OK,
       "started and stopped again");
    ok(close_module(module) == VOUCH_OK, "closed");
}

/* In the child: every call says so, nothing inherited is harmed, and open works anew. */
static int child(vouch *module) {
    static const char event[] = "{}";
    char *reply[8] = {NULL};
    int forked = start(module, 1, &reply[0]) == VOUCH_FORKED &&
                 step(module, 10, &reply[1]) == VOUCH_FORKED &&
                 stop(module, 10, &reply[2]) == VOUCH_FORKED &&
                 emit(module, event, 2, &reply[3]) == VOUCH_FORKED &&
                 take(module, 0, &reply[4]) == VOUCH_FORKED &&
                 ack(module, "1", &reply[5]) == VOUCH_FORKED &&
                 serve(module, event, 2, &reply[6]) == VOUCH_FORKED &&
                 describe(module, &reply[7]) == VOUCH_FORKED &&
                 close_module(module) == VOUCH_FORKED && abi() == VOUCH_ABI;
    for (size_t i = 0; i < 8; i++) {
        forked = forked && reply[i] && strstr(reply[i], "title");
        free_text(reply[i]);
    }
    vouch *own = NULL;
    if (!forked)
        return 2;
    if (open_module(options, &own, NULL) != VOUCH_OK || own == module)
        return 3;
    if (place(own, "child", (int)getpid()) != VOUCH_OK)
        return 4;
    return close_module(own) == VOUCH_OK ? 0 : 5;
}

static void test_fork(void) {
    vouch *module = NULL;
    int status = -1;
    open_module(options, &module, NULL);
    place(module, "fork", 1);
    ok(start(module, 1, NULL) == VOUCH_OK, "a thread runs before the process forks");
    if (REST_TO_FORK)
        stop(module, 10000, NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(module));
    if (REST_TO_FORK)
        start(module, 1, NULL);
    waitpid(pid, &status, 0);
    printf("# the child ended with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "in a forked child every call is FORKED, and opening anew works");
    ok(place(module, "fork", 2) == VOUCH_OK, "the parent's handle goes on working");
    ok(stop(module, 10000, NULL) == VOUCH_OK && close_module(module) == VOUCH_OK,
       "closed");
}

static vouch *shared;

static void *caller(void *number) {
    int mine = *(int *)number, bad = 0;
    char who[16];
    snprintf(who, sizeof who, "caller%d", mine);
    for (int i = 0; i < EVENTS; i++)
        bad += place(shared, who, i) != VOUCH_OK;
    *(int *)number = bad;
    return NULL;
}

static void test_callers(void) {
    pthread_t thread[CALLERS];
    int number[CALLERS], bad = 0;
    open_module(options, &shared, NULL);
    for (int i = 0; i < CALLERS; i++) {
        number[i] = i;
        pthread_create(&thread[i], NULL, caller, &number[i]);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(thread[i], NULL);
        bad += number[i];
    }
    ok(bad == 0, "8 threads emit on one handle at once");
    ok(close_module(shared) == VOUCH_OK, "closed");
}

static void test_replies(void) {
    vouch *module = NULL;
    char *reply = options;
    open_module(options, &module, NULL);
    ok(emit(module, "{", 1, &reply) == VOUCH_INVALID && reply &&
           strstr(reply, "\"pointer\""),
       "a refusal is a problem with a pointer");
    free_text(reply);
    reply = options;
    ok(take(module, 0, &reply) == VOUCH_EMPTY && !reply,
       "nothing to take: EMPTY, and NULL");
    reply = options;
    ok(emit(NULL, "{}", 2, &reply) == VOUCH_MISUSE && reply != options,
       "a NULL handle is MISUSE");
    free_text(reply);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    reply = NULL;
    ok(step(module, 500, &reply) == VOUCH_OK && reply && strstr(reply, "\"next_ms\""),
       "a step tells when to come again");
    free_text(reply);
    clock_gettime(CLOCK_MONOTONIC, &to);
    ok(to.tv_sec - from.tv_sec <= 5, "within its budget");
    ok(describe(module, &reply) == VOUCH_OK && reply && reply[0] == '{',
       "vouch_describe");
    free_text(reply);
    ok(stop(module, 5000, NULL) == VOUCH_OK && close_module(module) == VOUCH_OK,
       "closed");
}

int main(int count, char **word) {
    if (count != 3 || !read_options(word[2]))
        return 2;
    test_load(word[1]);
    test_replies();
    test_share(word[1]);
    test_threads();
    test_callers();
    test_fork();
    ok(threads_settle(3), "no thread is left");
    free(options);
    printf("1..%d\n", tests);
    return failures ? 1 : 0;
}
