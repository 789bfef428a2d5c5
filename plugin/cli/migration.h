/* SPDX-License-Identifier: MIT */
/* One step of a migration: a transaction under the lock of all migrations, as the owner. */
#ifndef CLI_MIGRATION_H
#define CLI_MIGRATION_H

#include "base/asset.h"
#include "session.h"

struct migration {
    struct session session;
    const struct cli *cli;
    int64_t schema;                  /* the database's, 0: none yet; read in each step */
    char functions[65], lexicon[65]; /* fingerprints of what is applied, likewise */
    char line[512];                  /* to be said once the transaction is committed */
    bool changed, waited;
};

/* Runs work in one transaction, again when it only collided with others. NULL work: the
 * roles, which the first step is for. asset is handed on. 0, or an error and nothing of
 * the step is left; a killed one leaves nothing either. */
int migration_step(struct migration *m,
                   int (*work)(struct migration *m, const struct asset *asset,
                               struct error *error),
                   const struct asset *asset, struct error *error);
/* Within work: runs a file; an error names it. */
int migration_file(struct migration *m, const struct asset *asset, struct error *error);
/* Within work: one value as text, "" for NULL. */
int migration_value(struct migration *m, const char *sql, struct db_params *params,
                    char *out, size_t size, struct error *error);

#endif
