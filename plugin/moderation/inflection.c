/* SPDX-License-Identifier: MIT */
/* Proclitics and enclitics of Arabic and Persian as the plain reading writes them: ه for ة,
   ي for ى and ی, ا for أ إ آ, ك for ک, no hamza. */
#include "moderation/inflection.h"

#include <string.h>

#include "moderation/utf8.h"

enum { ENDING_MAX = 12 };

static const char *const arabic_before[] = {
    "و",   "ف",  "ب",   "ك",   "ل",   "ال", "وال", "فال", "بال", "كال", "لل",
    "ولل", "يا", "ويا", "هال", "عال", "ها", "وب",  "ول",  "فب",  "ي",   "ت",
    "ن",   "ا",  "بي",  "بت",  "بن",  "وي", "وت",  "هي",  "حي",  "ما",  "ه",
    "ح",   "ش",  "من",  "مال", "شال", "ست", "سي",  NULL};

static const char *const arabic_after[] = {
    "ه",   "ها",  "هم", "هن", "ك",   "كم",  "كن", "كو",  "كوا", "ي",  "نا",
    "ني",  "ين",  "ون", "ات", "ان",  "وا",  "و",  "تي",  "ته",  "تك", "تها",
    "تهم", "يه",  "يا", "ا",  "يين", "تين", "هو", "ش",   "ت",   "تم", "يات",
    "يون", "اته", "هك", "ج",  "كي",  "لك",  "له", "لهم", "لها", NULL};

static const char *const persian_before[] = {"و",   "ب",  "ن",  "مي",
                                             "نمي", "بي", "هم", NULL};

static const char *const persian_after[] = {
    "ي",     "ها",   "هاي", "م",   "ت",  "ش",    "ه",   "ان",  "مان", "تان",
    "شان",   "مون",  "تون", "شون", "تر", "ترين", "اي",  "يي",  "يه",  "رو",
    "و",     "ند",   "يد",  "يم",  "ين", "ست",   "هام", "هات", "هاش", "هاتون",
    "هاشون", "هايي", "را",  "ام",  "ات", "اش",   "ن",   "گي",  "اند", "ايد",
    "ايم",   "تم",   "تو",  "يت",  "يش", "ك",    "ا",   "ن",   NULL};

static bool listed(const char *const *list, const char *text, size_t n) {
    for (; *list; list++) {
        if (strlen(*list) == n && memcmp(*list, text, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Nothing, one particle of the list, or two. */
static bool made_of(const char *const *list, const char *text, size_t n) {
    if (n == 0 || listed(list, text, n)) {
        return true;
    }
    for (const char *const *first = list; *first; first++) {
        size_t size = strlen(*first);
        if (size < n && memcmp(*first, text, size) == 0 &&
            listed(list, text + size, n - size)) {
            return true;
        }
    }
    return false;
}

/* "ا" before a stem in "ل" is the article of another word: العين holds no لعين. The letter behind
   before is the stem's first. */
static bool splits_article(const char *before, size_t n) {
    return n >= 2 && memcmp(before + n - 2, "ا", 2) == 0 &&
           memcmp(before + n, "ل", 2) == 0;
}

static size_t letters_in(const char *text, size_t n) {
    size_t letters = 0;
    for (size_t i = 0; i < n; i++) {
        letters += !utf8_is_tail((unsigned char)text[i]);
    }
    return letters;
}

enum inflection inflection_of(const char *locale) {
    if (strcmp(locale, "ar") == 0) {
        return INFLECTION_ARABIC;
    }
    return strcmp(locale, "fa") == 0 ? INFLECTION_PERSIAN : INFLECTION_ENDINGS;
}

bool inflection_marks(const char *locale) {
    return strcmp(locale, "lv") == 0 || strcmp(locale, "lt") == 0 ||
           strcmp(locale, "vi") == 0;
}

bool inflection_allows(enum inflection kind, const char *before, size_t before_length,
                       const char *after, size_t after_length) {
    if (kind == INFLECTION_ENDINGS) {
        return before_length == 0 && letters_in(after, after_length) <= ENDING_MAX;
    }
    bool arabic = kind == INFLECTION_ARABIC;
    if (before_length &&
        !listed(arabic ? arabic_before : persian_before, before, before_length)) {
        return false;
    }
    if (arabic && splits_article(before, before_length)) {
        return false;
    }
    return made_of(arabic ? arabic_after : persian_after, after, after_length);
}
