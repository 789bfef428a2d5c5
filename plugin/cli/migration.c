/* SPDX-License-Identifier: MIT */
/* One step of a migration: a transaction under the lock of all migrations, as the owner. */
#include "migration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "print.h"

/* How long another migration is waited for. */
#define MIGRATION_WAIT "60 s"
#define MIGRATION_LOCK "hashtextextended('vouchctl migrate', 0)"
#define MIGRATION_ROLES "'vouch_owner', 'vouch_module', 'vouch_operator', 'vouch_viewer'"

enum { MIGRATION_TRIES = 5, MIGRATION_LEAST_SERVER = 150000 };

static const char begin[] =
    "begin isolation level read committed read write;"
    "set local lock_timeout = '60s'; set local statement_timeout = 0;"
    "set local idle_in_transaction_session_timeout = '60s';"
    "set local client_min_messages = warning; set local row_security = on;"
    "set local search_path = pg_catalog, pg_temp";

int migration_value(struct migration *m, const char *sql, struct db_params *params,
                    char *out, size_t size, struct error *error) {
    struct db_result *result = NULL;
    int code = session_call(&m->session, sql, params, &result, error);

    out[0] = '\0';
    if (!code && db_value(result, 0, 0)) {
        size_t n = db_length(result, 0, 0);
        n = n < size ? n : size - 1;
        memcpy(out, db_value(result, 0, 0), n);
        out[n] = '\0';
    }
    db_result_free(result);
    return code;
}

static int migration_lock(struct migration *m, struct error *error) {
    char got[8];
    int code = migration_value(m, "SELECT pg_try_advisory_xact_lock(" MIGRATION_LOCK ")",
                               NULL, got, sizeof got, error);
    if (!code && got[0] != 't' && !m->waited) {
        m->waited = true;
        print_line("another migration is at work on this database; waiting for it, at "
                   "most " MIGRATION_WAIT);
    }
    if (!code && got[0] != 't') {
        code =
            session_call(&m->session, "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ")",
                         NULL, NULL, error);
    }
    return code ? code
                : session_script(&m->session, "set local lock_timeout = '3s'", error);
}

/* Reads catalogue tables: to_regclass and its like may answer from a cache that is older
 * than the lock. */
static int migration_look(struct migration *m, bool *ours, bool *others,
                          struct error *error) {
    struct db_result *result = NULL;
    int code = session_call(
        &m->session,
        "SELECT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid"
        " AND p.proname = 'migration_state'), EXISTS (SELECT FROM pg_class c"
        " WHERE c.relnamespace = n.oid) FROM pg_namespace n WHERE n.nspname = 'vouch'",
        NULL, &result, error);

    *ours = db_bool(result, 0, 0);
    *others = db_bool(result, 0, 1);
    db_result_free(result);
    return code;
}

static int migration_state(struct migration *m, struct error *error) {
    struct db_result *result = NULL;
    int64_t known = files_schema();
    bool ours = false, others = false;
    int code = migration_look(m, &ours, &others, error);

    m->schema = 0;
    if (code || !others) {
        return code;
    }
    if (!ours) {
        return error_set(error, ERROR_FAILED, "",
                         "schema vouch is here, but no migration of vouchctl made it; "
                         "drop it, or use another database");
    }
    code = session_call(&m->session,
                        "SELECT s.schema, s.functions, s.lexicon"
                        " FROM vouch.migration_state() s",
                        NULL, &result, error);
    if (!code) {
        const char *functions = db_value(result, 0, 1);
        const char *lexicon = db_value(result, 0, 2);
        m->schema = db_int(result, 0, 0);
        snprintf(m->functions, sizeof m->functions, "%s", functions ? functions : "");
        snprintf(m->lexicon, sizeof m->lexicon, "%s", lexicon ? lexicon : "");
    }
    db_result_free(result);
    if (!code && m->schema > known) {
        code = error_set(error, ERROR_FAILED, "",
                         "this database has schema %lld, this vouchctl knows %lld; use "
                         "the newer vouchctl",
                         (long long)m->schema, (long long)known);
    }
    return code;
}

int migration_file(struct migration *m, const struct asset *asset, struct error *error) {
    struct error why = {0};
    int code = session_script(&m->session, asset->data, &why);

    return code ? error_set(error, code, "", "%s: %s", asset->name, why.detail) : 0;
}

static int migration_server(struct migration *m, struct error *error) {
    char text[16];
    int code = migration_value(m, "SELECT current_setting('server_version_num')", NULL,
                               text, sizeof text, error);

    if (!code && strtoll(text, NULL, 10) < MIGRATION_LEAST_SERVER) {
        code = error_set(error, ERROR_FAILED, "", "PostgreSQL 15 or newer is needed");
    }
    return code;
}

static int migration_roles(struct migration *m, struct error *error) {
    char missing[128];
    struct error why = {0};
    int code =
        migration_value(m,
                        "SELECT string_agg(r, ', ') FROM unnest(array[" MIGRATION_ROLES
                        "]) r WHERE NOT EXISTS"
                        " (SELECT FROM pg_roles WHERE rolname = r)",
                        NULL, missing, sizeof missing, error);

    if (!code) {
        code = migration_file(m, asset_find("sql/roles.sql"), &why);
    }
    if (!code && missing[0]) {
        snprintf(m->line, sizeof m->line, "made the roles %s", missing);
    }
    if (why.code) {
        bool denied = strcmp(db_sqlstate(m->session.db), "42501") == 0;
        error_set(error, why.code, "", "%s%s", why.detail,
                  denied ? "; migrate runs as a role with CREATEROLE, and CREATE on the "
                           "database"
                         : "");
    }
    return code;
}

/* Begins, takes the lock, becomes the owner and looks what is there. */
static int migration_begin(struct migration *m, bool first, struct error *error) {
    int code = session_script(&m->session, begin, error);

    if (!code && first) {
        code = migration_server(m, error);
    }
    if (!code) {
        code = migration_lock(m, error);
    }
    if (!code && first) {
        code = migration_roles(m, error);
    }
    if (!code) {
        code = session_script(&m->session, "set local role vouch_owner", error);
    }
    return code ? code : migration_state(m, error);
}

/* Whether the same step may succeed when it is tried again. */
static bool migration_again(const struct migration *m) {
    static const char *const passing[] = {"55P03", "40P01", "40001", "XX000"};
    const char *state = m->session.db ? db_sqlstate(m->session.db) : "";

    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strcmp(state, passing[i]) == 0) {
            return true;
        }
    }
    return false;
}

int migration_step(struct migration *m,
                   int (*work)(struct migration *m, const struct asset *asset,
                               struct error *error),
                   const struct asset *asset, struct error *error) {
    struct error why = {0};
    int code = ERROR_FAILED;

    for (int i = 0; i < MIGRATION_TRIES; i++) {
        why = (struct error){0};
        m->line[0] = '\0';
        code = migration_begin(m, !work, &why);
        if (!code && work) {
            code = work(m, asset, &why);
        }
        if (!code) {
            code = session_script(&m->session, "commit", &why);
        }
        if (!code || !migration_again(m) ||
            session_script(&m->session, "rollback", NULL)) {
            break;
        }
    }
    if (code) {
        return error_set(error, code, why.pointer, "%s", why.detail);
    }
    if (m->line[0]) {
        m->changed = true;
        print_line("%s", m->line);
    }
    return 0;
}
