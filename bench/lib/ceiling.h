/*
 * ceiling: the journal's bytes alone. The records of a book, read back beforehand, are hashed into a tree, signed per batch
 * and appended to LMDB with a sync for each batch, on one thread, and no accounting at all: what that much
 * hashing and writing cannot be faster than on one processor.
 */
#ifndef KT_BENCH_CEILING_H
#define KT_BENCH_CEILING_H

#include <stdint.h>

/* Nanoseconds for the last `entries` of the book, which lie there `batch` to a batch with a seal behind each. The ceiling's
   own store is made in `directory`, which must not exist. */
int64_t bench_ceiling(const char *book, const char *directory, uint64_t entries, uint32_t batch);

#endif
