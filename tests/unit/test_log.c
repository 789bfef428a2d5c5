/* SPDX-License-Identifier: MIT */
/* tsan */
/* What a log shows and hides, counts and keeps; pipes that nobody reads; threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

static char path[512];

static int make_path(void **state) {
    (void)state;
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/vouch-test-log-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(path);
    close(fd);
    return fd < 0;
}

static int drop_path(void **state) {
    (void)state;
    return unlink(path);
}

static struct log *opened(const char *level, const char *file) {
    struct log *log = NULL;
    struct error error = {0};
    assert_int_equal(log_open(level, file, &log, &error), 0);
    assert_non_null(log);
    return log;
}

/* The last line but `back`, behind its time; static. */
static const char *last(struct log *log, size_t back) {
    static char line[1024];
    json_t *lines = log_lines(log);
    size_t count = json_array_size(lines);
    assert_true(count > back);
    const char *text = json_string_value(json_array_get(lines, count - 1 - back));
    int64_t us;
    assert_int_equal(clock_parse(text, strcspn(text, " "), &us), 0);
    snprintf(line, sizeof line, "%s", text + strcspn(text, " ") + 1);
    json_decref(lines);
    return line;
}

static size_t count(struct log *log) {
    json_t *lines = log_lines(log);
    size_t n = json_array_size(lines);
    json_decref(lines);
    return n;
}

static void levels(void **state) {
    (void)state;
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (size_t i = 0; i < 4; i++) {
        struct log *log = opened(names[i], NULL);
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
            log_write(log, (enum log_level)level, "line %d", level);
        }
        assert_int_equal(count(log), i + 1);
        char expected[32];
        snprintf(expected, sizeof expected, "%s line %zu", names[i], i);
        assert_string_equal(last(log, 0), expected);
        log_close(log);
    }
    struct log *log = opened(NULL, "");
    log_write(log, LOG_INFO, "not seen");
    log_write(log, LOG_WARNING, "seen");
    assert_int_equal(count(log), 1);
    log_close(log);
    log_close(NULL);
    log_write(NULL, LOG_ERROR, "nowhere");
    log_tick(NULL, 0);
    assert_int_equal(count(NULL), 0);
}

static void refused(void **state) {
    (void)state;
    struct log *log;
    struct error error = {0};
    assert_int_equal(log_open("loud", NULL, &log, &error), ERROR_INVALID);
    assert_null(log);
    assert_string_equal(error.pointer, "/log/level");
    error = (struct error){0};
    assert_int_equal(log_open("info", "/nonexistent/folder/log", &log, &error),
                     ERROR_INVALID);
    assert_null(log);
    assert_string_equal(error.pointer, "/log/file");
    assert_non_null(strstr(error.detail, "No such file"));
}

static void masked(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"plain text, no secrets", "plain text, no secrets"},
        {"to anna@example.test failed", "to [address] failed"},
        {"<anna@example.test>: 550", "<[address]>: 550"},
        {"anna@example.test.", "[address]."},
        {"a@b.c,d@e.f;g@h.i", "[address],[address];[address]"},
        {"O'Brien: o'brien+x@example.test", "O'Brien: [address]"},
        {"\"anna b\"@example.test x", "[address] x"},
        {"\"quoted\" text", "\"quoted\" text"},
        {"anna@[192.0.2.1] x", "[address] x"},
        {"anna@", "[address]"},
        {"@alone", "@alone"},
        {"a @ b", "a @ b"},
        {"jānis@bücher.example", "[address]"},
        {"/u/?m=anna%40example.test&x", "[address]"},
        {"postgresql://vouch:pass@host/db", "postgresql://vouch:[address]/db"},
        {"a@b@c.test", "[address]"},
        {"https://shop.test/r/r4bnWsa7O9QZF1SHCTUq85kx-IoaylfGWYl_FGlXXCw",
         "https://shop.test/r/[token]"},
        {"review_decision_requires_an_operator_and_a_ground_to_reject",
         "review_decision_requires_an_operator_and_a_ground_to_reject"},
        {"one\nerror forged", "one\\x0aerror forged"},
        {"\x1B[31mred\x7F\xC2\x9B", "\\x1b[31mred\\x7f\\x9b"},
        {"a\xE2\x80\xAE\xE2\x80\xA8z", "a\\u202e\\u2028z"},
        {"ill\xFF\xC3", "ill??"},
        {"100% {{x}} ${y} %s%n", "100% {{x}} ${y} %s%n"},
        {"", ""},
    };
    struct log *log = opened("info", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[512];
        snprintf(expected, sizeof expected, "info %s", cases[i][1]);
        log_write(log, LOG_INFO, "%s", cases[i][0]);
        assert_string_equal(last(log, 0), expected);
        /* the next may look the same */
        log_tick(log, clock_now_us() + INT64_C(11000000));
    }
    log_close(log);
}

/* However long the line and wherever it is cut, nothing of the address stays. */
static void cut_lines(void **state) {
    (void)state;
    static char text[2200];
    struct log *log = opened("info", NULL);
    for (size_t fill = 300; fill < 1100; fill++) {
        memset(text, 'x', fill);
        text[fill / 2] = ' ';
        snprintf(text + fill, sizeof text - fill, " secretive@example.test é%c",
                 (int)('a' + fill % 26));
        log_write(log, LOG_INFO, "%s", text);
        const char *line = last(log, 0);
        assert_null(strstr(line, "secr"));
        assert_null(strstr(line, "exam"));
        assert_true(text_valid(line, strlen(line)));
    }
    log_close(log);
}

