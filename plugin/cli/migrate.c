/* SPDX-License-Identifier: MIT */
/* vouchctl migrate: what the database lacks is applied, each step in a transaction of its
 * own under one lock, so that it may be killed, repeated and run twice at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "base/crypto.h"
#include "cli.h"
#include "print.h"
#include "seed.h"
#include "session.h"

/* How long another migration is waited for. */
#define MIGRATE_WAIT "60 s"
#define MIGRATE_ROLES "'vouch_owner', 'vouch_module', 'vouch_operator', 'vouch_viewer'"
#define MIGRATE_LOCK "hashtextextended('vouchctl migrate', 0)"

enum { MIGRATE_CALL_S = 600, MIGRATE_TRIES = 5, MIGRATE_LEAST_SERVER = 150000 };

struct migrate {
    struct session session;
    const struct cli *cli;
    int64_t schema;                  /* the database's, 0: none yet */
    char functions[65], lexicon[65]; /* fingerprints of what is applied */
    char line[512];                  /* to be said once the transaction is committed */
    bool changed, waited;
};

static const char begin[] =
    "begin isolation level read committed read write;"
    "set local lock_timeout = '60s'; set local statement_timeout = 0;"
    "set local idle_in_transaction_session_timeout = '60s';"
    "set local client_min_messages = warning; set local row_security = on;"
    "set local search_path = pg_catalog, pg_temp";

/* sql/schema/0001_name.sql: 1. */
static int64_t migrate_number(const struct asset *asset) {
    return strtoll(asset->name + strlen("sql/schema/"), NULL, 10);
}

static int64_t migrate_known(void) {
    int64_t most = 0;
    const struct asset *asset = NULL;

    while ((asset = asset_next("sql/schema/", asset))) {
        most = migrate_number(asset) > most ? migrate_number(asset) : most;
    }
    return most;
}

/* The fingerprint of all files under the prefixes, names included. */
static int migrate_print(const char *const prefixes[], char out[65],
                         struct error *error) {
    uint8_t digest[32];
    struct buffer all;
    int code = 0;

    buffer_init(&all, (size_t)32 << 20);
    for (; *prefixes; prefixes++) {
        const struct asset *asset = NULL;
        while ((asset = asset_next(*prefixes, asset))) {
            buffer_append(&all, asset->name, strlen(asset->name) + 1);
            buffer_append(&all, asset->data, asset->size + 1);
        }
    }
    if (buffer_ok(&all)) {
        crypto_sha256(all.data, all.length, digest);
        crypto_hex(digest, sizeof digest, out);
    } else {
        code = error_set(error, ERROR_FAILED, "", "no memory for the SQL files");
    }
    buffer_free(&all);
    return code;
}

