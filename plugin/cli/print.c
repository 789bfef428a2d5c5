/* SPDX-License-Identifier: MIT */
/* The terminal: the one place where vouchctl writes to its standard streams. */
#include "print.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void print_clear(void) {
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

void print_line(const char *format, ...) {
    va_list args;

    print_clear();
    va_start(args, format);
    vfprintf(stdout, format, args);
    va_end(args);
    fputc('\n', stdout);
    fflush(stdout);
}

void print_error(const char *format, ...) {
    va_list args;

    print_clear();
    fputs("vouchctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
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
