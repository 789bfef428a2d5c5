/* SPDX-License-Identifier: MIT */
/* Second persons, vocatives and words that only ever stand before an insult. */
#include "moderation/aim.h"

#include <string.h>

enum { WORDS_BACK = 3, WORD_BYTES_MAX = 24 };

static const char *const english[] = {
    "you",   "u",       "ur",     "your", "youre", "yall",  "yo",       "such",
    "bunch", "fucking", "fuckin", "fkn",  "total", "utter", "complete", NULL};
static const char *const spanish[] = {
    "eres",    "sos",     "sois",   "tu",      "ustedes", "vosotros", "pedazo",   "panda",
    "sarta",   "banda",   "bola",   "manada",  "puto",    "puta",     "putos",    "putas",
    "maldito", "maldita", "pinche", "pinches", "vos",     "cacho",    "malditos", NULL};
static const char *const portuguese[] = {
    "voce", "vc",  "vcs",   "voces",   "tu",    "seu",  "sua", "seus", "suas",
    "teu",  "tua", "bando", "cambada", "corja", "raca", "ce",  NULL};
static const char *const arabic[] = {"يا",   "انت", "انتي",  "انتو", "انتم", "ابن",
                                     "بنت",  "ولد", "اولاد", "ولاد", "انتا", "ايها",
                                     "يابن", "انك", "لانك",  "هال",  NULL};
static const char *const persian[] = {
    "تو",    "توي",     "شما", "اي",   "مرتيكه", "زنيكه",  "مردك", "زنك", "پسره",
    "دختره", "مردتيكه", "بچه", "خيلي", "خودت",   "خودتون", "پدر",  NULL};
static const char *const latvian[] = {"tu",     "jus",    "tev",    "tavs", "tava",
                                      "esi",    "esat",   "juus",   "jums", "visi",
                                      "galigs", "galiga", "galigi", NULL};

static const struct {
    const char *locale;
    const char *const *words;
} languages[] = {{"en", english}, {"es", spanish}, {"pt", portuguese},
                 {"ar", arabic},  {"fa", persian}, {"lv", latvian}};

const char *const *aim_words(const char *locale) {
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        if (strcmp(languages[i].locale, locale) == 0) {
            return languages[i].words;
        }
    }
    return NULL;
}

static bool listed(const char *const *words, const char *word, size_t n) {
    for (; *words; words++) {
        if (strlen(*words) == n && memcmp(*words, word, n) == 0) {
            return true;
        }
    }
    return false;
}

bool aim_found(const char *const *words, const char *text, size_t start) {
    size_t end = start;
    for (int i = 0; i < WORDS_BACK; i++) {
        while (end > 0 && text[end - 1] == ' ') {
            end--;
        }
        size_t from = end;
        while (from > 0 && text[from - 1] != ' ' && end - from <= WORD_BYTES_MAX) {
            from--;
        }
        if (from == end || end - from > WORD_BYTES_MAX) {
            return false;
        }
        /* The vocative aims at the next word only. */
        bool vocative = end - from == 4 && memcmp(text + from, "يا", 4) == 0;
        if (listed(words, text + from, end - from) && (i == 0 || !vocative)) {
            return true;
        }
        end = from;
    }
    return false;
}
