/* SPDX-License-Identifier: MIT */
/* The terminal: the one place where vouchctl writes to its standard streams. */
#include "print.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { PRINT_MOST_BYTES = 8192 };

static void print_clear(void) {
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

static bool print_harmless(int32_t c) {
    return c >= 0x20 && !(c >= 0x7F && c <= 0x9F) && c != 0x061C && c != 0x200E &&
           c != 0x200F && !(c >= 0x2028 && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);
}

static void print_cleansed(FILE *file, const char *text) {
    size_t left = strlen(text);

    while (left > 0) {
        int32_t c = 0;
        int n = text_decode(text, left, &c);
        if (n > 0 && print_harmless(c)) {
            fwrite(text, 1, (size_t)n, file);
        } else {
            fputc('?', file);
        }
        n = n > 0 ? n : 1;
        text += n;
        left -= (size_t)n;
    }
    fputc('\n', file);
    fflush(file);
}

void print_line(const char *format, ...) {
    char text[PRINT_MOST_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_clear();
    print_cleansed(stdout, text);
}

void print_raw(const char *text) {
    print_clear();
    fputs(text, stdout);
    fputc('\n', stdout);
    fflush(stdout);
}

void print_error(const char *format, ...) {
    char text[PRINT_MOST_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_clear();
    fputs("vouchctl: ", stderr);
    print_cleansed(stderr, text);
}

void print_progress(const char *format, ...) {
    va_list args;

    print_clear();
    if (format && isatty(STDERR_FILENO)) {
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fflush(stderr);
    }
}

bool print_ok(void) {
    return fflush(stdout) == 0 && !ferror(stdout);
}
