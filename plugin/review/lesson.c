/* SPDX-License-Identifier: MIT */
/* The model moved is the snapshot's, which the worker has just renewed; if another is stored
   meanwhile, the lesson is taken again with that one. */
#include "review/lesson.h"

#include <string.h>

#include "moderation/learn.h"
#include "review/submission.h"

enum { LESSON_LEAST = 5, LESSON_MOST = 100 };

static const struct model *lesson_model(const struct rules *rules, const char *locale) {
    for (size_t i = 0; i < rules->model_count; i++) {
        if (model_speaks(rules->models[i], locale)) {
            return rules->models[i];
        }
    }
    return NULL;
}

/* rows: locale, abusive, words, decision_id, fingerprint of vouch.examples_take. */
static int lesson_put(const struct store *store, int64_t deadline_us,
                      const struct model *model, const char *fingerprint,
                      const struct db_result *rows, struct error *error) {
    struct db_params p;
    struct db_array decisions;
    struct buffer bytes;
    int code;

    buffer_init(&bytes, MODEL_BYTES_MAX);
    model_write(model, &bytes);
    db_params_open(&p);
    db_array_open(&decisions, DB_INT);
    for (int row = 0; row < db_rows(rows); row++) {
        db_array_int(&decisions, db_int(rows, row, 3));
    }
    db_add_text(&p, store->name);
    db_add_text(&p, model->locale);
    db_add_text(&p, fingerprint);
    db_add_bytes(&p, bytes.data, bytes.length);
    db_add_array(&p, &decisions);
    code = buffer_ok(&bytes)
               ? store_call(store, "SELECT vouch.model_learned($1, $2, $3, $4, $5)", &p,
                            deadline_us, NULL, NULL, error)
               : error_set(error, ERROR_FAILED, "", "no memory for the model");
    db_params_free(&p);
    buffer_free(&bytes);
    return code;
}

static int lesson_learn(const struct store *store, int64_t deadline_us,
                        struct settings *settings, const struct db_result *rows,
                        struct error *error) {
    const char *locale = db_value(rows, 0, 0);
    const char *fingerprint = db_value(rows, 0, 4);
    struct rules rules;
    int code = submission_rules(settings, &rules, error);
    const struct model *known = code ? NULL : lesson_model(&rules, locale);
    struct model *model = known && fingerprint ? learn_copy(known) : NULL;

    for (int row = 0; model && !code && row < db_rows(rows); row++) {
        const char *text = db_value(rows, row, 2);
        if (text) {
            code = learn_text(model, rules.lexicon, text, db_length(rows, row, 2),
                              db_bool(rows, row, 1));
        }
    }
    if (model && !code) {
        code = lesson_put(store, deadline_us, model, fingerprint, rows, error);
    }
    model_free(model);
    return code;
}

int lesson_run(const struct store *store, int64_t deadline_us, int *learned,
               struct error *error) {
    struct settings *settings = NULL;
    struct db_params p;
    struct db_result *rows = NULL;

    *learned = 0;
    db_params_open(&p);
    db_add_text(&p, store->name);
    db_add_int(&p, LESSON_LEAST);
    db_add_int(&p, LESSON_MOST);
    int code = store_call(store,
                          "SELECT locale, abusive, words, decision_id, fingerprint"
                          " FROM vouch.examples_take($1, $2::integer, $3::integer)",
                          &p, deadline_us, &rows, NULL, error);
    if (!code && db_rows(rows) > 0) {
        code = settings_get(store, deadline_us, &settings, error);
        code = code ? code : lesson_learn(store, deadline_us, settings, rows, error);
        *learned = code ? 0 : db_rows(rows);
    }
    settings_release(settings);
    db_result_free(rows);
    db_params_free(&p);
    return code;
}
