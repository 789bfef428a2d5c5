/* SPDX-License-Identifier: MIT */
/* vouchctl rotate-key: another key in the place of the present one, in one transaction. What
 * must outlast a key goes along, sealed; the heads of the records are signed anew. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "cli.h"
#include "print.h"
#include "review/record.h"
#include "session.h"
#include "store_key.h"

enum { ROTATE_CALL_S = 60, ROTATE_FRESH = 32, ROTATE_STORES_MOST = 10000 };

struct rotation {
    struct session session;
    struct keyring *own;     /* the present key */
    struct keyring *carried; /* with what the one before left */
    struct keyring *next;    /* the new key */
    char secret[KEYRING_MOST_BYTES + 1];
    size_t secret_n;
    bool kept; /* the new key is kept in the database */
    char from[33], to[33];
};

/* A key in a file: its first line. */
static int secret_read(struct rotation *r, const char *path, struct error *error) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : read(file, r->secret, sizeof r->secret);

    if (file >= 0) {
        close(file);
    }
    if (n < 0) {
        return error_set(error, ERROR_INVALID, "", "%s could not be read: %m", path);
    }
    r->secret_n = (size_t)n < sizeof r->secret ? (size_t)n : sizeof r->secret;
    const char *end = memchr(r->secret, '\n', r->secret_n);
    r->secret_n = end ? (size_t)(end - r->secret) : r->secret_n;
    return 0;
}

static int rotate_next(struct rotation *r, const struct cli *cli, struct error *error) {
    const char *path = cli_value(cli, "key-file");
    int code = 0;

    r->kept = !path;
    if (path) {
        code = secret_read(r, path, error);
    } else {
        crypto_random(r->secret, ROTATE_FRESH);
        r->secret_n = ROTATE_FRESH;
    }
    if (!code) {
        code = keyring_open(r->secret, r->secret_n, &r->next, error);
    }
    if (!code) {
        keyring_fingerprint(r->next, r->to);
    }
    return code;
}

/* The present key: of the options, or kept in the database; and what it carries. */
static int rotate_present(struct rotation *r, const struct cli *cli,
                          struct error *error) {
    const char *key = cli->options->key;
    struct db_result *found = NULL;
    int code = session_call(&r->session,
                            "SELECT i.key_fingerprint, i.key_kept, vouch.key_carried()"
                            " FROM vouch.check_installation() i",
                            NULL, &found, error);

    if (!code && !db_value(found, 0, 0)) {
        code = error_set(error, ERROR_INVALID, "/secrets/key",
                         "no key was used yet: there is nothing to change");
    }
    if (!code) {
        code = key ? keyring_open(key, strlen(key), &r->own, error)
                   : store_key_kept(db_value(found, 0, 1), &r->own, error);
    }
    if (!code) {
        keyring_fingerprint(r->own, r->from);
        code = strcmp(r->from, db_value(found, 0, 0)) == 0
                   ? store_key_carried(r->own, db_value(found, 0, 2), &r->carried, error)
                   : error_set(error, ERROR_INVALID, "/secrets/key",
                               "that is not the key of this database: give the present "
                               "one in secrets.key of --options FILE");
    }
    db_result_free(found);
    return code;
}

/* A host that goes on with the old key would make links and codes nobody knows. */
static int rotate_alone(struct rotation *r, const struct cli *cli, struct error *error) {
    struct db_result *others = NULL;
    int code = session_call(
        &r->session,
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_roles u ON u.oid = a.usesysid"
        " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()"
        " AND NOT u.rolsuper AND pg_has_role(u.oid, 'vouch_module', 'member')",
        NULL, &others, error);

    if (!code && db_int(others, 0, 0) > 0 && !cli_value(cli, "force")) {
        code = error_set(error, ERROR_MISUSE, "",
                         "%lld connections of logins in vouch_module are open: stop the "
                         "hosts and workers first, or say --force and start them again "
                         "after",
                         (long long)db_int(others, 0, 0));
    }
    db_result_free(others);
    return code;
}

struct heads {
    struct db_array stores, sequences, signatures;
};

