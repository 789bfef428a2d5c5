/* SPDX-License-Identifier: MIT */
/* Time in int64_t microseconds. Deadlines are CLOCK_MONOTONIC; wall times are since
 * 1970-01-01T00:00:00Z. No locale, no time zone database; safe from any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_MOST_US INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */

/* CLOCK_MONOTONIC, for deadlines. */
int64_t clock_now_us(void);
/* The host's wall clock: log lines and the Date of mails only; decisions use the
 * database's clock. */
int64_t clock_wall_us(void);
/* Strict RFC 3339 with an offset: T and Z in either case, a fraction of 1..9 digits cut
 * to microseconds, the instant within 1970..9999 UTC. Second 60 is refused: a leap second
 * has no number in microseconds since 1970. 0 or ERROR_INVALID, *wall_us then untouched.
 */
int clock_parse(const char *text, size_t length, int64_t *wall_us);
/* 2026-11-01T10:00:00.5Z: the fraction without trailing zeros, none when whole. Values
 * outside 1970..9999 are written as the nearer end. */
void clock_format(int64_t wall_us, char out[32]);

#endif
