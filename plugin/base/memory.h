/* SPDX-License-Identifier: MIT */
/* Every allocation of our own. Results are the caller's, free() compatible, released with
 * memory_free; NULL when there is no memory. Safe from any thread. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Sizes of 0 give a valid pointer to nothing. */
void *memory_get(size_t n) __attribute__((warn_unused_result));
/* count * size zeroed bytes; NULL when the product overflows. */
void *memory_zero(size_t count, size_t size) __attribute__((warn_unused_result));
/* As realloc: on failure p stays the caller's and valid. */
void *memory_grow(void *p, size_t n) __attribute__((warn_unused_result));
/* A copy of s, of its first n bytes and a NUL; NULL for NULL. */
char *memory_copy(const char *s) __attribute__((warn_unused_result));
char *memory_copy_n(const char *s, size_t n) __attribute__((warn_unused_result));
/* Accepts NULL. */
void memory_free(void *p);
/* Gives what was freed back to the system: after something big, not after each call. */
void memory_trim(void);

/* Asked before a library's allocator is used in our name: true when the test hook wants
 * this allocation to fail. Always false outside test builds. */
bool memory_refused(void);

#ifdef VOUCH_TEST_ALLOC
/* Test builds only. From now on the k-th allocation (1 is the next) of the process fails;
 * with forever all after it too. k 0 switches the hook off. */
void memory_fail_at(long k, bool forever);
/* Allocations asked for since the last memory_fail_at. */
long memory_count(void);
#endif

#endif
