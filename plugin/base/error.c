/* SPDX-License-Identifier: MIT */
/* Filling the one error: bounded, well-formed, first one wins. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Ill-formed bytes become '?'; a character cut off at the end goes altogether. */
static void error_scrub(char *text, bool cut) {
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        int32_t codepoint;
        int used = text_decode(text + at, length - at, &codepoint);
        if (used > 0) {
            at += (size_t)used;
        } else if (cut && length - at < 4 && (text[at] & 0xC0) == 0xC0) {
            text[at] = '\0';
            return;
        } else {
            text[at++] = '?';
        }
    }
}

int error_set(struct error *error, int code, const char *pointer, const char *format,
              ...) {
    if (!error || error->code != ERROR_NONE) {
        return code;
    }
    int saved = errno;
    error->code = code;

    size_t length = pointer ? strlen(pointer) : 0;
    bool cut = length >= sizeof error->pointer;
    length = cut ? sizeof error->pointer - 1 : length;
    if (length > 0) {
        memcpy(error->pointer, pointer, length);
    }
    error->pointer[length] = '\0';
    error_scrub(error->pointer, cut);

    va_list list;
    va_start(list, format);
    int wanted = vsnprintf(error->detail, sizeof error->detail, format, list);
    va_end(list);
    if (wanted < 0) {
        error->detail[0] = '\0';
    }
    error_scrub(error->detail, wanted >= (int)sizeof error->detail);
    errno = saved;
    return code;
}
