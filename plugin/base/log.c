/* SPDX-License-Identifier: MIT */
/* Formatting, masking and counting under one lock into memory of fixed size; the writes
 * follow outside the lock. Nothing here allocates after log_open but log_lines. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log_mask.h"
#include "base/memory.h"

#define RING_LINES 100
#define LINE_BYTES (LOG_MESSAGE_BYTES + 96) /* time, level, count, NUL */
#define RECENT 8                            /* different messages counted at a time */
#define REPEAT_US INT64_C(10000000)

struct recent {
    int64_t first_us;
    unsigned long more; /* times seen again */
    enum log_level level;
    char message[LOG_MESSAGE_BYTES]; /* "" for an unused one, first_us then 0 */
};

struct log {
    pthread_mutex_t mutex;
    enum log_level level;
    int fd; /* -1: the ring alone */
    size_t next, count;
    struct recent recent[RECENT];
    char ring[RING_LINES][LINE_BYTES];
};

/* Lines made under the lock, to be written after it. */
struct batch {
    size_t count;
    char lines[RECENT + 2][LINE_BYTES];
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
#define LEVELS (sizeof level_names / sizeof *level_names)

static int level_parse(const char *name, enum log_level *level) {
    for (size_t i = 0; i < LEVELS; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return ERROR_INVALID;
}

static int file_open(const char *file, int *fd, struct error *error) {
    *fd = -1;
    if (!file || file[0] == '\0') {
        return 0;
    }
    if (strcmp(file, "-") == 0) {
        *fd = STDERR_FILENO;
        return 0;
    }
    /* O_NONBLOCK: opening a pipe that nobody reads would wait. */
    *fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
               0640);
    if (*fd < 0) {
        char buffer[128];
        const char *why = strerror_r(errno, buffer, sizeof buffer);
        return error_set(error, ERROR_INVALID, "/log/file",
                         "The log file cannot be opened: %s.", why);
    }
    return 0;
}

static void file_close(int fd) {
    if (fd >= 0 && fd != STDERR_FILENO) {
        close(fd);
    }
}

int log_open(const char *level, const char *file, struct log **log, struct error *error) {
    enum log_level least = LOG_WARNING;
    int fd = -1;
    *log = NULL;
    if (level && level_parse(level, &least) != 0) {
        return error_set(error, ERROR_INVALID, "/log/level",
                         "The log level must be error, warning, info or debug.");
    }
    int code = file_open(file, &fd, error);
    if (code != 0) {
        return code;
    }
    struct log *made = memory_zero(1, sizeof *made);
    if (!made || pthread_mutex_init(&made->mutex, NULL) != 0) {
        memory_free(made);
        file_close(fd);
        return error_set(error, ERROR_FAILED, "", "There is no memory for the log.");
    }
    made->level = least;
    made->fd = fd;
    *log = made;
    return 0;
}

/* Under the lock: into the ring and the batch. */
static void put_line(struct log *log, struct batch *batch, enum log_level level,
                     unsigned long more, const char *message) {
    char when[32], *line = log->ring[log->next];
    clock_format(clock_wall_us(), when);
    if (more > 0) {
        snprintf(line, LINE_BYTES, "%s %s (%lu more) %s", when, level_names[level], more,
                 message);
    } else {
        snprintf(line, LINE_BYTES, "%s %s %s", when, level_names[level], message);
    }
    log->next = (log->next + 1) % RING_LINES;
    log->count += log->count < RING_LINES;
    memcpy(batch->lines[batch->count++], line, LINE_BYTES);
}

/* Under the lock: the message is no longer counted; what was counted is said. */
static void retire(struct log *log, struct batch *batch, struct recent *recent) {
    if (recent->message[0] != '\0' && recent->more > 0) {
        put_line(log, batch, recent->level, recent->more, recent->message);
    }
    recent->message[0] = '\0';
    recent->more = 0;
    recent->first_us = 0;
}

static void retire_before(struct log *log, struct batch *batch, int64_t before_us) {
    for (size_t i = 0; i < RECENT; i++) {
        if (log->recent[i].first_us < before_us) {
            retire(log, batch, &log->recent[i]);
        }
    }
}

/* Under the lock: true when the message was written less than 10 s ago, and is counted. */
static bool counted(struct log *log, struct batch *batch, enum log_level level,
                    const char *message, int64_t now_us) {
    struct recent *oldest = &log->recent[0];
    for (size_t i = 0; i < RECENT; i++) {
        struct recent *recent = &log->recent[i];
        bool used = recent->message[0] != '\0';
        if (used && recent->level == level && strcmp(recent->message, message) == 0) {
            recent->more++;
            return true;
        }
        oldest = recent->first_us < oldest->first_us ? recent : oldest;
    }
    retire(log, batch, oldest);
    oldest->first_us = now_us;
    oldest->level = level;
    snprintf(oldest->message, sizeof oldest->message, "%s", message);
    return false;
}

/* A line is one write. A reader gone must not kill the host: SIGPIPE is held back in this
 * thread and taken away again if it was ours. */
static void write_batch(int fd, const struct batch *batch) {
    sigset_t pipe_only, before, pending;
    const struct timespec now = {0};
    if (fd < 0 || batch->count == 0) {
        return;
    }
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    if (pthread_sigmask(SIG_BLOCK, &pipe_only, &before) != 0) {
        return;
    }
    bool broken = false;
    for (size_t i = 0; i < batch->count && !broken; i++) {
        char line[LINE_BYTES + 1];
        size_t length = strlen(batch->lines[i]);
        memcpy(line, batch->lines[i], length);
        line[length] = '\n';
        ssize_t written = write(fd, line, length + 1);
        broken = written < 0 && errno == EPIPE;
    }
    if (broken && !sigismember(&pending, SIGPIPE)) {
        sigtimedwait(&pipe_only, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void log_close(struct log *log) {
    if (!log) {
        return;
    }
    struct batch batch = {.count = 0};
    pthread_mutex_lock(&log->mutex);
    retire_before(log, &batch, INT64_MAX);
    pthread_mutex_unlock(&log->mutex);
    write_batch(log->fd, &batch);
    file_close(log->fd);
    pthread_mutex_destroy(&log->mutex);
    memory_free(log);
}

void log_write(struct log *log, enum log_level level, const char *format, ...) {
    if (!log || level > log->level) {
        return;
    }
    int saved = errno;
    char message[LOG_MESSAGE_BYTES];
    va_list list;
    va_start(list, format);
    log_message(message, format, list);
    va_end(list);

    struct batch batch;
    batch.count = 0;
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&log->mutex);
    retire_before(log, &batch, now_us - REPEAT_US);
    if (!counted(log, &batch, level, message, now_us)) {
        put_line(log, &batch, level, 0, message);
    }
    pthread_mutex_unlock(&log->mutex);
    write_batch(log->fd, &batch);
    errno = saved;
}

void log_tick(struct log *log, int64_t now_us) {
    if (!log) {
        return;
    }
    int saved = errno;
    struct batch batch;
    batch.count = 0;
    pthread_mutex_lock(&log->mutex);
    retire_before(log, &batch, now_us - REPEAT_US);
    pthread_mutex_unlock(&log->mutex);
    write_batch(log->fd, &batch);
    errno = saved;
}

json_t *log_lines(struct log *log) {
    json_t *lines = json_array();
    if (!log || !lines) {
        return lines;
    }
    pthread_mutex_lock(&log->mutex);
    for (size_t i = 0; i < log->count; i++) {
        size_t at = (log->next + RING_LINES - log->count + i) % RING_LINES;
        if (json_array_append_new(lines, json_string(log->ring[at])) != 0) {
            json_decref(lines);
            lines = NULL;
            break;
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return lines;
}
