/* SPDX-License-Identifier: MIT */
/* The local spool: events accepted while PostgreSQL was out of reach, in one SQLite file
 * (WAL, synchronous=FULL) shared by the processes of a host. Each call opens the file and
 * closes it again: an idle spool costs nothing, and a forked process inherits nothing. Any
 * thread may call at any time. Not for network file systems. */
#ifndef IO_SPOOL_H
#define IO_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SPOOL_PATH_MOST 400                 /* bytes of a path */
#define SPOOL_TAKE_MOST 10000               /* entries of one take */
#define SPOOL_TAKE_BYTES ((size_t)16 << 20) /* a take ends at the first entry beyond */
#define SPOOL_LEASE_MOST_MS 3600000

struct spool;

/* The strings are the entry's, freed by spool_entries_free. */
struct spool_entry {
    int64_t id; /* ids are never used again, not even by another file */
    char *store;
    char *event; /* NUL-terminated behind length */
    size_t length;
    int64_t takes; /* how often it was taken before: above 0 something went wrong then */
};

/* Remembers the path (made absolute), touches no file. A missing folder is a warning, not
 * an error. 0, ERROR_INVALID or ERROR_FAILED. The caller's, closed with spool_close, which
 * accepts NULL. */
int spool_open(const char *path, struct spool **spool, struct error *error);
void spool_close(struct spool *spool);
/* In a forked child, instead of close. */
void spool_forget(struct spool *spool);
/* SQLite's: "3.40.1". */
const char *spool_library_version(void);
/* What an operator should know since the last time: a missing folder, or a corrupt,
 * foreign or newer file that was set aside as PATH.broken-TIME. The caller's, released
 * with memory_free; NULL when there is nothing. */
char *spool_warning(struct spool *spool);

/* The calls below give 0, ERROR_UNAVAILABLE (full, read-only, busy, no folder; detail
 * names the path) or ERROR_FAILED. Those without a deadline wait two seconds at most for
 * other processes. */

/* All or none; synchronised to the disk before it returns 0. deadline_us bounds the wait
 * for others, not the disk. */
int spool_put(struct spool *spool, const char *store, const char *const events[],
              const size_t lengths[], size_t count, int64_t deadline_us,
              struct error *error);
/* The oldest entries of a store (NULL: of any), leased for lease_ms. A store with a live
 * lease gives nothing, so that its events are replayed in order, by one at a time.
 * *entries is the caller's, freed with spool_entries_free; NULL with *count 0 when there
 * is nothing. */
int spool_take(struct spool *spool, const char *store, int lease_ms, size_t most,
               struct spool_entry **entries, size_t *count, struct error *error);
void spool_entries_free(struct spool_entry *entries, size_t count);
/* Removes entries; unknown ids are fine. */
int spool_done(struct spool *spool, const int64_t ids[], size_t count,
               struct error *error);
/* Gives leases back before they end, as if the entries had not been taken. */
int spool_return(struct spool *spool, const int64_t ids[], size_t count,
                 struct error *error);
/* Sets an entry aside: kept, counted, never given by spool_take again. */
int spool_fail(struct spool *spool, int64_t id, const char *why, struct error *error);
/* Either may be NULL. */
int spool_count(struct spool *spool, int64_t *waiting, int64_t *failed,
                struct error *error);

#endif
