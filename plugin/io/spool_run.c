/* SPDX-License-Identifier: MIT */
/* The spool around its contents: opening, forks, and files that are not ours, not sound,
 * or renamed by another process while we work. What cannot be used is set aside and the
 * call starts over with a new file. */
#include "io/spool_run.h"

#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define TRIES_MOST 4 /* files set aside, or moved under us, in one call */
#define WAIT_MS 2

struct spool {
    char *path;
    _Atomic(char *) warning;
};

/* SQLite keeps what it knows of open files and locks in the process's memory; a child
 * forked while another thread was inside would believe in locks that it does not have.
 * Such a child must never touch the spool. The upper half is the process, the lower the
 * number of calls inside; a copy whose process is not ours and whose number is not 0 tells. */
static _Atomic uint64_t inside;

static bool spool_enter(void) {
    uint64_t self = (uint64_t)getpid() << 32;
    uint64_t now = atomic_load(&inside);
    for (;;) {
        bool own = now >> 32 == self >> 32;
        if (!own && (uint32_t)now > 0) {
            return false;
        }
        if (atomic_compare_exchange_weak(&inside, &now, own ? now + 1 : self + 1)) {
            return true;
        }
    }
}

static void spool_leave(void) {
    atomic_fetch_sub(&inside, 1);
}

static void spool_warn(struct spool *spool, const char *what) {
    char text[2 * SPOOL_PATH_MOST + 200];
    snprintf(text, sizeof text, "the spool %s %s", spool->path, what);
    memory_free(atomic_exchange(&spool->warning, memory_copy(text)));
}

char *spool_warning(struct spool *spool) {
    return atomic_exchange(&spool->warning, NULL);
}

/* The path with the working directory in front, unless it has one. */
static char *spool_absolute(const char *path) {
    char folder[PATH_MAX], whole[PATH_MAX + SPOOL_PATH_MOST + 2];
    if (path[0] == '/') {
        return memory_copy(path);
    }
    if (!getcwd(folder, sizeof folder)) {
        return NULL;
    }
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    return strlen(whole) <= SPOOL_PATH_MOST ? memory_copy(whole) : NULL;
}

int spool_open(const char *path, struct spool **spool, struct error *error) {
    *spool = NULL;
    if (!path || !path[0] || strlen(path) > SPOOL_PATH_MOST) {
        return error_set(error, ERROR_INVALID, NULL,
                         "the spool needs a path of 1 to %d bytes", SPOOL_PATH_MOST);
    }
    struct spool *made = memory_zero(1, sizeof *made);
    if (made) {
        made->path = spool_absolute(path);
    }
    if (!made || !made->path) {
        memory_free(made);
        return error_set(error, ERROR_FAILED, NULL, "no memory for the spool %s", path);
    }
    char *slash = strrchr(made->path, '/');
    *slash = '\0';
    bool there = slash == made->path || access(made->path, W_OK | X_OK) == 0;
    *slash = '/';
    if (!there) {
        spool_warn(made, "cannot be written: its folder is missing or closed to us");
    }
    *spool = made;
    return 0;
}

void spool_close(struct spool *spool) {
    if (spool) {
        memory_free(atomic_load(&spool->warning));
        memory_free(spool->path);
        memory_free(spool);
    }
}

void spool_forget(struct spool *spool) {
    (void)spool;
}

/* Away with what is at path, unless that changed meanwhile. */
static int spool_aside(struct spool *spool, const struct spool_mark *mark,
                       int64_t deadline_us, const char *why, struct error *error) {
    char name[SPOOL_PATH_MOST + 64], told[SPOOL_PATH_MOST + 150];
    int code = spool_file_aside(spool->path, mark, deadline_us, name, sizeof name, error);
    if (code == 0 && name[0]) {
        snprintf(told, sizeof told, "%s; kept as %s", why, name);
        spool_warn(spool, told);
    }
    return code;
}

/* Finds or makes the file; mark->there false: there is none and none is wanted. */
static int spool_find(struct spool *spool, bool make, int64_t deadline_us,
                      struct spool_mark *mark, struct error *error) {
    int code = spool_file_look(spool->path, mark, error);
    if (code == 0 && mark->orphaned) {
        code = spool_aside(spool, mark, deadline_us, "lost its contents", error);
        if (code == 0) {
            code = spool_file_look(spool->path, mark, error);
        }
    }
    if (code == 0 && !mark->there && make) {
        code = spool_file_make(spool->path, spool_fill, deadline_us, error);
        if (code == 0) {
            code = spool_file_look(spool->path, mark, error);
        }
    }
    return code;
}

static int spool_tries(struct spool *spool, bool make, int64_t deadline_us,
                       spool_work work, void *task, struct error *error) {
    for (int tries = 0; tries < TRIES_MOST;) {
        struct spool_mark mark;
        const char *why = NULL;
        int code = spool_find(spool, make, deadline_us, &mark, error);
        if (code != 0 || (!mark.there && !make)) {
            return code;
        }
        enum verdict verdict = spool_session(spool->path, &mark, deadline_us, work, task,
                                             &why, &code, error);
        if (verdict == VERDICT_FAILED ||
            (verdict == VERDICT_DONE && spool_file_same(spool->path, &mark))) {
            return code;
        }
        if (verdict == VERDICT_UNSOUND) {
            code = spool_aside(spool, &mark, deadline_us, why, error);
            if (code != 0) {
                return code;
            }
        }
        if (verdict == VERDICT_WAIT) {
            poll(NULL, 0, WAIT_MS);
        } else {
            tries++;
        }
    }
    return error_set(error, ERROR_UNAVAILABLE, NULL, "the spool %s keeps changing",
                     spool->path);
}

int spool_run(struct spool *spool, bool make, int64_t deadline_us, spool_work work,
              void *task, struct error *error) {
    if (!spool_enter()) {
        return error_set(
            error, ERROR_UNAVAILABLE, NULL,
            "the spool %s cannot be used here: this process was forked while "
            "another thread used it",
            spool->path);
    }
    int code = spool_tries(spool, make, deadline_us, work, task, error);
    spool_leave();
    return code;
}
