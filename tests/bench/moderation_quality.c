/* SPDX-License-Identifier: MIT */
/* How well the shipped word lists tell abuse from other text.
   usage: moderation_quality [-v fp|fn|all] SEED_DIRECTORY FILE...
   FILE is NAME.LOCALE.tsv with lines `label TAB source TAB text`. Label 1 is abuse; in files named
   reviews.* and sentiment.* no line is. Prints precision, recall, F1 and the share flagged, per
   file and per source; -v prints the false positives, the
   false negatives or all that is flagged instead. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "moderation/decide.h"

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

static double measure(const char *path, const struct lexicon *lexicon,
                      const char *verbose) {
    struct rules rules = {.lexicon = lexicon};
    struct verdict *verdict = malloc(sizeof *verdict);
    struct tally all = {0};
    char locale[16], *line = NULL;
    size_t room = 0, bytes = 0;
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
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line, *label = line_field(&rest, '\t'),
             *source = line_field(&rest, '\t');
        if (!rest) {
            continue;
        }
        struct text_in in = {.body = rest, .locale = locale};
        decide(&in, &rules, verdict);
        bytes += strlen(rest);
        bool flagged = verdict->reasons & REASON_ABUSIVE,
             positive = !none && *label == '1';
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
    clock_gettime(CLOCK_MONOTONIC, &b);
    free(line);
    free(verdict);
    fclose(file);
    if (!verbose) {
        tally_print(name, &all);
        for (size_t i = 0; i < tally_count && getenv("VOUCH_SOURCES"); i++) {
            printf("  ");
            tally_print(tallies[i].source, &tallies[i]);
        }
    }
    double seconds =
        (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    return seconds > 0 ? (double)bytes / seconds / 1e6 : 0;
}

int main(int argc, char **argv) {
    static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
    struct error error = {0};
    struct lexicon *lexicon;
    const char *verbose = argc > 2 && strcmp(argv[1], "-v") == 0 ? argv[2] : NULL;
    int first = verbose ? 3 : 1;
    if (argc < first + 2) {
        fprintf(stderr, "usage: %s [-v fp|fn|all] SEED_DIRECTORY FILE...\n", argv[0]);
        return 2;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        seed_read(rows, argv[first], locales[i]);
    }
    if (lexicon_compile(rows, &lexicon, &error)) {
        fprintf(stderr, "%s\n", error.detail);
        return 1;
    }
    if (lexicon_left_out(lexicon)) {
        fprintf(stderr, "%zu rows left out, first: %s %s\n", lexicon_left_out(lexicon),
                error.pointer, error.detail);
    }
    if (!verbose) {
        printf("%zu terms, %zu bytes\n", json_array_size(rows), lexicon_bytes(lexicon));
    }
    for (int i = first + 1; i < argc; i++) {
        double speed = measure(argv[i], lexicon, verbose);
        if (!verbose) {
            printf("  %.0f MB/s, reading and counting included\n", speed);
        }
    }
    lexicon_free(lexicon);
    json_decref(rows);
    return 0;
}
