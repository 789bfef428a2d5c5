/* SPDX-License-Identifier: MIT */
/* tsan */
/* The spool alone, among threads and processes, killed, full, and with files that are not
 * its own. Synchronisation to disk is counted by standing in for libc's functions. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/spool.h"

/* --- libc, counted and made to fail */
static atomic_int syncs;
static atomic_int sync_error, write_error;

__attribute__((visibility("default"))) int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    atomic_fetch_add(&syncs, 1);
    errno = atomic_load(&sync_error);
    return errno ? -1 : real(fd);
}

__attribute__((visibility("default"))) int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    atomic_fetch_add(&syncs, 1);
    errno = atomic_load(&sync_error);
    return errno ? -1 : real(fd);
}

__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    errno = atomic_load(&write_error);
    return errno ? -1 : real(fd, bytes, n, at);
}

/* --- the rig */
static char folder[64], path[128];

static int64_t in_ms(int ms) {
    return clock_now_us() + ms * INT64_C(1000);
}

static int fresh(void **state) {
    (void)state;
    strcpy(folder, "/tmp/vouch-spool-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.spool", folder);
    return 0;
}

static int swept(void **state) {
    (void)state;
    glob_t found;
    char all[80];
    atomic_store(&sync_error, 0);
    atomic_store(&write_error, 0);
    snprintf(all, sizeof all, "%s/*", folder);
    if (glob(all, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
            rmdir(found.gl_pathv[i]);
        }
        globfree(&found);
    }
    return rmdir(folder);
}

