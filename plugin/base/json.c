/* SPDX-License-Identifier: MIT */
/* Writing JSON text, and JSON pointers; reading is in json_read.c and json_field.c. */
#include "base/json.h"

#include <stdio.h>

#include "base/buffer.h"

#define WRITE_MOST_BYTES ((size_t)64 << 20)
#define REAL_DIGITS 15 /* 4.3 stays 4.3 */

void json_start(void) {
    json_object_seed(0);
}

static int json_sink(const char *bytes, size_t n, void *sink) {
    struct buffer *out = sink;
    buffer_append(out, bytes, n);
    return out->failed ? -1 : 0;
}

char *json_write(const json_t *value) {
    struct buffer out;
    buffer_init(&out, WRITE_MOST_BYTES);
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS);
    if (!value || json_dump_callback(value, json_sink, &out, flags) != 0) {
        buffer_free(&out);
        return NULL;
    }
    return buffer_steal(&out);
}

void json_point(char out[160], const char *base, const char *name) {
    size_t used = (size_t)snprintf(out, 160, "%.*s/", 157, base ? base : "");
    for (; *name != '\0' && used < 158; name++) {
        if (*name == '~' || *name == '/') {
            out[used++] = '~';
            out[used++] = *name == '~' ? '0' : '1';
        } else {
            out[used++] = *name;
        }
    }
    out[used] = '\0';
}

void json_point_at(char out[160], const char *base, size_t index) {
    snprintf(out, 160, "%.*s/%zu", 138, base ? base : "", index);
}
