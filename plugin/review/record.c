/* SPDX-License-Identifier: MIT */
/* Chains decisions: hash = SHA-256(previous hash || digest of the decision). What is signed
 * is the store's name, the sequence and the hash. */
#include "review/record.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/crypto.h"

struct chain {
    int64_t sequence;
    uint8_t hash[32];
    size_t hash_length; /* 0 before the first link */
};

/* "\\x…" as PostgreSQL prints bytea. */
static int bytes_of(const char *text, uint8_t *out, size_t n) {
    if (!text || strlen(text) != 2 + 2 * n || strncmp(text, "\\x", 2) != 0) {
        return ERROR_FAILED;
    }
    return crypto_unhex(text + 2, 2 * n, out);
}

static void chain_add(struct chain *chain, const uint8_t digest[32]) {
    uint8_t both[64];

    memcpy(both, chain->hash, chain->hash_length);
    memcpy(both + chain->hash_length, digest, 32);
    crypto_sha256(both, chain->hash_length + 32, chain->hash);
    chain->hash_length = 32;
}

static int chain_text(const char *store, int64_t sequence, const uint8_t hash[32],
                      struct buffer *out) {
    char hex[65];

    crypto_hex(hash, 32, hex);
    buffer_init(out, 512);
    buffer_format(out, "vouch record %s %" PRId64 " %s", store, sequence, hex);
    return buffer_ok(out) ? 0 : ERROR_FAILED;
}

int record_sign(const struct keyring *keys, const char *store, int64_t sequence,
                const uint8_t hash[32], uint8_t signature[64]) {
    struct buffer text;
    int code = chain_text(store, sequence, hash, &text);

    if (!code) {
        crypto_sign(keys, text.data, text.length, signature);
    }
    buffer_free(&text);
    return code;
}

static int chain_links(const struct db_result *open, struct chain *chain,
                       struct db_array arrays[3]) {
    uint8_t digest[32];
    const char *head = db_value(open, 0, 1);

    chain->sequence = db_int(open, 0, 0);
    chain->hash_length = head ? 32 : 0;
    if (head && bytes_of(head, chain->hash, 32)) {
        return ERROR_FAILED;
    }
    for (int row = 0; row < db_rows(open); row++) {
        if (bytes_of(db_value(open, row, 3), digest, sizeof digest)) {
            return ERROR_FAILED;
        }
        chain_add(chain, digest);
        db_array_int(&arrays[0], db_int(open, row, 2));
        db_array_bytes(&arrays[1], digest, sizeof digest);
        db_array_bytes(&arrays[2], chain->hash, sizeof chain->hash);
    }
    return 0;
}

static int chain_append(const struct store *store, const struct db_result *open,
                        int64_t deadline_us, int *linked, struct error *error) {
    struct db_array arrays[3];
    struct chain chain;
    struct db_params p;
    struct db_result *result = NULL;
    uint8_t signature[64], public_key[32];
    static const enum db_kind kinds[3] = {DB_INT, DB_BYTES, DB_BYTES};

    for (int i = 0; i < 3; i++) {
        db_array_open(&arrays[i], kinds[i]);
    }
    db_params_open(&p);
    int code = chain_links(open, &chain, arrays);
    if (!code) {
        code = record_sign(store->keys, store->name, chain.sequence + db_rows(open),
                           chain.hash, signature);
    }
    if (!code) {
        keyring_public(store->keys, public_key);
        db_add_text(&p, store->name);
        db_add_int(&p, chain.sequence);
        for (int i = 0; i < 3; i++) {
            db_add_array(&p, &arrays[i]);
        }
        db_add_bytes(&p, signature, sizeof signature);
        db_add_bytes(&p, public_key, sizeof public_key);
        code = store_call(store, "SELECT vouch.record_append($1,$2,$3,$4,$5,$6,$7)", &p,
                          deadline_us, &result, NULL, error);
    } else {
        error_set(error, code, "", "the record could not be read");
    }
    *linked = !code && db_bool(result, 0, 0) ? db_rows(open) : 0;
    for (int i = 0; i < 3; i++) {
        db_array_free(&arrays[i]);
    }
    db_result_free(result);
    db_params_free(&p);
    return code;
}

int record_link(const struct store *store, int64_t deadline_us, int *linked,
                struct error *error) {
    struct db_params p;
    struct db_result *open = NULL;

    *linked = 0;
    db_params_open(&p);
    db_add_text(&p, store->name);
    db_add_int(&p, RECORD_LINKS_MOST);
    int code = store_call(
        store, "SELECT sequence, hash, decision_id, digest FROM vouch.record_open($1, $2::integer)",
        &p, deadline_us, &open, NULL, error);
    if (!code && db_rows(open) > 0) {
        code = chain_append(store, open, deadline_us, linked, error);
    }
    db_result_free(open);
    db_params_free(&p);
    return code;
}

bool record_signed(const char *store, const struct db_result *head,
                   uint8_t public_key[32]) {
    uint8_t hash[32], signature[64];
    struct buffer text;
    bool genuine;

    if (bytes_of(db_value(head, 0, 1), hash, 32) ||
        bytes_of(db_value(head, 0, 2), signature, 64) ||
        bytes_of(db_value(head, 0, 3), public_key, 32)) {
        return false;
    }
    genuine = !chain_text(store, db_int(head, 0, 0), hash, &text) &&
              crypto_signed(public_key, text.data, text.length, signature);
    buffer_free(&text);
    return genuine;
}
