/* SPDX-License-Identifier: MIT */
/* The log of one instance: its last 100 lines in a ring, and a file ("-" is stderr). A
 * line is one write(2), never holds up another thread's line, and shows no mail address,
 * link token, control character or ill-formed byte. Thread-safe; errno is kept. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR = 0, LOG_WARNING = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

struct json_t;
struct error;
struct log;

/* level: "error", "warning", "info", "debug"; NULL is "warning". file: a path, "-" for
 * stderr, NULL or "" for the ring alone. 0, or an error with pointer /log/level or
 * /log/file. The log is the caller's, closed with log_close. */
int log_open(const char *level, const char *file, struct log **log, struct error *error);
/* Writes what is still counted and frees. Accepts NULL. No other thread may use it then.
 */
void log_close(struct log *log);
/* One line; log may be NULL. Lines below the level are dropped. A line equal to a recent
 * one of the last 10 s is counted; the count is written when they are over. */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes the counts of repeated lines whose 10 s were over at now_us (clock_now_us).
 * Called by whoever steps; log_write does it as well. log may be NULL. */
void log_tick(struct log *log, int64_t now_us);
/* The ring, oldest first: a new array of strings; empty for NULL, NULL without memory. */
struct json_t *log_lines(struct log *log);

#endif
