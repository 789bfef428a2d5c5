/* SPDX-License-Identifier: MIT */
/* vouchctl check: what is wrong, and how to mend it; the server, the login, the key. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "files.h"
#include "findings.h"
#include "session.h"
#include "store_key.h"

enum { CHECK_CALL_S = 60, CHECK_STORES_MOST = 1000 };

/* The first minor release of each version in which INSERT … ON CONFLICT DO UPDATE reads
 * under row-level security again. */
static const struct { int64_t major, minor; } mended[] = {{15, 20}};

static void check_version(struct findings *f, int64_t version) {
    int64_t major = version / 10000, minor = version % 10000;

    if (major < 15) {
        findings_add(f, FINDING_PROBLEM, "upgrade to PostgreSQL 15 or newer",
                     "PostgreSQL %lld is too old", (long long)major);
        return;
    }
    for (size_t i = 0; i < sizeof mended / sizeof *mended; i++) {
        if (mended[i].major == major && minor < mended[i].minor) {
            findings_add(f, FINDING_WARNING, "install the newest minor release",
                         "PostgreSQL %lld.%lld lets INSERT … ON CONFLICT read rows that "
                         "row-level security hides (mended in %lld.%lld)",
                         (long long)major, (long long)minor, (long long)mended[i].major,
                         (long long)mended[i].minor);
            return;
        }
    }
    findings_add(f, FINDING_OK, NULL, "PostgreSQL %lld.%lld answers", (long long)major,
                 (long long)minor);
}

static void check_login(struct findings *f, const struct db_result *r) {
    const char *login = db_value(r, 0, 1);

    if (db_bool(r, 0, 2)) {
        findings_add(f, FINDING_WARNING,
                     "create role shop login in role vouch_module, and log in as that",
                     "the login %s is a superuser or has BYPASSRLS: row-level security "
                     "does not bind it",
                     login);
    } else if (!db_bool(r, 0, 3)) {
        findings_add(f, FINDING_PROBLEM,
                     "as a superuser: grant vouch_module to that login",
                     "the login %s is not a member of vouch_module", login);
    } else {
        findings_add(f, FINDING_OK, NULL, "the login %s is a member of vouch_module",
                     login);
    }
}

/* The server as any login may see it. False when nothing more can be looked at. */
static bool check_server(struct check *c) {
    struct findings *f = c->findings;
    struct db_result *r = NULL;
    struct error error = {0};
    bool more = false;

    if (session_call(
            c->session,
            "SELECT current_setting('server_version_num'), current_user, u.rolsuper OR"
            " u.rolbypassrls, EXISTS (SELECT FROM pg_roles m WHERE m.rolname ="
            " 'vouch_module' AND pg_has_role(m.oid, 'usage')), pg_is_in_recovery(),"
            " EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'vouch')"
            " FROM pg_roles u WHERE u.rolname = current_user",
            NULL, &r, &error) != 0) {
        findings_add(f, FINDING_PROBLEM, "look into the server's log",
                     "PostgreSQL does not answer as it should: %s", error.detail);
        goto out;
    }
    check_version(f, db_int(r, 0, 0));
    if (db_bool(r, 0, 4)) {
        findings_add(f, FINDING_PROBLEM, "name the primary in the connection URL",
                     "this server is a standby and takes no writes");
    }
    more = db_bool(r, 0, 5);
    if (!more) {
        findings_add(f, FINDING_PROBLEM, "vouchctl migrate",
                     "this database has no schema vouch");
        goto out;
    }
    check_login(f, r);
    more = db_bool(r, 0, 2) || db_bool(r, 0, 3);
out:
    db_result_free(r);
    return more;
}

static void check_schema(struct findings *f, const struct db_result *r) {
    int64_t known = files_schema(), here = db_int(r, 0, 0);
    struct error error = {0};
    char print[65];

    if (here > known) {
        findings_add(f, FINDING_PROBLEM, "use the newer vouchctl and vouch.so",
                     "this database has schema %lld, this vouchctl knows %lld",
                     (long long)here, (long long)known);
    } else if (here < known) {
        findings_add(f, FINDING_PROBLEM, "vouchctl migrate",
                     "this database has schema %lld, this vouchctl needs %lld",
                     (long long)here, (long long)known);
    } else if (files_print(files_functions, print, &error) == 0 &&
               strcmp(print, db_value(r, 0, 1) ? db_value(r, 0, 1) : "") != 0) {
        findings_add(f, FINDING_PROBLEM, "vouchctl migrate",
                     "the functions in schema vouch are of another version");
    } else {
        findings_add(f, FINDING_OK, NULL, "schema %lld and its functions are up to date",
                     (long long)here);
    }
}

