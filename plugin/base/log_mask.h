/* SPDX-License-Identifier: MIT */
/* What a log line may show. Pure, allocates nothing; safe from any thread. */
#ifndef BASE_LOG_MASK_H
#define BASE_LOG_MASK_H

#include <stdarg.h>

#define LOG_MESSAGE_BYTES 416 /* a message, its NUL counted */

/* The formatted message: anything like a mail address as "[address]", like a token as
 * "[token]", control and direction characters as escapes, ill-formed bytes as '?'; cut when
 * too long. */
void log_message(char out[LOG_MESSAGE_BYTES], const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));

#endif
