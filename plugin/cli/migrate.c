/* SPDX-License-Identifier: MIT */
/* vouchctl migrate: what the database lacks is applied, each step in a transaction of its
 * own under one lock, so that it may be killed, repeated and run twice at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "files.h"
#include "migration.h"
#include "print.h"
#include "seed.h"

enum { MIGRATE_CALL_S = 600 };

static int migrate_schema(struct migration *m, const struct asset *asset,
                          struct error *error) {
    const char *name = strchr(asset->name + strlen("sql/schema/"), '_');
    struct db_params params;
    int code;

    if (!name || files_number(asset) <= m->schema) {
        return 0; /* another migration was quicker */
    }
    print_progress("%s", asset->name);
    db_params_open(&params);
    db_add_int(&params, files_number(asset));
    db_add_text_n(&params, name + 1, strcspn(name + 1, "."));
    code = migration_file(m, asset, error);
    if (!code) {
        code = session_call(&m->session, "SELECT vouch.migration_note($1, $2)", &params,
                            NULL, error);
    }
    db_params_free(&params);
    snprintf(m->line, sizeof m->line, "applied %s", asset->name);
    return code;
}

static int migrate_remember(struct migration *m, const char *what, const char *print,
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

static int migrate_functions(struct migration *m, const struct asset *asset,
                             struct error *error) {
    char print[65];
    size_t count = 0;
    int code = files_print(files_functions, print, error);

    if (code || strcmp(print, m->functions) == 0) {
        return code;
    }
    code = session_script(&m->session, "set local check_function_bodies = off", error);
    while (!code && (asset = asset_next(files_functions[0], asset))) {
        print_progress("%s", asset->name);
        code = migration_file(m, asset, error);
        count++;
    }
    if (!code) {
        code = migration_file(m, asset_find(files_functions[1]), error);
    }
    if (!code) {
        code = migrate_remember(m, "functions", print, error);
    }
    snprintf(m->line, sizeof m->line, "applied the functions (%zu files) and grants",
             count);
    return code;
}

static int migrate_terms(struct migration *m, const struct asset *asset, int64_t *count,
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
        code = migration_value(m, "SELECT vouch.term_seed($1, $2)", &params, text,
                               sizeof text, error);
        *count += strtoll(text, NULL, 10);
    }
    db_params_free(&params);
    json_decref(terms);
    return code;
}

static int migrate_lexicon(struct migration *m, const struct asset *asset,
                           struct error *error) {
    char print[65];
    int64_t terms = 0, locales = 0;
    int code = files_print(files_lexicon, print, error);

    if (code || strcmp(print, m->lexicon) == 0) {
        return code;
    }
    while (!code && (asset = asset_next(files_lexicon[0], asset))) {
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

static int migrate_store(struct migration *m, const struct asset *asset,
                         struct error *error) {
    const char *name = m->cli->options->stores[0];
    char made[64];
    struct db_params params;
    int code;

    (void)asset;
    db_params_open(&params);
    db_add_text(&params, m->cli->store_named && strcmp(name, "*") != 0 ? name : NULL);
    code = migration_value(m, "SELECT vouch.store_make($1)", &params, made, sizeof made,
                           error);
    db_params_free(&params);
    if (!code && made[0]) {
        snprintf(m->line, sizeof m->line, "made store %s", made);
    }
    return code;
}

static int migrate_all(struct migration *m, struct error *error) {
    const struct asset *asset = NULL;
    int code = migration_step(m, NULL, NULL, error);

    while (!code && (asset = asset_next("sql/schema/", asset))) {
        if (files_number(asset) > m->schema) {
            code = migration_step(m, migrate_schema, asset, error);
        }
    }
    if (!code) {
        code = migration_step(m, migrate_functions, NULL, error);
    }
    if (!code) {
        code = migration_step(m, migrate_lexicon, NULL, error);
    }
    return code ? code : migration_step(m, migrate_store, NULL, error);
}

int migrate_run(const struct cli *cli) {
    struct migration m = {.cli = cli};
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