/* Addresses shrink, so that the end of what was formatted is seen. */
static void cut_before_masking(void **state) {
    (void)state;
    static char text[2200];
    struct log *log = opened("info", NULL);
    for (int fill = 0; fill < 80; fill++) {
        int n = snprintf(text, sizeof text, "%d %.*s", fill, fill,
                         "                   "
                         "                                                             ");
        while (n < 1200) {
            n += snprintf(text + n, sizeof text - (size_t)n,
                          " secretive-secretive@secretive-example.test");
        }
        log_write(log, LOG_INFO, "%s", text);
        assert_non_null(strstr(last(log, 0), "[address] [address]"));
        assert_null(strstr(last(log, 0), "se"));
    }
    log_close(log);
}

static void repeated(void **state) {
    (void)state;
    struct log *log = opened("info", NULL);
    for (int i = 0; i < 1000; i++) {
        log_write(log, LOG_ERROR, "the same");
        log_write(log, LOG_INFO, "the same"); /* of another level: another line */
        log_write(log, LOG_ERROR, "and another for anna%d@example.test", i);
    }
    assert_int_equal(count(log), 3);
    log_tick(log, clock_now_us() + INT64_C(9000000));
    assert_int_equal(count(log), 3);
    log_tick(log, clock_now_us() + INT64_C(10000001));
    assert_int_equal(count(log), 6);
    assert_string_equal(last(log, 2), "error (999 more) the same");
    assert_string_equal(last(log, 1), "info (999 more) the same");
    assert_string_equal(last(log, 0), "error (999 more) and another for [address]");
    log_tick(log, clock_now_us() + INT64_C(30000000));
    assert_int_equal(count(log), 6);
    log_write(log, LOG_ERROR, "the same");
    assert_int_equal(count(log), 7);
    for (int i = 0; i < 20; i++) { /* pushed out by newer ones: its count is not lost */
        log_write(log, LOG_INFO, "the same");
        log_write(log, LOG_INFO, "number %d", i % 12);
    }
    log_close(log);
}

static void ring_keeps_a_hundred(void **state) {
    (void)state;
    struct log *log = opened("info", NULL);
    for (int i = 0; i < 250; i++) {
        log_write(log, LOG_INFO, "line %d", i);
    }
    assert_int_equal(count(log), 100);
    assert_string_equal(last(log, 0), "info line 249");
    assert_string_equal(last(log, 99), "info line 150");
    log_close(log);
}

static void file_is_appended(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct log *log = opened("info", path);
        log_write(log, LOG_INFO, "round %d", round);
        log_write(log, LOG_INFO, "round %d", round);
        log_close(log); /* says what it still counts */
    }
    char text[1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    const char *at = text;
    static const char *const ends[] = {" info round 0", " info (1 more) round 0",
                                       " info round 1", " info (1 more) round 1"};
    for (size_t i = 0; i < 4; i++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        size_t expected = strlen(ends[i]);
        assert_memory_equal(end - expected, ends[i], expected);
        at = end + 1;
    }
    assert_int_equal(*at, '\0');
}

static void errno_and_closed_pipes(void **state) {
    (void)state;
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    struct log *log = opened("info", "-");
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    errno = EILSEQ;
    log_write(log, LOG_INFO, "nobody reads this");
    int after = errno;
    dup2(saved, STDERR_FILENO);
    close(ends[1]);
    close(saved);
    assert_int_equal(after, EILSEQ);
    sigset_t pending, blocked;
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    assert_int_equal(sigismember(&blocked, SIGPIPE), 0);
    assert_string_equal(last(log, 0), "info nobody reads this");
    log_close(log);
}

static void *write_many(void *log) {
    for (int i = 0; i < 300; i++) {
        log_write(log, LOG_INFO, "thread line %d", i % 30);
        json_decref(log_lines(log));
    }
    return NULL;
}

static void threads(void **state) {
    (void)state;
    pthread_t made[4];
    struct log *log = opened("info", path);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&made[i], NULL, write_many, log), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(made[i], NULL);
    }
    assert_int_equal(count(log), 100);
    log_close(log);
}

static void no_memory(void **state) {
    (void)state;
#ifdef VOUCH_TEST_ALLOC
    struct log *log;
    struct error error = {0};
    memory_fail_at(1, false);
    int code = log_open("info", path, &log, &error);
    memory_fail_at(0, false);
    assert_int_equal(code, ERROR_FAILED);
    assert_null(log);
    log = opened("info", NULL);
    memory_fail_at(1, true);
    log_write(log, LOG_INFO, "without memory");
    memory_fail_at(0, false);
    assert_string_equal(last(log, 0), "info without memory");
    log_close(log);
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(refused),
        cmocka_unit_test(masked),
        cmocka_unit_test(cut_lines),
        cmocka_unit_test(cut_before_masking),
        cmocka_unit_test(repeated),
        cmocka_unit_test(ring_keeps_a_hundred),
        cmocka_unit_test(file_is_appended),
        cmocka_unit_test(errno_and_closed_pipes),
        cmocka_unit_test(threads),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests_name("log", tests, make_path, drop_path);
}
