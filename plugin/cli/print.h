/* SPDX-License-Identifier: MIT */
/* The terminal: the one place where vouchctl writes to its standard streams. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdbool.h>
#include <stddef.h>

/* One line to the standard output, the newline added. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line to the standard error, led by the program's name. */
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Replaces the last progress on the standard error when that is a terminal, else nothing;
 * the next line of any kind overwrites it. NULL takes it away. */
void print_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* False when something could not be written, as on a full disk or a closed pipe. */
bool print_ok(void);

#endif
