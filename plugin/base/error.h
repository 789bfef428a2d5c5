/* SPDX-License-Identifier: MIT */
/* One error, fixed in size, on the caller's stack: reporting lack of memory allocates
 * nothing. Zero it to start ({0}); the first error set wins. No locks, no globals. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* The same numbers as the VOUCH_ codes of the public header. */
enum {
    ERROR_NONE = 0,
    ERROR_INVALID = -1,
    ERROR_UNAVAILABLE = -2,
    ERROR_MISUSE = -3,
    ERROR_FORKED = -4,
    ERROR_FAILED = -5
};

struct error {
    int code;
    char pointer[160]; /* RFC 6901 pointer to the bad field, or "" */
    char detail[512];  /* one sentence for people; always well-formed UTF-8 */
};

/* Records code, pointer (NULL is "") and the formatted sentence, cut at a character when
 * too long, ill-formed bytes as '?'. Does nothing when error is NULL or already set.
 * Returns code, so that `return error_set(...)` reads well. */
int error_set(struct error *error, int code, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
