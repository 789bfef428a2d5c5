/* SPDX-License-Identifier: MIT */
/* One connection of a command at the terminal, and short ways to ask it. */
#include "session.h"

#include "base/clock.h"

enum { SESSION_CONNECT_MS = 10000 };

int session_open(const struct cli *cli, int64_t patience_us, struct session *session,
                 struct error *error) {
    int64_t deadline_us = clock_now_us() + SESSION_CONNECT_MS * INT64_C(1000);
    int code;

    *session = (struct session){.patience_us = patience_us};
    code = db_pool_open(cli->options->database, 1, &session->pool, error);
    if (!code) {
        code = db_pool_resolve(session->pool, error);
    }
    return code ? code : db_acquire(session->pool, deadline_us, &session->db, error);
}

void session_close(struct session *session) {
    db_release(session->db);
    db_pool_close(session->pool);
    *session = (struct session){0};
}

int session_call(struct session *session, const char *sql, struct db_params *params,
                 struct db_result **result, struct error *error) {
    return db_call(session->db, sql, params, clock_now_us() + session->patience_us,
                   result, NULL, error);
}

int session_script(struct session *session, const char *sql, struct error *error) {
    return db_script(session->db, sql, clock_now_us() + session->patience_us, error);
}