/* One value as text; "" for NULL. */
static int migrate_value(struct migrate *m, const char *sql, struct db_params *params,
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

static int migrate_lock(struct migrate *m, struct error *error) {
    char got[8];
    int code = migrate_value(m, "SELECT pg_try_advisory_xact_lock(" MIGRATE_LOCK ")",
                             NULL, got, sizeof got, error);
    if (!code && got[0] != 't' && !m->waited) {
        m->waited = true;
        print_line("another migration is at work on this database; waiting for it, at "
                   "most " MIGRATE_WAIT);
    }
    if (!code && got[0] != 't') {
        code = session_call(&m->session, "SELECT pg_advisory_xact_lock(" MIGRATE_LOCK ")",
                            NULL, NULL, error);
    }
    return code ? code
                : session_script(&m->session, "set local lock_timeout = '3s'", error);
}

/* Reads catalogue tables: to_regclass and its like may answer from a cache that is older
 * than the lock. */
static int migrate_look(struct migrate *m, bool *ours, bool *others,
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

static int migrate_state(struct migrate *m, struct error *error) {
    struct db_result *result = NULL;
    int64_t known = migrate_known();
    bool ours = false, others = false;
    int code = migrate_look(m, &ours, &others, error);

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

static int migrate_file(struct migrate *m, const struct asset *asset,
                        struct error *error) {
    struct error why = {0};
    int code = session_script(&m->session, asset->data, &why);

    return code ? error_set(error, code, "", "%s: %s", asset->name, why.detail) : 0;
}

static int migrate_server(struct migrate *m, struct error *error) {
    char text[64];
    int code = migrate_value(m, "SELECT current_setting('server_version_num')", NULL,
                             text, sizeof text, error);

    if (!code && strtoll(text, NULL, 10) < MIGRATE_LEAST_SERVER) {
        code = error_set(error, ERROR_FAILED, "", "PostgreSQL 15 or newer is needed");
    }
    if (!code) {
        code = migrate_value(m, "SELECT current_setting('server_encoding')", NULL, text,
                             sizeof text, error);
    }
    if (!code && strcmp(text, "UTF8") != 0) {
        code =
            error_set(error, ERROR_FAILED, "",
                      "the database's encoding is %s; make one with encoding UTF8", text);
    }
    return code;
}

static int migrate_roles(struct migrate *m, struct error *error) {
    char missing[128];
    struct error why = {0};
    int code = migrate_value(m,
                             "SELECT string_agg(r, ', ') FROM unnest(array[" MIGRATE_ROLES
                             "]) r WHERE NOT EXISTS"
                             " (SELECT FROM pg_roles WHERE rolname = r)",
                             NULL, missing, sizeof missing, error);

    if (!code) {
        code = migrate_file(m, asset_find("sql/roles.sql"), &why);
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
static int migrate_begin(struct migrate *m, bool first, struct error *error) {
    int code = session_script(&m->session, begin, error);

    if (!code && first) {
        code = migrate_server(m, error);
    }
    if (!code) {
        code = migrate_lock(m, error);
    }
    if (!code && first) {
        code = migrate_roles(m, error);
    }
    if (!code) {
        code = session_script(&m->session, "set local role vouch_owner", error);
    }
    return code ? code : migrate_state(m, error);
}

/* Whether the same step may succeed when it is tried again. */
static bool migrate_again(const struct migrate *m) {
    static const char *const passing[] = {"55P03", "40P01", "40001", "XX000"};
    const char *state = m->session.db ? db_sqlstate(m->session.db) : "";

    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strcmp(state, passing[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* One transaction. asset is handed to work; NULL work: only the roles. */
static int migrate_step(struct migrate *m,
                        int (*work)(struct migrate *m, const struct asset *asset,
                                    struct error *error),
                        const struct asset *asset, struct error *error) {
    struct error why = {0};
    int code = ERROR_FAILED;

    for (int i = 0; i < MIGRATE_TRIES; i++) {
        why = (struct error){0};
        m->line[0] = '\0';
        code = migrate_begin(m, !work, &why);
        if (!code && work) {
            code = work(m, asset, &why);
        }
        if (!code) {
            code = session_script(&m->session, "commit", &why);
        }
        if (!code || !migrate_again(m) || session_script(&m->session, "rollback", NULL)) {
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

static int migrate_schema(struct migrate *m, const struct asset *asset,
                          struct error *error) {
    const char *name = strchr(asset->name + strlen("sql/schema/"), '_');
    struct db_params params;
    int code;

    if (!name || migrate_number(asset) <= m->schema) {
        return 0; /* another migration was quicker */
    }
    print_progress("%s", asset->name);
    db_params_open(&params);
    db_add_int(&params, migrate_number(asset));
    db_add_text_n(&params, name + 1, strcspn(name + 1, "."));
    code = migrate_file(m, asset, error);
    if (!code) {
        code = session_call(&m->session, "SELECT vouch.migration_note($1, $2)", &params,
                            NULL, error);
    }
    db_params_free(&params);
    snprintf(m->line, sizeof m->line, "applied %s", asset->name);
    return code;
}

static int migrate_remember(struct migrate *m, const char *what, const char *print,
                            struct error *error) {
    struct db_params params;
    int code;

    db_params_open(&params);
    db_add_text(&params, what);
    db_add_text(&params, print);
    code = session_call(&m->session, "SELECT vouch.migration_print($1, $2)", &params,
                        NULL, error);
    db_params_free(&params);
    return code;
}

static int migrate_functions(struct migrate *m, const struct asset *asset,
                             struct error *error) {
    static const char *const files[] = {"sql/function/", "sql/access.sql", NULL};
    char print[65];
    size_t count = 0;
    int code = migrate_print(files, print, error);

    if (code || strcmp(print, m->functions) == 0) {
        return code;
    }
    code = session_script(&m->session, "set local check_function_bodies = off", error);
    while (!code && (asset = asset_next(files[0], asset))) {
        print_progress("%s", asset->name);
        code = migrate_file(m, asset, error);
        count++;
    }
    if (!code) {
        code = migrate_file(m, asset_find(files[1]), error);
    }
    if (!code) {
        code = migrate_remember(m, "functions", print, error);
    }
    snprintf(m->line, sizeof m->line, "applied the functions (%zu files) and grants",
             count);
    return code;
}

static int migrate_terms(struct migrate *m, const struct asset *asset, int64_t *count,
                         struct error *error) {
    char locale[SEED_LOCALE_MOST], text[32];
    struct db_params params;
    json_t *terms = NULL;
    int code = seed_locale(asset, locale, error);

    db_params_open(&params);
    if (!code) {
        terms = seed_terms(asset, error);
        code = terms ? 0 : ERROR_FAILED;
    }
    if (!code) {
        print_progress("%s", asset->name);
        db_add_text(&params, locale);
        db_add_json(&params, terms);
        code = migrate_value(m, "SELECT vouch.term_seed($1, $2)", &params, text,
                             sizeof text, error);
        *count += strtoll(text, NULL, 10);
    }
    db_params_free(&params);
    json_decref(terms);
    return code;
}

static int migrate_lexicon(struct migrate *m, const struct asset *asset,
                           struct error *error) {
    static const char *const files[] = {"sql/seed/", NULL};
    char print[65];
    int64_t terms = 0, locales = 0;
    int code = migrate_print(files, print, error);

    if (code || strcmp(print, m->lexicon) == 0) {
        return code;
    }
    while (!code && (asset = asset_next(files[0], asset))) {
        code = migrate_terms(m, asset, &terms, error);
        locales++;
    }
    if (!code) {
        code = migrate_remember(m, "lexicon", print, error);
    }
    snprintf(m->line, sizeof m->line, "applied the lexicon: %lld terms in %lld languages",
             (long long)terms, (long long)locales);
    return code;
}

static int migrate_store(struct migrate *m, const struct asset *asset,
                         struct error *error) {
    const char *name = m->cli->options->stores[0];
    char made[64];
    struct db_params params;
    int code;

    (void)asset;
    db_params_open(&params);
    db_add_text(&params, m->cli->store_named && strcmp(name, "*") != 0 ? name : NULL);
    code = migrate_value(m, "SELECT vouch.store_make($1)", &params, made, sizeof made,
                         error);
    db_params_free(&params);
    if (!code && made[0]) {
        snprintf(m->line, sizeof m->line, "made store %s", made);
    }
    return code;
}

static int migrate_all(struct migrate *m, struct error *error) {
    const struct asset *asset = NULL;
    int code = migrate_step(m, NULL, NULL, error);

    while (!code && (asset = asset_next("sql/schema/", asset))) {
        if (migrate_number(asset) > m->schema) {
            code = migrate_step(m, migrate_schema, asset, error);
        }
    }
    if (!code) {
        code = migrate_step(m, migrate_functions, NULL, error);
    }
    if (!code) {
        code = migrate_step(m, migrate_lexicon, NULL, error);
    }
    return code ? code : migrate_step(m, migrate_store, NULL, error);
}

int migrate_run(const struct cli *cli) {
    struct migrate m = {.cli = cli};
    struct error error = {0};
    int code = session_open(cli, MIGRATE_CALL_S * INT64_C(1000000), &m.session, &error);

    if (!code) {
        code = migrate_all(&m, &error);
    }
    session_close(&m.session);
    if (code) {
        return cli_failed(&error);
    }
    print_line("schema %lld is %s", (long long)m.schema,
               m.changed ? "ready" : "up to date, nothing was to be done");
    return CLI_DONE;
}
