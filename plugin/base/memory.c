/* SPDX-License-Identifier: MIT */
/* Allocation, with a hook in test builds that makes the k-th one fail. */
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef VOUCH_TEST_ALLOC
#include <stdatomic.h>

static atomic_long asked;
static atomic_long fail_at;
static atomic_bool fail_forever;

void memory_fail_at(long k, bool forever) {
    atomic_store(&fail_at, 0);
    atomic_store(&asked, 0);
    atomic_store(&fail_forever, forever);
    atomic_store(&fail_at, k);
}

long memory_count(void) {
    return atomic_load(&asked);
}

bool memory_refused(void) {
    long now = atomic_fetch_add(&asked, 1) + 1;
    long k = atomic_load(&fail_at);
    return k > 0 && (now == k || (now > k && atomic_load(&fail_forever)));
}
#else
bool memory_refused(void) {
    return false;
}
#endif

void *memory_get(size_t n) {
    return memory_refused() ? NULL : malloc(n > 0 ? n : 1);
}

void *memory_zero(size_t count, size_t size) {
    size_t n;
    if (memory_refused() || __builtin_mul_overflow(count, size, &n)) {
        return NULL;
    }
    return calloc(1, n > 0 ? n : 1);
}

void *memory_grow(void *p, size_t n) {
    return memory_refused() ? NULL : realloc(p, n > 0 ? n : 1);
}

char *memory_copy(const char *s) {
    return s ? memory_copy_n(s, strlen(s)) : NULL;
}

char *memory_copy_n(const char *s, size_t n) {
    if (!s || n == SIZE_MAX) {
        return NULL;
    }
    char *copy = memory_get(n + 1);
    if (copy) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

void memory_free(void *p) {
    free(p);
}

void memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
