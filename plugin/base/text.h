/* SPDX-License-Identifier: MIT */
/* Unicode text by utf8proc: no locale of the process, no state; safe from any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MOST_BYTES ((size_t)1 << 20) /* what text_fold takes at most */

/* Well-formed UTF-8: no surrogates, no overlong forms, no NUL. */
bool text_valid(const char *s, size_t n);
/* NFKC_Casefold, default-ignorable code points dropped; the caller's, memory_free; NULL
 * on bad or too long input, or without memory. */
char *text_fold(const char *s, size_t n);
/* How many bytes at the front are printable ASCII. */
size_t text_plain(const char *s, size_t n);
/* User-perceived characters (UAX 29); an ill-formed byte counts as one. */
size_t text_graphemes(const char *s, size_t n);

/* "ar", "fa-IR", "az-Arab": written from right to left. NULL is not. */
bool text_is_rtl_locale(const char *locale);
/* The entry of supported nearest to locale, subtag by subtag ("lv-LV", "lv_LV.UTF-8" ->
 * "lv"), else fallback. Static: one of the pointers given. */
const char *text_locale(const char *locale, const char *const supported[], size_t n,
                        const char *fallback);

/* The code point at s: bytes used (1..4), or -1 when ill-formed or n is 0. */
int text_decode(const char *s, size_t n, int32_t *codepoint);
/* Bytes written (1..4, no NUL), or -1 for surrogates and numbers that are no code point.
 */
int text_encode(int32_t codepoint, char out[4]);
/* Two letters as in "Lu", static; "Cn" for what is no code point. */
const char *text_category(int32_t codepoint);
bool text_is_letter(int32_t codepoint); /* L* */
bool text_is_mark(int32_t codepoint);   /* M* */
bool text_is_digit(int32_t codepoint);  /* Nd */
bool text_is_space(int32_t codepoint);  /* Z*, \t \n \v \f \r, U+0085 */
int32_t text_lower(int32_t codepoint);
/* utf8proc's: "2.8.0". */
const char *text_library_version(void);

#endif
