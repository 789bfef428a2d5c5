/* SPDX-License-Identifier: MIT */
/* Naming, making and setting aside; one process at a time renames, under a lock on the
 * folder. */
#include "io/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/spool.h"

#define NAME_SIZE (SPOOL_PATH_MOST + 64)
#define NAMES_MOST 100 /* files set aside within one second */
#define LOCK_LOOK_MS 5

const char *spool_file_reason(int number, char out[128]) {
    return strerror_r(number, out, 128);
}

static int file_unavailable(const char *path, int number, struct error *error) {
    char reason[128];
    return error_set(error, ERROR_UNAVAILABLE, NULL, "the spool %s: %s", path,
                     spool_file_reason(number, reason));
}

static bool file_log(const char *path) {
    char name[NAME_SIZE];
    struct stat log;
    snprintf(name, sizeof name, "%s-wal", path);
    return lstat(name, &log) == 0 && log.st_size > 0;
}

/* The log first: content comes before a log and goes after it, so in this order neither a
 * new file nor one that is being set aside looks like one that lost its content. */
int spool_file_look(const char *path, struct spool_mark *mark, struct error *error) {
    struct stat file;
    bool log = file_log(path);
    memset(mark, 0, sizeof *mark);
    if (stat(path, &file) != 0) {
        mark->orphaned = errno == ENOENT && log;
        return errno == ENOENT ? 0 : file_unavailable(path, errno, error);
    }
    if (!S_ISREG(file.st_mode)) {
        return error_set(error, ERROR_UNAVAILABLE, NULL, "the spool %s is not a file",
                         path);
    }
    mark->there = file.st_size > 0;
    mark->device = file.st_dev;
    mark->inode = file.st_ino;
    mark->orphaned = file.st_size == 0 && log;
    return 0;
}

bool spool_file_same(const char *path, const struct spool_mark *mark) {
    struct spool_mark now;
    return spool_file_look(path, &now, NULL) == 0 && now.there == mark->there &&
           now.inode == mark->inode && now.device == mark->device &&
           now.orphaned == mark->orphaned;
}

/* The folder, locked against other processes that make or rename; -1 with the error. */
static int file_lock(const char *path, int64_t deadline_us, struct error *error) {
    char name[NAME_SIZE];
    size_t n = (size_t)(strrchr(path, '/') - path);
    n = n > 0 ? n : 1;
    memcpy(name, path, n);
    name[n] = '\0';
    int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        file_unavailable(path, errno, error);
        return -1;
    }
    while (flock(folder, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_now_us() >= deadline_us) {
            file_unavailable(path, errno, error);
            close(folder);
            return -1;
        }
        poll(NULL, 0, LOCK_LOOK_MS);
    }
    return folder;
}

/* Unlocked by name: a child forked meanwhile shares the lock with its descriptor. */
static void file_unlock(int folder) {
    flock(folder, LOCK_UN);
    close(folder);
}

/* Under the lock, so that what is left of an earlier attempt is nobody's. */
static int file_fill(const char *path, spool_filler fill, int64_t deadline_us,
                     struct error *error) {
    static const char *const parts[] = {"", "-wal", "-shm", "-journal"};
    char draft[NAME_SIZE], part[NAME_SIZE + 8];
    snprintf(draft, sizeof draft, "%s.new", path);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(part, sizeof part, "%s%s", draft, parts[i]);
        unlink(part);
    }
    int fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return file_unavailable(path, errno, error);
    }
    close(fd);
    int code = fill(draft, deadline_us, error);
    if (code == 0 && rename(draft, path) != 0) {
        code = file_unavailable(path, errno, error);
    }
    if (code != 0) {
        unlink(draft);
    }
    return code;
}

int spool_file_make(const char *path, spool_filler fill, int64_t deadline_us,
                    struct error *error) {
    struct spool_mark mark;
    int folder = file_lock(path, deadline_us, error);
    if (folder < 0) {
        return ERROR_UNAVAILABLE;
    }
    int code = spool_file_look(path, &mark, error);
    if (code == 0 && !mark.there && !mark.orphaned) {
        code = file_fill(path, fill, deadline_us, error);
        if (code == 0 && fsync(folder) != 0) {
            code = file_unavailable(path, errno, error);
        }
    }
    file_unlock(folder);
    return code;
}

/* A name that is free, 20261101T100000Z by the host's clock. */
static int file_free_name(const char *path, char *name, size_t size) {
    char time[32], stamp[32];
    size_t n = 0;
    clock_format(clock_wall_us(), time);
    for (const char *c = time; *c && *c != '.' && *c != 'Z'; c++) {
        if (*c != '-' && *c != ':') {
            stamp[n++] = *c;
        }
    }
    stamp[n] = '\0';
    for (int i = 0; i < NAMES_MOST; i++) {
        struct stat file;
        char more[8] = "";
        if (i > 0) {
            snprintf(more, sizeof more, "-%d", i);
        }
        snprintf(name, size, "%s.broken-%sZ%s", path, stamp, more);
        if (lstat(name, &file) != 0 && errno == ENOENT) {
            return 0;
        }
    }
    return EEXIST;
}

/* The file first: should we die in between, a log without content is found and moved. */
static int file_move(const char *path, const char *name) {
    static const char *const parts[] = {"", "-wal", "-shm", "-journal"};
    int number = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char from[NAME_SIZE], to[NAME_SIZE + 8];
        snprintf(from, sizeof from, "%s%s", path, parts[i]);
        snprintf(to, sizeof to, "%s%s", name, parts[i]);
        if (rename(from, to) != 0 && errno != ENOENT && number == 0) {
            number = errno;
        }
    }
    return number;
}

int spool_file_aside(const char *path, const struct spool_mark *mark, int64_t deadline_us,
                     char *name, size_t size, struct error *error) {
    int code = 0;
    name[0] = '\0';
    int folder = file_lock(path, deadline_us, error);
    if (folder < 0) {
        return ERROR_UNAVAILABLE;
    }
    if (spool_file_same(path, mark)) {
        int number = file_free_name(path, name, size);
        number = number ? number : file_move(path, name);
        if (number != 0) {
            name[0] = '\0';
            code = file_unavailable(path, number, error);
        }
        fsync(folder);
    }
    file_unlock(folder);
    return code;
}