static size_t files(const char *pattern) {
    glob_t found;
    char all[200];
    snprintf(all, sizeof all, "%s/%s", folder, pattern);
    size_t n = glob(all, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    if (n > 0) {
        globfree(&found);
    }
    return n;
}

static size_t descriptors(void) {
    glob_t found;
    size_t n = glob("/proc/self/fd/*", 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

static struct spool *opened(void) {
    struct error error = {0};
    struct spool *spool = NULL;
    assert_int_equal(spool_open(path, &spool, &error), 0);
    return spool;
}

static int put(struct spool *spool, const char *store, const char *event,
               struct error *error) {
    size_t length = strlen(event);
    return spool_put(spool, store, &event, &length, 1, in_ms(5000), error);
}

static void must_put(struct spool *spool, const char *store, const char *event) {
    struct error error = {0};
    int code = put(spool, store, event, &error);
    if (code != 0) {
        print_message("# %s\n", error.detail);
    }
    assert_int_equal(code, 0);
}

static size_t must_take(struct spool *spool, int lease_ms, struct spool_entry **entries) {
    struct error error = {0};
    size_t count = 0;
    int code = spool_take(spool, NULL, lease_ms, 1000, entries, &count, &error);
    if (code != 0) {
        print_message("# %s\n", error.detail);
    }
    assert_int_equal(code, 0);
    return count;
}

/* Takes everything and removes it; how many there were. */
static size_t drain(struct spool *spool) {
    size_t all = 0, count;
    struct spool_entry *entries;
    while ((count = must_take(spool, 60000, &entries)) > 0) {
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(spool_done(spool, &entries[i].id, 1, NULL), 0);
        }
        spool_entries_free(entries, count);
        all += count;
    }
    return all;
}

static void expect_counts(struct spool *spool, int64_t waiting, int64_t failed) {
    int64_t w = -1, f = -1;
    assert_int_equal(spool_count(spool, &w, &f, NULL), 0);
    assert_int_equal(w, waiting);
    assert_int_equal(f, failed);
}

static void expect_warning(struct spool *spool, const char *part) {
    char *warning = spool_warning(spool);
    assert_non_null(warning);
    assert_non_null(strstr(warning, part));
    assert_non_null(strstr(warning, path));
    memory_free(warning);
    assert_null(spool_warning(spool));
}

/* --- alone */
static void test_round(void **state) {
    (void)state;
    size_t before = descriptors();
    struct spool *spool = opened();
    struct spool_entry *entries = NULL;
    assert_int_equal(files("*"), 0);
    expect_counts(spool, 0, 0);
    assert_int_equal(must_take(spool, 1000, &entries), 0);
    assert_null(entries);
    assert_int_equal(files("*"), 0);
    const char *events[] = {"{\"a\":1}", "", "{\"b\":\"\xc4\x93\"}"};
    size_t lengths[] = {7, 0, 10};
    assert_int_equal(spool_put(spool, "main", events, lengths, 3, in_ms(1000), NULL), 0);
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(descriptors(), before);
    expect_counts(spool, 3, 0);
    assert_int_equal(must_take(spool, 60000, &entries), 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(entries[i].store, "main");
        assert_string_equal(entries[i].event, events[i]);
        assert_int_equal(entries[i].length, lengths[i]);
        assert_int_equal(entries[i].takes, 0);
        assert_true(i == 0 || entries[i].id > entries[i - 1].id);
    }
    int64_t ids[] = {entries[0].id, entries[2].id, 4711};
    assert_int_equal(spool_done(spool, ids, 3, NULL), 0);
    expect_counts(spool, 1, 0);
    assert_int_equal(spool_fail(spool, entries[1].id, "not an event", NULL), 0);
    expect_counts(spool, 0, 1);
    spool_entries_free(entries, 3);
    assert_int_equal(must_take(spool, 1000, &entries), 0);
    expect_counts(spool, 0, 1);
    assert_null(spool_warning(spool));
    assert_int_equal(descriptors(), before);
    spool_close(spool);
    spool_close(NULL);
    spool_entries_free(NULL, 0);
}

static void test_lease(void **state) {
    (void)state;
    struct spool *a = opened(), *b = opened();
    struct spool_entry *entries, *others;
    must_put(a, "one", "1");
    must_put(a, "two", "2");
    must_put(a, "one", "3");
    size_t count = 0;
    assert_int_equal(spool_take(a, NULL, 60000, 1, &entries, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(must_take(b, 250, &others), 1);
    assert_string_equal(others[0].store, "two");
    int64_t ids[] = {entries[0].id};
    spool_entries_free(others, 1);
    assert_int_equal(must_take(b, 1000, &others), 0);
    assert_int_equal(spool_return(a, ids, 1, NULL), 0);
    spool_entries_free(entries, 1);
    assert_int_equal(must_take(b, 60000, &others), 2);
    assert_string_equal(others[0].event, "1");
    assert_string_equal(others[1].event, "3");
    assert_int_equal(others[0].takes, 0);
    spool_entries_free(others, 2);
    usleep(300000);
    assert_int_equal(must_take(a, 60000, &entries), 1);
    assert_string_equal(entries[0].event, "2");
    assert_int_equal(entries[0].takes, 1);
    spool_entries_free(entries, 1);
    spool_close(a);
    spool_close(b);
}

static void test_synchronised(void **state) {
    (void)state;
    struct spool *spool = opened();
    must_put(spool, "s", "first");
    for (int i = 0; i < 5; i++) {
        int before = atomic_load(&syncs);
        must_put(spool, "s", "event");
        assert_true(atomic_load(&syncs) > before);
    }
    struct error error = {0};
    atomic_store(&sync_error, EIO);
    assert_int_equal(put(spool, "s", "lost", &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, path));
    atomic_store(&sync_error, 0);
    must_put(spool, "s", "after");
    spool_close(spool);
}

static void test_bad_place(void **state) {
    (void)state;
    struct error error = {0};
    struct spool *spool = NULL;
    assert_int_equal(spool_open("", &spool, &error), ERROR_INVALID);
    assert_int_equal(spool_open(NULL, &spool, NULL), ERROR_INVALID);
    char deep[100];
    memset(&error, 0, sizeof error);
    snprintf(deep, sizeof deep, "%s/none/a.spool", folder);
    assert_int_equal(spool_open(deep, &spool, &error), 0);
    char *warning = spool_warning(spool);
    assert_non_null(strstr(warning, deep));
    memory_free(warning);
    assert_int_equal(put(spool, "s", "x", &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, deep));
    assert_non_null(strstr(error.detail, "No such file"));
    expect_counts(spool, 0, 0);
    spool_close(spool);
    memset(&error, 0, sizeof error);
    mkdir(path, 0700);
    spool = opened();
    assert_int_equal(put(spool, "s", "x", &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, "not a file"));
    assert_int_equal(files("*"), 1);
    spool_close(spool);
    rmdir(path);
    if (getuid() != 0) {
        memset(&error, 0, sizeof error);
        chmod(folder, 0500);
        spool = opened();
        assert_int_equal(put(spool, "s", "x", &error), ERROR_UNAVAILABLE);
        chmod(folder, 0700);
        spool_close(spool);
    }
    char here[400];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(spool_open("a.spool", &spool, NULL), 0);
    assert_int_equal(chdir(here), 0);
    must_put(spool, "s", "x");
    assert_int_equal(files("a.spool"), 1);
    spool_close(spool);
}

static void test_disk_full(void **state) {
    (void)state;
    struct spool *spool = opened();
    struct error error = {0};
    atomic_store(&write_error, ENOSPC);
    assert_int_equal(put(spool, "s", "x", &error), ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.detail, "full"));
    assert_non_null(strstr(error.detail, path));
    atomic_store(&write_error, 0);
    must_put(spool, "s", "kept");
    atomic_store(&write_error, ENOSPC);
    assert_int_equal(put(spool, "s", "x", NULL), ERROR_UNAVAILABLE);
    atomic_store(&write_error, 0);
    assert_int_equal(drain(spool), 1);
    assert_int_equal(files("*.broken*"), 0);
    spool_close(spool);
}

/* --- files that are not ours */
static void write_bytes(const char *name, const char *bytes, size_t n) {
    FILE *file = fopen(name, "w");
    fwrite(bytes, 1, n, file);
    fclose(file);
}

static void sql(const char *statements) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void flip(long at, size_t n) {
    FILE *file = fopen(path, "r+");
    fseek(file, at, SEEK_SET);
    for (size_t i = 0; i < n; i++) {
        fputc(0x5a, file);
    }
    fclose(file);
}

static void test_foreign(void **state) {
    (void)state;
    static const char *const parts[] = {"corrupt", "another program", "newer version",
                                        "corrupt"};
    for (int kind = 0; kind < 4; kind++) {
        swept(NULL);
        fresh(NULL);
        struct spool *spool = opened();
        if (kind == 0) {
            char noise[9000];
            memset(noise, 'n', sizeof noise);
            write_bytes(path, noise, sizeof noise);
        } else if (kind == 1) {
            sql("create table orders(id); insert into orders values (1), (2)");
        } else if (kind == 2) {
            must_put(spool, "s", "old");
            sql("pragma user_version = 2");
        } else {
            must_put(spool, "s", "old");
            sql("pragma wal_checkpoint(truncate)");
            flip(0, 100);
        }
        must_put(spool, "s", "new");
        expect_warning(spool, parts[kind]);
        assert_int_equal(drain(spool), 1);
        assert_true(files("a.spool.broken-*Z") == 1);
        if (kind == 1) {
            char all[200];
            glob_t found;
            sqlite3 *db = NULL;
            snprintf(all, sizeof all, "%s.broken-*Z", path);
            assert_int_equal(glob(all, 0, NULL, &found), 0);
            assert_int_equal(sqlite3_open(found.gl_pathv[0], &db), SQLITE_OK);
            assert_int_equal(sqlite3_exec(db, "select id from orders", NULL, NULL, NULL),
                             SQLITE_OK);
            sqlite3_close(db);
            globfree(&found);
        }
        spool_close(spool);
    }
}

static void test_damaged(void **state) {
    (void)state;
    struct spool *spool = opened();
    struct spool_entry *entries;
    char large[3000];
    memset(large, 'e', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    for (int i = 0; i < 50; i++) {
        must_put(spool, "s", large);
    }
    assert_int_equal(must_take(spool, 1, &entries), 50);
    int64_t highest = entries[49].id;
    spool_entries_free(entries, 50);
    sql("pragma wal_checkpoint(truncate)");
    assert_int_equal(truncate(path, 20000), 0);
    must_put(spool, "s", "after");
    expect_warning(spool, "corrupt");
    assert_int_equal(must_take(spool, 60000, &entries), 1);
    assert_true(entries[0].id > highest);
    spool_entries_free(entries, 1);
    /* truncated to nothing beside its log */
    must_put(spool, "s", "again");
    assert_true(files("a.spool-wal") == 1);
    assert_int_equal(truncate(path, 0), 0);
    must_put(spool, "s", "after");
    expect_warning(spool, "lost its contents");
    assert_int_equal(drain(spool), 1);
    /* pages of rubbish in the middle */
    for (int i = 0; i < 50; i++) {
        must_put(spool, "s", large);
    }
    sql("pragma wal_checkpoint(truncate)");
    flip(8192, 40000);
    size_t count = 0;
    struct error error = {0};
    assert_int_equal(spool_take(spool, NULL, 60000, 1000, &entries, &count, &error), 0);
    assert_int_equal(count, 0);
    expect_warning(spool, "corrupt");
    spool_close(spool);
}

static void test_removed(void **state) {
    (void)state;
    struct spool *spool = opened();
    must_put(spool, "s", "1");
    swept(NULL);
    mkdir(folder, 0700);
    must_put(spool, "s", "2");
    assert_int_equal(drain(spool), 1);
    spool_close(spool);
}

/* --- others */
static void test_busy(void **state) {
    (void)state;
    struct spool *spool = opened();
    must_put(spool, "s", "1");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    struct error error = {0};
    const char *event = "2";
    size_t one = 1;
    int64_t begin = clock_now_us();
    assert_int_equal(spool_put(spool, "s", &event, &one, 1, in_ms(200), &error),
                     ERROR_UNAVAILABLE);
    assert_in_range(clock_now_us() - begin, 190000, 400000);
    assert_non_null(strstr(error.detail, "busy"));
    sqlite3_exec(db, "rollback", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_int_equal(drain(spool), 1);
    spool_close(spool);
}

struct crowd {
    struct spool *spool;
    atomic_int failed, drained;
    atomic_bool stop;
};

static void *crowd_put(void *argument) {
    struct crowd *crowd = argument;
    for (int i = 0; i < 40; i++) {
        struct error error = {0};
        if (put(crowd->spool, i % 2 ? "odd" : "even", "event", &error) != 0) {
            print_message("# %s\n", error.detail);
            atomic_fetch_add(&crowd->failed, 1);
        }
    }
    return NULL;
}

static void *crowd_drain(void *argument) {
    struct crowd *crowd = argument;
    while (!atomic_load(&crowd->stop)) {
        struct spool_entry *entries = NULL;
        size_t count = 0;
        if (spool_take(crowd->spool, NULL, 60000, 7, &entries, &count, NULL) == 0) {
            for (size_t i = 0; i < count; i++) {
                if (spool_done(crowd->spool, &entries[i].id, 1, NULL) == 0) {
                    atomic_fetch_add(&crowd->drained, 1);
                }
            }
        }
        spool_entries_free(entries, count);
        usleep(2000);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct crowd crowd = {.spool = opened()};
    pthread_t threads[16], drainers[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&drainers[i], NULL, crowd_drain, &crowd);
    }
    for (int i = 0; i < 16; i++) {
        pthread_create(&threads[i], NULL, crowd_put, &crowd);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
    }
    atomic_store(&crowd.stop, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(drainers[i], NULL);
    }
    assert_int_equal(atomic_load(&crowd.failed), 0);
    char *warning = spool_warning(crowd.spool);
    if (warning) {
        print_message("# %s\n", warning);
    }
    assert_null(warning);
    int rest = (int)drain(crowd.spool);
    assert_int_equal(atomic_load(&crowd.drained) + rest, 16 * 40);
    expect_counts(crowd.spool, 0, 0);
    spool_close(crowd.spool);
}

/* Writers say on a pipe what was accepted, and are killed while they write. */
static pid_t writer(int number, int out) {
    pid_t child = fork();
    if (child != 0) {
        return child;
    }
    struct spool *spool = NULL;
    bool good = spool_open(path, &spool, NULL) == 0;
    for (int i = 0; i < 100000 && good; i++) {
        char event[40];
        snprintf(event, sizeof event, "%d-%d", number, i);
        const char *events[] = {event};
        size_t length = strlen(event);
        if (spool_put(spool, "s", events, &length, 1, in_ms(5000), NULL) == 0) {
            char line[40] = "";
            strcpy(line, event);
            good = write(out, line, sizeof line) == sizeof line;
        }
    }
    _exit(0);
}

static void test_killed(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    fcntl(ends[1], F_SETFL, 0);
    static char accepted[100000][40];
    size_t n = 0;
    for (int round = 0; round < 12; round++) {
        pid_t children[3];
        for (int i = 0; i < 3; i++) {
            children[i] = writer(round * 3 + i, ends[1]);
        }
        int64_t until = in_ms(30 + 17 * round);
        while (clock_now_us() < until) {
            while (n < 100000 && read(ends[0], accepted[n], 40) == 40) {
                n++;
            }
            usleep(500);
        }
        for (int i = 0; i < 3; i++) {
            kill(children[i], SIGKILL);
            waitpid(children[i], NULL, 0);
        }
        while (n < 100000 && read(ends[0], accepted[n], 40) == 40) {
            n++;
        }
    }
    close(ends[0]);
    close(ends[1]);
    struct spool *spool = opened();
    struct spool_entry *entries;
    size_t count, found = 0, all = 0;
    while ((count = must_take(spool, 60000, &entries)) > 0) {
        int64_t ids[1000];
        for (size_t i = 0; i < count; i++) {
            ids[i] = entries[i].id;
            for (size_t k = 0; k < n; k++) {
                if (strcmp(accepted[k], entries[i].event) == 0) {
                    accepted[k][0] = '\0';
                    found++;
                    break;
                }
            }
        }
        all += count;
        assert_int_equal(spool_done(spool, ids, count, NULL), 0);
        spool_entries_free(entries, count);
    }
    print_message("# %zu accepted, %zu in the spool\n", n, all);
    assert_true(n > 20);
    assert_int_equal(found, n);
    assert_in_range(all - n, 0, 36);
    assert_int_equal(files("*.broken*"), 0);
    spool_close(spool);
}

static void *put_until(void *argument) {
    struct crowd *crowd = argument;
    while (!atomic_load(&crowd->stop)) {
        if (put(crowd->spool, "s", "event", NULL) == 0) {
            atomic_fetch_add(&crowd->drained, 1);
        }
        usleep(300);
    }
    return NULL;
}

/* A child forked while a thread is inside is refused, any other works; the parent never
 * notices. */
static void test_forked(void **state) {
    (void)state;
    struct crowd crowd = {.spool = opened()};
    pthread_t thread;
    must_put(crowd.spool, "s", "event");
    pthread_create(&thread, NULL, put_until, &crowd);
    int worked = 0, refused = 0;
    for (int i = 0; i < 40; i++) {
        pid_t child = fork();
        if (child == 0) {
            struct spool *own = NULL;
            struct error error = {0};
            alarm(20);
            int code = spool_open(path, &own, &error);
            code = code ? code : put(own, "s", "child", &error);
            bool told = code == ERROR_UNAVAILABLE && strstr(error.detail, "forked");
            _exit(code == 0 ? 0 : told ? 1 : 2);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        worked += WEXITSTATUS(status) == 0;
        refused += WEXITSTATUS(status) == 1;
        usleep(700);
    }
    atomic_store(&crowd.stop, true);
    pthread_join(thread, NULL);
    print_message("# %d children worked, %d were refused\n", worked, refused);
    assert_int_equal(drain(crowd.spool), 1 + worked + atomic_load(&crowd.drained));
    assert_int_equal(files("*.broken*"), 0);
    spool_close(crowd.spool);
}

/* Many processes find the same broken file at once: it is set aside once. */
static void test_aside_once(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        swept(NULL);
        fresh(NULL);
        char noise[5000];
        memset(noise, 'x', sizeof noise);
        write_bytes(path, noise, sizeof noise);
        pid_t children[6];
        for (int i = 0; i < 6; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                struct spool *own = NULL;
                int code = spool_open(path, &own, NULL);
                for (int k = 0; k < 5 && code == 0; k++) {
                    struct error error = {0};
                    code = put(own, "s", "event", &error);
                    if (code != 0) {
                        print_message("# %s\n", error.detail);
                    }
                }
                _exit(code == 0 ? 0 : 1);
            }
        }
        for (int i = 0; i < 6; i++) {
            int status;
            waitpid(children[i], &status, 0);
            assert_int_equal(status, 0);
        }
        struct spool *spool = opened();
        assert_int_equal(files("a.spool.broken-*Z"), 1);
        assert_int_equal(files("a.spool.broken-*Z-*"), 0);
        assert_int_equal(drain(spool), 30);
        spool_close(spool);
    }
}

/* What was replayed is gone from the disk. */
static void test_no_trace(void **state) {
    (void)state;
    struct spool *spool = opened();
    for (int i = 0; i < 200; i++) {
        must_put(spool, "s", "{\"email\":\"anna@example.test\"}");
    }
    assert_int_equal(drain(spool), 200);
    char command[300];
    snprintf(command, sizeof command, "grep -q anna@example %s/*", folder);
    assert_int_not_equal(system(command), 0);
    spool_close(spool);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, swept)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_round),      CASE(test_lease),     CASE(test_synchronised),
        CASE(test_bad_place),  CASE(test_disk_full), CASE(test_foreign),
        CASE(test_damaged),    CASE(test_removed),   CASE(test_busy),
        CASE(test_threads),    CASE(test_killed),    CASE(test_forked),
        CASE(test_aside_once), CASE(test_no_trace),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
