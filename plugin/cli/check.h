/* SPDX-License-Identifier: MIT */
/* The parts of vouchctl check. Each adds what it found; none fails. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "base/crypto.h"
#include "findings.h"
#include "session.h"

struct check {
    const struct cli *cli;
    struct session *session;
    struct findings *findings;
    struct keyring *keys; /* NULL: not known here */
};

void check_store(struct check *c, const char *store);
/* What keeps the store's mail back, and templates that go unused. */
void check_sending(struct check *c, const char *store, const json_t *facts);
void check_record(struct check *c, const char *store, const json_t *facts);
/* Whether the models that judge the store's reviews can be read. */
void check_models(struct check *c, const char *store);
void check_spool(struct check *c);

#endif
