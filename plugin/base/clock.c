/* SPDX-License-Identifier: MIT */
/* The proleptic Gregorian calendar by arithmetic alone. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"

#define SECOND_US INT64_C(1000000)
#define DAY_SECONDS INT64_C(86400)

static int64_t clock_read(clockid_t id) {
    struct timespec now = {0};
    (void)clock_gettime(id, &now); /* both clocks exist on every Linux */
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_now_us(void) {
    return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void) {
    return clock_read(CLOCK_REALTIME);
}

/* Days since 1970-01-01; years are counted from March, so that a leap day ends one. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t month_days(int64_t year, int64_t month) {
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Exactly `digits` ASCII digits at *at, and then the character `after` (NUL: none). */
static bool take_number(const char *text, size_t length, size_t *at, int digits,
                        char after, int64_t *number) {
    int64_t value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (*at >= length || text[*at] < '0' || text[*at] > '9') {
            return false;
        }
        value = value * 10 + (text[*at] - '0');
    }
    *number = value;
    if (after == '\0') {
        return true;
    }
    /* RFC 3339 lets T and Z be lower case; no other separator has two cases. */
    bool same =
        *at < length && (text[*at] == after || (after == 'T' && text[*at] == 't'));
    *at += same;
    return same;
}

/* ".5": 1..9 digits into microseconds, what is finer cut off; no point is 0. */
static bool take_fraction(const char *text, size_t length, size_t *at, int64_t *us) {
    *us = 0;
    if (*at >= length || text[*at] != '.') {
        return true;
    }
    int64_t unit = SECOND_US / 10;
    size_t first = ++*at;
    for (; *at < length && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
        *us += unit * (text[*at] - '0');
        unit /= 10;
    }
    return *at > first && *at - first <= 9;
}

/* "Z" or "+02:00", and nothing behind it. */
static bool take_offset(const char *text, size_t length, size_t *at, int64_t *seconds) {
    *seconds = 0;
    if (*at >= length) {
        return false;
    }
    char sign = text[(*at)++];
    if (sign == 'Z' || sign == 'z') {
        return *at == length;
    }
    int64_t hours, minutes;
    bool shaped = (sign == '+' || sign == '-') &&
                  take_number(text, length, at, 2, ':', &hours) &&
                  take_number(text, length, at, 2, '\0', &minutes) && *at == length;
    if (!shaped || hours > 23 || minutes > 59) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    return true;
}

int clock_parse(const char *text, size_t length, int64_t *wall_us) {
    int64_t year, month, day, hour, minute, second, fraction, offset;
    size_t at = 0;
    bool shaped = text && take_number(text, length, &at, 4, '-', &year) &&
                  take_number(text, length, &at, 2, '-', &month) &&
                  take_number(text, length, &at, 2, 'T', &day) &&
                  take_number(text, length, &at, 2, ':', &hour) &&
                  take_number(text, length, &at, 2, ':', &minute) &&
                  take_number(text, length, &at, 2, '\0', &second) &&
                  take_fraction(text, length, &at, &fraction) &&
                  take_offset(text, length, &at, &offset);
    if (!shaped || month < 1 || month > 12 || day < 1 || day > month_days(year, month) ||
        hour > 23 || minute > 59 || second > 59) {
        return ERROR_INVALID;
    }
    int64_t seconds = days_of(year, month, day) * DAY_SECONDS + hour * 3600 +
                      minute * 60 + second - offset;
    int64_t us = seconds * SECOND_US + fraction;
    if (us < 0 || us > CLOCK_MOST_US) {
        return ERROR_INVALID;
    }
    *wall_us = us;
    return 0;
}

void clock_format(int64_t wall_us, char out[32]) {
    int64_t us = wall_us < 0 ? 0 : wall_us > CLOCK_MOST_US ? CLOCK_MOST_US : wall_us;
    int64_t seconds = us / SECOND_US;
    int64_t days = seconds / DAY_SECONDS + 719468;
    int64_t of_day = seconds % DAY_SECONDS;
    int64_t era = days / 146097;
    int64_t of_era = days % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);

    int used =
        snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%06d", (int)year, (int)month,
                 (int)day, (int)(of_day / 3600), (int)(of_day / 60 % 60),
                 (int)(of_day % 60), (int)(us % SECOND_US));
    size_t end = used > 0 && used < 30 ? (size_t)used : 0;
    while (end > 0 && out[end - 1] == '0') {
        end--;
    }
    end -= end > 0 && out[end - 1] == '.';
    out[end] = 'Z';
    out[end + 1] = '\0';
}