static void check_clock(struct findings *f, const char *offset) {
    if (offset) {
        findings_add(f, FINDING_WARNING,
                     "as the owner: select vouch.set_clock_offset('0')",
                     "Vouch's clock is set off by %s, which is for tests", offset);
    } else {
        findings_add(f, FINDING_OK, NULL, "Vouch's clock is the database's");
    }
}

static void check_key(struct check *c, const struct db_result *r) {
    const struct options *o = c->cli->options;
    const char *stored = db_value(r, 0, 3);
    const char *where = o->key ? "the options" : "the database";
    char own[33] = "";

    if (o->key) {
        keyring_open(o->key, strlen(o->key), &c->keys, NULL);
    } else {
        store_key_kept(db_value(r, 0, 4), &c->keys, NULL);
    }
    if (c->keys) {
        keyring_fingerprint(c->keys, own);
    }
    if (!stored) {
        findings_add(c->findings, FINDING_OK, NULL,
                     "no key was used yet; the first process to open takes the one of "
                     "its options, or makes one in the database");
    } else if (c->keys && strcmp(own, stored) == 0) {
        findings_add(c->findings, FINDING_OK, NULL,
                     "the key is kept in %s and is the one of this database (%.8s…)",
                     where, stored);
    } else if (o->key || cli_value(c->cli, "options")) {
        findings_add(c->findings, FINDING_PROBLEM,
                     "put the key with that fingerprint into secrets.key of the options",
                     "the key in %s is not the one of this database (fingerprint %.8s…): "
                     "vouch_open refuses it",
                     where, stored);
    } else {
        findings_add(c->findings, FINDING_WARNING,
                     "vouchctl check --options FILE, the options of the store",
                     "the key of this database (%.8s…) stands in options not given here",
                     stored);
    }
}

static bool check_installation(struct check *c) {
    struct db_result *r = NULL;
    struct error error = {0};
    int code = session_call(c->session,
                            "SELECT i.schema, i.functions, i.clock_offset,"
                            " i.key_fingerprint, i.key_kept"
                            " FROM vouch.check_installation() i",
                            NULL, &r, &error);

    if (code) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl migrate",
                     "the functions in schema vouch are of another version: %s",
                     error.detail);
        return false;
    }
    check_schema(c->findings, r);
    check_clock(c->findings, db_value(r, 0, 2));
    check_key(c, r);
    db_result_free(r);
    return true;
}

static void check_stores(struct check *c) {
    const struct options *o = c->cli->options;
    struct db_result *r = NULL;
    int rows = (int)o->store_count;
    bool all = strcmp(o->stores[0], "*") == 0;

    if (all) {
        session_call(c->session, "SELECT store_id FROM vouch.stores()", NULL, &r, NULL);
        rows = db_rows(r) < CHECK_STORES_MOST ? db_rows(r) : CHECK_STORES_MOST;
    }
    for (int i = 0; i < rows; i++) {
        c->findings->store = all ? db_value(r, i, 0) : o->stores[i];
        check_store(c, c->findings->store);
    }
    c->findings->store = NULL;
    if (rows == 0) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl migrate",
                     "this database has no store");
    }
    db_result_free(r);
}

int check_run(const struct cli *cli) {
    struct findings findings = {.json = cli_value(cli, "json") != NULL};
    struct session session;
    struct check c = {.cli = cli, .session = &session, .findings = &findings};
    struct error error = {0};

    if (session_open(cli, CHECK_CALL_S * INT64_C(1000000), &session, &error) != 0) {
        findings_add(&findings, FINDING_PROBLEM,
                     "look at --database or VOUCH_DATABASE_URL, and whether the server "
                     "runs and lets this login in",
                     "PostgreSQL cannot be reached: %s", error.detail);
    } else if (check_server(&c) && check_installation(&c)) {
        check_stores(&c);
    }
    check_spool(&c);
    session_close(&session);
    keyring_close(c.keys);
    return findings_end(&findings) ? CLI_DONE : CLI_FAILED;
}
