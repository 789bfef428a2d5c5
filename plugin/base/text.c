/* SPDX-License-Identifier: MIT */
/* The one place that knows utf8proc. Its strings are ours: decomposed and composed in our
 * own memory, by its rules. */
#include "base/text.h"

#include <string.h>
#include <utf8proc.h>

#include "base/memory.h"

#define LOCALE_MOST 63 /* bytes of a language tag that are looked at */

int text_decode(const char *s, size_t n, int32_t *codepoint) {
    if (n == 0) {
        return -1;
    }
    unsigned char first = (unsigned char)s[0];
    if (first < 0x80) {
        *codepoint = first;
        return 1;
    }
    utf8proc_int32_t read;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)s,
                                             (utf8proc_ssize_t)(n < 4 ? n : 4), &read);
    if (used < 1 || read < 0) {
        return -1;
    }
    *codepoint = read;
    return (int)used;
}

int text_encode(int32_t codepoint, char out[4]) {
    bool surrogate = codepoint >= 0xD800 && codepoint <= 0xDFFF;
    if (codepoint < 0 || codepoint > 0x10FFFF || surrogate) {
        return -1;
    }
    utf8proc_uint8_t bytes[4];
    int used = (int)utf8proc_encode_char(codepoint, bytes);
    memcpy(out, bytes, (size_t)used);
    return used;
}

bool text_valid(const char *s, size_t n) {
    int32_t codepoint;
    for (size_t at = 0; at < n;) {
        int used = text_decode(s + at, n - at, &codepoint);
        if (used < 1 || codepoint == 0) {
            return false;
        }
        at += (size_t)used;
    }
    return true;
}

/* Of ASCII nothing but case folds. */
static char *fold_ascii(const char *s, size_t n) {
    char *made = memory_copy_n(s, n);
    for (size_t i = 0; made && i < n; i++) {
        made[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + ('a' - 'A') : s[i]);
    }
    return made;
}

size_t text_plain(const char *s, size_t n) {
    size_t at = 0;
    while (at < n && s[at] >= 0x20 && s[at] < 0x7F) {
        at++;
    }
    return at;
}

char *text_fold(const char *s, size_t n) {
    static const utf8proc_option_t fold = UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                          UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                          UTF8PROC_IGNORE;
    if (n > TEXT_MOST_BYTES || !text_valid(s, n)) {
        return NULL;
    }
    if (text_plain(s, n) == n) {
        return fold_ascii(s, n);
    }
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)s;
    utf8proc_ssize_t length = (utf8proc_ssize_t)n;
    utf8proc_ssize_t wanted = utf8proc_decompose(bytes, length, NULL, 0, fold);
    if (wanted < 0) {
        return NULL;
    }
    /* utf8proc_reencode writes the bytes over the code points and a NUL behind them. */
    utf8proc_int32_t *points = memory_get(((size_t)wanted + 1) * sizeof *points);
    if (!points) {
        return NULL;
    }
    utf8proc_ssize_t made = utf8proc_decompose(bytes, length, points, wanted, fold);
    if (made >= 0) {
        made = utf8proc_reencode(points, made, fold);
    }
    char *shrunk = made < 0 ? NULL : memory_copy_n((char *)points, (size_t)made);
    memory_free(points);
    return shrunk;
}

size_t text_graphemes(const char *s, size_t n) {
    size_t count = 0;
    int32_t before = 0, codepoint = 0;
    utf8proc_int32_t state = 0;
    for (size_t at = 0; at < n;) {
        int used = text_decode(s + at, n - at, &codepoint);
        if (used < 1) {
            codepoint = 0; /* a control: it never joins a neighbour */
            used = 1;
        }
        if (at == 0 || utf8proc_grapheme_break_stateful(before, codepoint, &state)) {
            count++;
        }
        before = codepoint;
        at += (size_t)used;
    }
    return count;
}

const char *text_category(int32_t codepoint) {
    return utf8proc_category_string(codepoint);
}

bool text_is_letter(int32_t codepoint) {
    return text_category(codepoint)[0] == 'L';
}

bool text_is_mark(int32_t codepoint) {
    return text_category(codepoint)[0] == 'M';
}

bool text_is_digit(int32_t codepoint) {
    return utf8proc_category(codepoint) == UTF8PROC_CATEGORY_ND;
}

bool text_is_space(int32_t codepoint) {
    return (codepoint >= '\t' && codepoint <= '\r') || codepoint == 0x85 ||
           text_category(codepoint)[0] == 'Z';
}

int32_t text_lower(int32_t codepoint) {
    return utf8proc_tolower(codepoint);
}

static char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* locale as a tag: lower case, '_' is '-', what follows '.' or '@' is dropped. */
static size_t locale_tag(const char *locale, char out[LOCALE_MOST + 1]) {
    size_t length = locale ? strcspn(locale, ".@") : 0;
    length = length > LOCALE_MOST ? LOCALE_MOST : length;
    for (size_t i = 0; i < length; i++) {
        out[i] = locale[i] == '_' ? '-' : ascii_lower(locale[i]);
    }
    out[length] = '\0';
    return length;
}

static bool is_subtag(const char *subtag, size_t n, const char *const list[],
                      size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == n && memcmp(list[i], subtag, n) == 0) {
            return true;
        }
    }
    return false;
}

bool text_is_rtl_locale(const char *locale) {
    static const char *const languages[] = {"ar", "arc", "ckb", "dv", "fa",
                                            "he", "iw",  "khw", "ks", "ps",
                                            "sd", "syr", "ug",  "ur", "yi"};
    static const char *const scripts[] = {"adlm", "arab", "aran", "hebr", "mand",
                                          "nkoo", "rohg", "syrc", "thaa"};
    char tag[LOCALE_MOST + 1];
    (void)locale_tag(locale, tag);
    size_t language = strcspn(tag, "-");
    const char *second = tag[language] == '-' ? tag + language + 1 : "";
    size_t script = strcspn(second, "-");
    if (script == 4) { /* a script is said: it decides */
        return is_subtag(second, script, scripts, sizeof scripts / sizeof *scripts);
    }
    return is_subtag(tag, language, languages, sizeof languages / sizeof *languages);
}

/* entry, in any case, is the tag. */
static bool is_tag(const char *entry, const char *tag) {
    while (*tag != '\0' && ascii_lower(*entry) == *tag) {
        entry++;
        tag++;
    }
    return *entry == *tag;
}

const char *text_locale(const char *locale, const char *const supported[], size_t n,
                        const char *fallback) {
    char tag[LOCALE_MOST + 1];
    size_t length = locale_tag(locale, tag);
    while (length > 0) {
        for (size_t i = 0; i < n; i++) {
            if (is_tag(supported[i], tag)) {
                return supported[i];
            }
        }
        while (length > 0 && tag[--length] != '-') {
        }
        tag[length] = '\0';
    }
    return fallback;
}

const char *text_library_version(void) {
    return utf8proc_version();
}
