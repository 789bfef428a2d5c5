/* SPDX-License-Identifier: MIT */
/* vouchctl check, the spool: there for an outage, and empty without one. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "check.h"
#include "io/spool.h"

static void spool_depth(struct check *c, struct spool *spool, const char *path) {
    int64_t waiting = 0, failed = 0;
    struct error error = {0};
    char *warning = NULL;

    if (spool_count(spool, &waiting, &failed, &error)) {
        findings_add(c->findings, FINDING_PROBLEM,
                     "give the store's user the file, on a local disk with room",
                     "the spool cannot be read: %s", error.detail);
        return;
    }
    warning = spool_warning(spool);
    if (warning) {
        findings_add(c->findings, FINDING_WARNING, "look at the file that was set aside",
                     "%s", warning);
    }
    memory_free(warning);
    if (failed > 0) {
        findings_add(c->findings, FINDING_PROBLEM,
                     "the store's log says why; hand them in again with vouchctl emit",
                     "%lld events in the spool could not be applied and were set aside",
                     (long long)failed);
    }
    findings_add(c->findings, waiting > 0 ? FINDING_WARNING : FINDING_OK,
                 waiting > 0 ? "run a worker on this host once PostgreSQL answers" : NULL,
                 "the spool %s holds %lld events", path, (long long)waiting);
}

static bool spool_writable(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (access(path, F_OK) == 0) {
        return access(path, R_OK | W_OK) == 0;
    }
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    return access(folder, W_OK | X_OK) == 0;
}

/* Looks into a spool that is there; makes none. */
void check_spool(struct check *c) {
    const char *path = c->cli->options->spool;
    struct spool *spool = NULL;
    struct error error = {0};

    if (!path) {
        bool told = cli_value(c->cli, "options") != NULL;
        findings_add(c->findings, told ? FINDING_WARNING : FINDING_OK,
                     told ? "name a file on a local disk as spool in the options" : NULL,
                     told ? "there is no spool: events are refused while PostgreSQL is "
                            "away"
                          : "the spool is looked at with --options FILE");
    } else if (!spool_writable(path)) {
        char why[128];
        findings_add(c->findings, FINDING_PROBLEM,
                     "make the folder, and let the store's user write there",
                     "the spool %s cannot be written: %s", path,
                     strerror_r(errno, why, sizeof why));
    } else if (access(path, F_OK) != 0) {
        findings_add(c->findings, FINDING_OK, NULL,
                     "the spool %s can be made when it is needed", path);
    } else if (spool_open(path, &spool, &error)) {
        findings_add(c->findings, FINDING_PROBLEM, "name another file in the options",
                     "the spool: %s", error.detail);
    } else {
        spool_depth(c, spool, path);
    }
    spool_close(spool);
}
