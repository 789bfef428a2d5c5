/* SPDX-License-Identifier: MIT */
/* How well word lists, or word lists and a model, tell abuse from other text.
   usage: moderation_quality [-v fp|fn|all|signals] [-t TRAIN | -m MODEL] [-w MODEL] SEEDS FILE...
   SEEDS is the folder of the word lists. FILE and TRAIN are NAME.LOCALE.tsv with lines
   `label TAB source TAB text`. Label 1 is abuse; in files named reviews.* and sentiment.* no line
   is. Prints precision, recall, F1 and the share flagged, per file and, with VOUCH_SOURCES set,
   per source, and the speed of the verdicts. -t learns from TRAIN first, -m reads a model that -w
   wrote; a model judges files of its language. -v prints the false positives, the false negatives
   or all that is flagged instead. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "moderation/decide.h"
#include "moderation/train.h"

enum { SOURCES_MAX = 400, LINE_FIELDS = 6 };

struct tally {
    char source[64];
    long tp, fp, fn, tn;
};

static struct tally tallies[SOURCES_MAX];
static size_t tally_count;

static char *line_field(char **rest, char separator) {
    char *field = *rest;
    char *end = field ? strchr(field, separator) : NULL;
    if (end) {
        *end = '\0';
    }
    *rest = end ? end + 1 : NULL;
    return field;
}

static json_t *exceptions_of(char *text) {
    json_t *list = json_array();
    while (text && *text) {
        json_array_append_new(list, json_string(line_field(&text, '|')));
    }
    return list;
}

static void seed_line(json_t *rows, const char *locale, char *line) {
    char *term = line_field(&line, '\t'), *category = line_field(&line, '\t');
    char *severity = line_field(&line, '\t'), *match = line_field(&line, '\t');
    if (!match) {
        return;
    }
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:i,s:s,s:o}", "locale", locale,
                                          "term", term, "category", category, "severity",
                                          (int)strtol(severity, NULL, 10), "match", match,
                                          "exceptions", exceptions_of(line)));
}

static void seed_read(json_t *rows, const char *directory, const char *locale) {
    char path[4096], *line = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/abuse_term.%s.tsv", directory, locale);
    FILE *file = fopen(path, "r");
    if (!file) {
        return;
    }
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (*line && *line != '#') {
            seed_line(rows, locale, line);
        }
    }
    free(line);
    fclose(file);
}

static struct tally *tally_of(const char *source) {
    for (size_t i = 0; i < tally_count; i++) {
        if (strncmp(tallies[i].source, source, sizeof tallies[i].source - 1) == 0) {
            return &tallies[i];
        }
    }
    struct tally *t =
        &tallies[tally_count < SOURCES_MAX - 1 ? tally_count++ : tally_count];
    snprintf(t->source, sizeof t->source, "%s", source);
    return t;
}

static void tally_print(const char *name, const struct tally *t) {
    double p = t->tp + t->fp ? (double)t->tp / (double)(t->tp + t->fp) : 0;
    double r = t->tp + t->fn ? (double)t->tp / (double)(t->tp + t->fn) : 0;
    long n = t->tp + t->fp + t->fn + t->tn;
    printf("%-34s n %6ld  pos %5ld  P %.3f  R %.3f  F1 %.3f  flagged %6.2f %%  fp %ld\n",
           name, n, t->tp + t->fn, p, r, p + r > 0 ? 2 * p * r / (p + r) : 0,
           n ? 100.0 * (double)(t->tp + t->fp) / (double)n : 0, t->fp);
}

static void count(struct tally *t, bool positive, bool flagged) {
    long *cell = positive ? (flagged ? &t->tp : &t->fn) : (flagged ? &t->fp : &t->tn);
    (*cell)++;
}

static void locale_of(const char *path, char out[16]) {
    const char *name = strrchr(path, '/');
    const char *dot = strchr(name ? name : path, '.');
    snprintf(out, 16, "%.*s", dot ? (int)strcspn(dot + 1, ".") : 2, dot ? dot + 1 : "en");
}

static void show(const char *source, const char *text, const struct verdict *v) {
    printf("%s\t", source);
    for (size_t i = 0; i < v->mark_count; i++) {
        printf("[%s]", v->marks[i].term);
    }
    printf("\t%s\n", text);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long reasons_seen[2][8]; /* by label */