static int heads_add(struct rotation *r, const char *store, struct heads *heads,
                     struct error *error) {
    struct db_params p;
    struct db_result *head = NULL;
    uint8_t hash[32], signature[64], own[32], signer[32];

    db_params_open(&p);
    db_add_text(&p, store);
    int code = session_call(&r->session,
                            "SELECT sequence, hash, signature, public_key"
                            " FROM vouch.record_head_of($1)",
                            &p, &head, error);
    keyring_public(r->own, own);
    if (!code && db_rows(head) == 1) {
        const char *hex = db_value(head, 0, 1);
        bool ours = record_signed(store, head, signer) && crypto_equal(own, signer, 32) &&
                    !crypto_unhex(hex + 2, 64, hash) &&
                    !record_sign(r->next, store, db_int(head, 0, 0), hash, signature);
        code = ours ? 0
                    : error_set(error, ERROR_INVALID, "",
                                "the head of the record of store %s does not bear the "
                                "present key's signature: see vouchctl check",
                                store);
        db_array_text(&heads->stores, store);
        db_array_int(&heads->sequences, db_int(head, 0, 0));
        db_array_bytes(&heads->signatures, signature, sizeof signature);
    }
    db_result_free(head);
    db_params_free(&p);
    return code;
}

static int heads_all(struct rotation *r, struct heads *heads, struct error *error) {
    struct db_result *stores = NULL;
    int code = session_call(&r->session, "SELECT store_id FROM vouch.stores()", NULL,
                            &stores, error);

    for (int i = 0; !code && i < db_rows(stores) && i < ROTATE_STORES_MOST; i++) {
        print_progress("store %d of %d", i + 1, db_rows(stores));
        code = heads_add(r, db_value(stores, i, 0), heads, error);
    }
    print_progress(NULL);
    db_result_free(stores);
    return code;
}

static int rotate_commit(struct rotation *r, struct heads *heads, bool links,
                         long long *ended, struct error *error) {
    uint8_t sealed[KEYRING_SEALED_BYTES], public_key[32];
    struct db_result *result = NULL;
    struct db_params p;

    keyring_seal(r->carried ? r->carried : r->own, r->next, links, sealed);
    keyring_public(r->next, public_key);
    db_params_open(&p);
    db_add_text(&p, r->from);
    db_add_text(&p, r->to);
    db_add_bytes(&p, sealed, sizeof sealed);
    if (r->kept) {
        db_add_bytes(&p, r->secret, r->secret_n);
    } else {
        db_add_null(&p);
    }
    db_add_bool(&p, !links);
    db_add_array(&p, &heads->stores);
    db_add_array(&p, &heads->sequences);
    db_add_array(&p, &heads->signatures);
    db_add_bytes(&p, public_key, sizeof public_key);
    int code =
        session_call(&r->session, "SELECT vouch.key_rotate($1,$2,$3,$4,$5,$6,$7,$8,$9)",
                     &p, &result, error);
    *ended = code ? 0 : (long long)db_int(result, 0, 0);
    db_result_free(result);
    db_params_free(&p);
    return code;
}

static int rotate_heads(struct rotation *r, bool links, long long *ended,
                        struct error *error) {
    struct heads heads;

    db_array_open(&heads.stores, DB_TEXT);
    db_array_open(&heads.sequences, DB_INT);
    db_array_open(&heads.signatures, DB_BYTES);
    int code = heads_all(r, &heads, error);
    if (!code) {
        code = rotate_commit(r, &heads, links, ended, error);
    }
    db_array_free(&heads.stores);
    db_array_free(&heads.sequences);
    db_array_free(&heads.signatures);
    return code;
}

static void rotate_close(struct rotation *r) {
    session_close(&r->session);
    keyring_close(r->carried);
    keyring_close(r->own);
    keyring_close(r->next);
    crypto_zero(r->secret, sizeof r->secret);
}

int rotate_run(const struct cli *cli) {
    struct rotation r = {.own = NULL};
    struct error error = {0};
    bool links = !cli_value(cli, "end-links");
    long long ended = 0;

    if (!cli_value(cli, "key-file") == !cli_value(cli, "generate")) {
        return cli_misused(cli, "say --key-file FILE, or --generate to keep a new key in "
                                "the database");
    }
    int code = session_open(cli, ROTATE_CALL_S * INT64_C(1000000), &r.session, &error);
    code = code ? code : rotate_alone(&r, cli, &error);
    code = code ? code : rotate_present(&r, cli, &error);
    code = code ? code : rotate_next(&r, cli, &error);
    code = code ? code : rotate_heads(&r, links, &ended, &error);
    rotate_close(&r);
    if (code) {
        return cli_failed(&error);
    }
    print_line("the key with fingerprint %.8s… is now %.8s…, kept in %s", r.from, r.to,
               r.kept ? "the database" : "the options: put it into secrets.key");
    if (!links) {
        print_line("%lld links in mails already sent have ended", ended);
    }
    return CLI_DONE;
}
