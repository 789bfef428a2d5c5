/* SPDX-License-Identifier: MIT */
/* vouchctl check, the models: one that cannot be read judges nothing, and nobody would notice. */
#include "base/memory.h"
#include "check.h"
#include "moderation/model.h"

/* 0, or why the weights in that row are no model of its language. */
static int model_try(const struct db_result *r, int row, struct error *error) {
    const char *hex = db_value(r, row, 1);
    size_t n = db_length(r, row, 1);
    uint8_t *bytes = n > 2 ? memory_get(n / 2) : NULL;
    struct model *model = NULL;
    int code = ERROR_FAILED;

    if (bytes && crypto_unhex(hex + 2, n - 2, bytes) >= 0) {
        code = model_read(bytes, n / 2 - 1, &model, error);
    }
    if (!code && !model_speaks(model, db_value(r, row, 0))) {
        code =
            error_set(error, ERROR_INVALID, "", "it was trained for %s", model->locale);
    }
    model_free(model);
    memory_free(bytes);
    return code ? error_set(error, code, "", "its weights are unreadable") : 0;
}

void check_models(struct check *c, const char *store) {
    struct db_result *r = NULL;
    struct db_params params;
    struct error error = {0};

    db_params_open(&params);
    db_add_text(&params, store);
    if (session_call(c->session, "SELECT locale, weights FROM vouch.model_get($1, NULL)",
                     &params, &r, &error)) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl migrate",
                     "the models could not be looked at: %s", error.detail);
    }
    for (int i = 0; i < db_rows(r); i++) {
        struct error fault = {0};
        if (model_try(r, i, &fault)) {
            findings_add(
                c->findings, FINDING_PROBLEM, "vouchctl train FILE --locale … --store :store",
                "the model for %s cannot be used: %s", db_value(r, i, 0), fault.detail);
        } else {
            findings_add(c->findings, FINDING_OK, NULL, "the model for %s can be read",
                         db_value(r, i, 0));
        }
    }
    db_result_free(r);
    db_params_free(&params);
}