static void reasons_count(bool positive, const struct verdict *v) {
    for (int bit = 0; bit < 6; bit++) {
        reasons_seen[positive][bit] += v->reasons >> bit & 1;
    }
}

static void reasons_print(void) {
    static const char *const names[] = {"abusive", "personal_data", "link", "spam",
                                        "language", "empty"};
    printf("  reasons, label 0 / 1:");
    for (int bit = 0; bit < 6; bit++) {
        printf("  %s %ld / %ld", names[bit], reasons_seen[0][bit], reasons_seen[1][bit]);
    }
    printf("\n");
    memset(reasons_seen, 0, sizeof reasons_seen);
}

/* -v signals: what is held for anything but its tone. */
static void show_signals(int label, const char *text, const struct verdict *v) {
    if (v->reasons & ~(unsigned)REASON_ABUSIVE) {
        printf("%d\t%x", label, v->reasons);
        for (size_t i = 0; i < v->mark_count; i++) {
            if (!v->marks[i].term) {
                printf("\t[%s %.*s]", v->marks[i].category,
                       (int)(v->marks[i].end - v->marks[i].start),
                       text + v->marks[i].start);
            }
        }
        printf("\t%s\n", text);
    }
}

static void measure(const char *path, const struct rules *rules, const char *verbose) {
    struct verdict *verdict = malloc(sizeof *verdict);
    struct tally all = {0};
    char locale[16], *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (!file || !verdict) {
        perror(path);
        exit(1);
    }
    locale_of(path, locale);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    bool none = strncmp(name, "reviews", 7) == 0 || strncmp(name, "sentiment", 9) == 0;
    tally_count = 0;
    memset(tallies, 0, sizeof tallies);
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line, *label = line_field(&rest, '\t'),
             *source = line_field(&rest, '\t');
        if (!rest) {
            continue;
        }
        struct text_in in = {.body = rest, .locale = locale};
        decide(&in, rules, verdict);
        bool flagged = verdict->reasons & REASON_ABUSIVE,
             positive = !none && *label == '1';
        reasons_count(*label == '1', verdict);
        if (verbose && strcmp(verbose, "signals") == 0) {
            show_signals(*label == '1', rest, verdict);
            continue;
        }
        count(&all, positive, flagged);
        count(tally_of(source), positive, flagged);
        if (verbose && strcmp(verbose, "all") == 0 && flagged) {
            printf("%d\t", positive);
            show(source, rest, verdict);
        } else if (verbose && (strcmp(verbose, "fp") == 0 ? flagged && !positive
                                                          : !flagged && positive)) {
            show(source, rest, verdict);
        }
    }
    free(line);
    free(verdict);
    fclose(file);
    if (!verbose) {
        tally_print(name, &all);
        reasons_print();
        for (size_t i = 0; i < tally_count && getenv("VOUCH_SOURCES"); i++) {
            printf("  ");
            tally_print(tallies[i].source, &tallies[i]);
        }
    }
}

static size_t samples_read(const char *path, struct sample **out) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0, count = 0, most = 0;
    *out = NULL;
    while (file && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line, *label = line_field(&rest, '\t'),
             *source = line_field(&rest, '\t');
        if (!rest) {
            continue;
        }
        if (count == most) {
            most = 2 * most + 1024;
            *out = realloc(*out, most * sizeof **out);
        }
        bool abusive = *label == '1';
        (*out)[count++] =
            (struct sample){.text = strdup(rest),
                            .length = strlen(rest),
                            .abusive = abusive,
                            .review = !abusive && strncmp(source, "review", 6) == 0};
    }
    free(line);
    if (file) {
        fclose(file);
    }
    return count;
}

