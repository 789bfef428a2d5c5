/* SPDX-License-Identifier: MIT */
/* Refuses what two readers could read differently: empty segments, dots, controls. */
#include "web/target.h"

#include <string.h>

#include "base/memory.h"
#include "web/query.h"

static int target_segment(struct target *target, char *at, size_t n, int last) {
    long length = query_decode(at, n, false, at);

    if (length < 0 || (length == 0 && !last)) {
        return 400;
    }
    if (strcmp(at, ".") == 0 || strcmp(at, "..") == 0) {
        return 400;
    }
    for (const char *c = at; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return 400;
        }
    }
    if (target->count < TARGET_SEGMENTS_MOST) {
        target->segments[target->count] = at;
    }
    target->count += target->count <= TARGET_SEGMENTS_MOST;
    target->depth += target->count > 1 && target->depth < TARGET_SEGMENTS_MOST;
    return 0;
}

static int target_path(struct target *target, char *path, size_t n) {
    int status = 0;
    char *end = path + n;

    for (char *at = path + 1; !status && n > 1 && at <= end;) {
        char *slash = memchr(at, '/', (size_t)(end - at));
        char *next = slash ? slash : end;
        status = target_segment(target, at, (size_t)(next - at), !slash);
        at = next + 1;
    }
    return status;
}

int target_read(const char *text, size_t n, struct target *target) {
    *target = (struct target){.query = ""};
    if (n > TARGET_BYTES_MOST) {
        return 414;
    }
    if (n == 0 || text[0] != '/') {
        return 400;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f || text[i] == '#' ||
            text[i] == '\\') {
            return 400;
        }
    }
    target->storage = memory_copy_n(text, n);
    if (!target->storage) {
        return 500;
    }
    char *mark = memchr(target->storage, '?', n);
    if (mark) {
        *mark = '\0';
        target->query = mark + 1;
    }
    return target_path(target, target->storage,
                       mark ? (size_t)(mark - target->storage) : n);
}

void target_free(struct target *target) {
    memory_free(target->storage);
    *target = (struct target){.query = ""};
}
