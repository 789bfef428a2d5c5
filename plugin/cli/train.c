/* SPDX-License-Identifier: MIT */
/* vouchctl train: learns from labelled texts what abuse is in a language, tells how well on texts
 * not learned from, and stores the model for the store. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli.h"
#include "print.h"
#include "session.h"
#include "train_file.h"

enum { TRAIN_CALL_S = 60, TRAIN_SOURCES = 64, TRAIN_BAR = 30 };

struct tally {
    const char *source;
    size_t abusive, other; /* the labels */
    size_t found, alarmed; /* of these, flagged */
};

static double ratio(size_t part, size_t whole) {
    return whole > 0 ? (double)part / (double)whole : 0;
}

static double tally_f1(const struct tally *t) {
    return ratio(2 * t->found, t->abusive + t->found + t->alarmed);
}

static void tally_add(struct tally *t, bool abusive, bool flagged) {
    t->abusive += abusive;
    t->other += !abusive;
    t->found += abusive && flagged;
    t->alarmed += !abusive && flagged;
}

static void tally_print(const struct tally *t) {
    print_line("%-32s %7zu %7zu %9.3f %7.3f %6.3f %8.2f %%", t->source,
               t->abusive + t->other, t->abusive, ratio(t->found, t->found + t->alarmed),
               ratio(t->found, t->abusive), tally_f1(t),
               100 * ratio(t->found + t->alarmed, t->abusive + t->other));
}

/* The row of a source; sources beyond the room share the last. */
static struct tally *tally_of(struct tally rows[TRAIN_SOURCES], const char *source) {
    size_t i = 0;

    while (i < TRAIN_SOURCES - 1 && rows[i].source && strcmp(rows[i].source, source)) {
        i++;
    }
    if (!rows[i].source) {
        rows[i].source = i < TRAIN_SOURCES - 1 ? source : "(other sources)";
    }
    return &rows[i];
}

/* True when the model is worth storing. */
static bool train_report(const struct train_file *file) {
    struct tally rows[TRAIN_SOURCES] = {{0}};
    struct tally all = {.source = "all but ordinary reviews"};
    struct tally words = {.source = "  by the lexicon alone"};
    struct tally reviews = {.source = "ordinary reviews"};

    for (size_t i = 0; i < file->count; i++) {
        const struct sample *s = &file->samples[i];
        tally_add(tally_of(rows, file->sources[i]), s->abusive, s->flagged);
        tally_add(s->review ? &reviews : &all, s->abusive, s->flagged);
        if (!s->review) {
            tally_add(&words, s->abusive, s->told);
        }
    }
    print_line("%-32s %7s %7s %9s %7s %6s %10s", "source", "texts", "abusive",
               "precision", "recall", "F1", "flagged");
    for (size_t i = 0; i < TRAIN_SOURCES && rows[i].source; i++) {
        tally_print(&rows[i]);
    }
    tally_print(&reviews);
    tally_print(&all);
    tally_print(&words);
    return tally_f1(&all) > 0 && tally_f1(&all) >= tally_f1(&words);
}

static void train_progress(void *self, size_t done, size_t all) {
    static const char bar[] = "##############################";
    int full = (int)(done * TRAIN_BAR / (all ? all : 1));

    (void)self;
    print_progress("learning [%-*.*s] %zu %%", TRAIN_BAR, full, bar,
                   100 * done / (all ? all : 1));
}

/* The lexicon of the store, beside which the model will work. */
static int train_lexicon(struct session *session, const char *store,
                         struct lexicon **lexicon, struct error *error) {
    struct db_params params;
    struct db_result *result = NULL;
    json_t *settings = NULL;

    db_params_open(&params);
    db_add_text(&params, store);
    int code =
        session_call(session, "SELECT vouch.settings($1)", &params, &result, error);
    if (!code) {
        settings = db_json(result, 0, 0);
        if (!json_is_object(json_object_get(settings, "store"))) {
            code = error_set(error, ERROR_INVALID, "",
                             "there is no store %s; vouchctl migrate makes it", store);
        }
    }
    if (!code) {
        struct error slip = {0};
        code = lexicon_compile(json_object_get(settings, "abuse_term"), lexicon, &slip);
        code = code ? error_set(error, code, "", "%s", slip.detail) : 0;
    }
    json_decref(settings);
    db_result_free(result);
    db_params_free(&params);
    return code;
}

static int train_store(struct session *session, const char *store,
                       const struct model *model, const struct train_file *file,
                       const char *note, struct error *error) {
    struct db_params params;
    struct buffer bytes;
    char threshold[32];

    buffer_init(&bytes, MODEL_BYTES_MAX);
    model_write(model, &bytes);
    if (!buffer_ok(&bytes)) {
        buffer_free(&bytes);
        return error_set(error, ERROR_FAILED, "", "no memory for the model");
    }
    snprintf(threshold, sizeof threshold, "%.6f", model->threshold);
    db_params_open(&params);
    db_add_text(&params, store);
    db_add_text(&params, model->locale);
    db_add_bytes(&params, bytes.data, bytes.length);
    db_add_text(&params, threshold);
    db_add_int(&params, (int64_t)file->count);
    db_add_text(&params, note);
    int code = session_call(session,
                            "SELECT vouch.model_put($1, $2, $3, $4::double precision, "
                            "$5::integer, $6)",
                            &params, NULL, error);
    db_params_free(&params);
    buffer_free(&bytes);
    return code;
}

static int train_learn(const struct cli *cli, struct session *session,
                       struct train_file *file, struct error *error) {
    const char *store = cli->options->stores[0];
    struct lexicon *lexicon = NULL;
    struct model *model = NULL;
    int code = train_lexicon(session, store, &lexicon, error);

    if (!code) {
        struct train_plan plan = {.locale = cli_value(cli, "locale"),
                                  .lexicon = lexicon,
                                  .progress = train_progress};
        code = train_model(&plan, file->samples, file->count, &model, error);
        print_progress(NULL);
    }
    if (!code && !train_report(file)) {
        code = error_set(error, ERROR_FAILED, "",
                         "not stored: the lexicon alone does better on these texts");
    }
    if (!code) {
        code = train_store(session, store, model, file, cli_value(cli, "note"), error);
    }
    if (!code) {
        print_line("stored for %s in %s: texts are held from probability %.2f on",
                   model->locale, store, model->threshold);
    }
    model_free(model);
    lexicon_free(lexicon);
    return code;
}

/* "pt", or "pt-BR", which is learned as "pt". */
static bool train_is_language(const char *locale) {
    size_t n = strspn(locale, "abcdefghijklmnopqrstuvwxyz");
    return n >= 2 && n <= 3 && (locale[n] == '\0' || strchr("-_.", locale[n]));
}

int train_run(const struct cli *cli) {
    const char *locale = cli_value(cli, "locale");
    struct train_file file = {.count = 0};
    struct session session = {0};
    struct error error = {0};

    if (!locale || !train_is_language(locale)) {
        return cli_misused(cli, "in which language? say --locale en, or another");
    }
    if (cli->options->store_count != 1 || strcmp(cli->options->stores[0], "*") == 0) {
        return cli_misused(cli, "for which store? say --store ID");
    }
    int code = train_file_read(cli->words[0], &file, &error);
    if (!code) {
        code = session_open(cli, TRAIN_CALL_S * INT64_C(1000000), &session, &error);
    }
    if (!code) {
        code = train_learn(cli, &session, &file, &error);
    }
    session_close(&session);
    train_file_free(&file);
    return code ? cli_failed(&error) : CLI_DONE;
}
