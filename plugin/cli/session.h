/* SPDX-License-Identifier: MIT */
/* One connection of a command at the terminal, and short ways to ask it. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdint.h>

#include "cli.h"

struct session {
    struct db_pool *pool;
    struct db *db;
    int64_t patience_us; /* how long one call may take */
};

/* Connects. 0 or an error; session_close is due in any case. */
int session_open(const struct cli *cli, int64_t patience_us, struct session *session,
                 struct error *error);
void session_close(struct session *session);
/* db_call and db_script with the session's patience. result may be NULL. */
int session_call(struct session *session, const char *sql, struct db_params *params,
                 struct db_result **result, struct error *error);
int session_script(struct session *session, const char *sql, struct error *error);

#endif