/* Verdicts over all texts of a file, again and again for a second. */
static void speed(const char *path, const struct rules *rules) {
    struct verdict *verdict = malloc(sizeof *verdict);
    struct sample *samples;
    size_t count = samples_read(path, &samples), bytes = 0, verdicts = 0;
    char locale[16];
    double begun = now(), seconds = 0;
    locale_of(path, locale);
    while (count > 0 && !getenv("VOUCH_QUICK") && (seconds = now() - begun) < 1) {
        for (size_t i = 0; i < count; i++) {
            struct text_in in = {.body = samples[i].text, .locale = locale};
            decide(&in, rules, verdict);
            bytes += samples[i].length;
        }
        verdicts += count;
    }
    printf("  %.0f MB/s, %.0f verdicts/s of %.0f bytes\n", (double)bytes / seconds / 1e6,
           (double)verdicts / seconds, (double)bytes / (double)verdicts);
    free(verdict);
}

static struct model *learn(const char *path, const struct lexicon *lexicon) {
    char locale[16];
    struct sample *samples;
    struct error error = {0};
    struct model *model;
    size_t count = samples_read(path, &samples);
    struct train_plan plan = {.locale = locale, .lexicon = lexicon};
    locale_of(path, locale);
    double begun = now();
    if (train_model(&plan, samples, count, &model, &error)) {
        fprintf(stderr, "%s: %s\n", path, error.detail);
        exit(1);
    }
    printf("learned from %zu texts in %.1f s, threshold %.3f\n", count, now() - begun,
           model->threshold);
    return model;
}

static struct model *model_load(const char *path) {
    struct model *model = NULL;
    struct error error = {0};
    char *bytes = malloc(MODEL_BYTES_MAX);
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(bytes, 1, MODEL_BYTES_MAX, file) : 0;
    if (model_read(bytes, n, &model, &error)) {
        fprintf(stderr, "%s: %s\n", path, error.detail);
        exit(1);
    }
    fclose(file);
    free(bytes);
    return model;
}

static void model_save(const struct model *model, const char *path) {
    struct buffer bytes;
    FILE *file = fopen(path, "w");
    buffer_init(&bytes, MODEL_BYTES_MAX);
    model_write(model, &bytes);
    if (!file || !buffer_ok(&bytes) ||
        fwrite(bytes.data, 1, bytes.length, file) != bytes.length || fclose(file)) {
        perror(path);
        exit(1);
    }
    buffer_free(&bytes);
}

static struct lexicon *lexicon_load(const char *seeds, bool quiet) {
    static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
    struct error error = {0};
    struct lexicon *lexicon;
    json_t *rows = json_array();
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        seed_read(rows, seeds, locales[i]);
    }
    if (lexicon_compile(rows, &lexicon, &error)) {
        fprintf(stderr, "%s\n", error.detail);
        exit(1);
    }
    if (lexicon_left_out(lexicon)) {
        fprintf(stderr, "%zu rows left out, first: %s %s\n", lexicon_left_out(lexicon),
                error.pointer, error.detail);
    }
    if (!quiet) {
        printf("%zu terms, %zu bytes\n", json_array_size(rows), lexicon_bytes(lexicon));
    }
    json_decref(rows);
    return lexicon;
}

int main(int argc, char **argv) {
    const char *verbose = NULL, *train = NULL, *read = NULL, *save = NULL;
    int option;
    while ((option = getopt(argc, argv, "v:t:m:w:")) != -1) {
        const char **value = option == 'v'   ? &verbose
                             : option == 't' ? &train
                             : option == 'm' ? &read
                             : option == 'w' ? &save
                                             : NULL;
        if (!value) {
            return 2;
        }
        *value = optarg;
    }
    if (argc - optind < 1) {
        fprintf(
            stderr,
            "usage: %s [-v fp|fn|all] [-t TRAIN | -m MODEL] [-w MODEL] SEEDS FILE...\n",
            argv[0]);
        return 2;
    }
    struct lexicon *lexicon = lexicon_load(argv[optind], verbose != NULL);
    struct model *model = train ? learn(train, lexicon) : read ? model_load(read) : NULL;
    const struct model *const models[] = {model};
    struct rules rules = {lexicon, models, model != NULL};
    if (model && save) {
        model_save(model, save);
    }
    for (int i = optind + 1; i < argc; i++) {
        measure(argv[i], &rules, verbose);
        if (!verbose) {
            speed(argv[i], &rules);
        }
    }
    model_free(model);
    lexicon_free(lexicon);
    return 0;
}
