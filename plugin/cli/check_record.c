/* SPDX-License-Identifier: MIT */
/* vouchctl check, the record: nobody changed words, stars or decisions, and the end of the
 * chain bears our signature. */
#include "check.h"
#include "review/record.h"

enum { CHECK_UNLINKED_S = 900, CHECK_FAULTS_SHOWN = 10 };

#define EVIDENCE "keep a copy of the database as it is: this is evidence"

static void record_faults(struct check *c, struct db_params *params) {
    struct db_result *r = NULL;
    struct error error = {0};
    int code = session_call(c->session,
                            "SELECT what, decision_id, review_id"
                            " FROM vouch.record_faults($1)",
                            params, &r, &error);

    if (code) {
        findings_add(c->findings, FINDING_PROBLEM, "try again when less is going on",
                     "the record could not be walked: %s", error.detail);
    }
    for (int i = 0; i < db_rows(r) && i < CHECK_FAULTS_SHOWN; i++) {
        findings_add(c->findings, FINDING_PROBLEM, EVIDENCE,
                     "the record: %s (decision %s, review %s)", db_value(r, i, 0),
                     db_value(r, i, 1) ? db_value(r, i, 1) : "-",
                     db_value(r, i, 2) ? db_value(r, i, 2) : "-");
    }
    if (db_rows(r) > CHECK_FAULTS_SHOWN) {
        findings_add(c->findings, FINDING_PROBLEM, EVIDENCE,
                     "the record: %d more such faults", db_rows(r) - CHECK_FAULTS_SHOWN);
    }
    db_result_free(r);
}

static void record_head(struct check *c, const char *store, struct db_params *params) {
    struct db_result *r = NULL;
    uint8_t public_key[32], own[32];
    int code = session_call(c->session,
                            "SELECT sequence, hash, signature, public_key"
                            " FROM vouch.record_head_of($1)",
                            params, &r, NULL);

    if (code || db_rows(r) == 0) {
        findings_add(c->findings, FINDING_OK, NULL, "nothing is on the record yet");
        goto out;
    }
    if (!record_signed(store, r, public_key)) {
        findings_add(c->findings, FINDING_PROBLEM, EVIDENCE,
                     "the signature of the record's head is not genuine");
        goto out;
    }
    if (c->keys) {
        keyring_public(c->keys, own);
    }
    if (c->keys && !crypto_equal(own, public_key, sizeof own)) {
        findings_add(c->findings, FINDING_PROBLEM, EVIDENCE,
                     "the record's head is signed with another key than ours");
    } else if (!c->keys) {
        findings_add(c->findings, FINDING_WARNING,
                     "vouchctl check --options FILE, the options of the store",
                     "the record's head is signed, but whose key that is cannot be told "
                     "here");
    } else {
        findings_add(c->findings, FINDING_OK, NULL,
                     "the record's head is signed, over %lld decisions",
                     (long long)db_int(r, 0, 0));
    }
out:
    db_result_free(r);
}

void check_record(struct check *c, const char *store, const json_t *facts) {
    long long unlinked = json_integer_value(json_object_get(facts, "unlinked"));
    long long age_s = json_integer_value(json_object_get(facts, "unlinked_s"));
    size_t problems = c->findings->count[FINDING_PROBLEM];
    struct db_params params;

    if (age_s > CHECK_UNLINKED_S) {
        findings_add(c->findings, FINDING_WARNING,
                     "run `vouchctl run`, or vouch_start or vouch_step in the store",
                     "%lld decisions are not yet on the signed record, for %lld minutes",
                     unlinked, age_s / 60);
    }
    db_params_open(&params);
    db_add_text(&params, store);
    record_faults(c, &params);
    if (c->findings->count[FINDING_PROBLEM] == problems) {
        findings_add(c->findings, FINDING_OK, NULL,
                     "no words, stars or decisions were changed");
    }
    record_head(c, store, &params);
    db_params_free(&params);
}
