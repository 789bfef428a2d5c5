/* SPDX-License-Identifier: MIT */
/* The terminal: the one place where vouchctl writes to its standard streams. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdbool.h>
#include <stddef.h>

/* One line to the standard output, the newline added. What could steer a terminal or turn
 * its writing direction, in whatever outsiders wrote, becomes a question mark. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for machines: as it is. */
void print_raw(const char *text);
/* One line to the standard error, likewise, led by the program's name. */
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Replaces the last progress on the standard error when that is a terminal, else nothing;
 * the next line of any kind overwrites it. NULL takes it away. */
void print_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* False when something could not be written, as on a full disk or a closed pipe. */
bool print_ok(void);

#endif
