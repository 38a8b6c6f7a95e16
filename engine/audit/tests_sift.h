/*
 * sift: keys of entries brought together, so that equal and neighbouring ones meet, in bounded memory.
 *
 * Items are shared out by `spread`: first into parts, of which one walk takes one, then into buckets that are each sorted
 * alone. What has to meet must have the same spread. A worker has a sift of its own; after a walk each bucket's items, of
 * all workers together, come sorted by a, then b, then c.
 *
 * Memory: KT_SIFT_MOST items of 24 bytes at the most, over all workers, and one bucket a worker while it is sorted.
 */
#ifndef KT_AUDIT_TESTS_SIFT_H
#define KT_AUDIT_TESTS_SIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

#ifndef KT_SIFT_MOST /* a test that includes tests_sift.c sets less, to meet several walks */
#define KT_SIFT_MOST 5500000u
#endif
#define KT_SIFT_BUCKETS 256u

typedef struct kt_sift_item {
    uint64_t a, b, c;
} kt_sift_item;

typedef struct kt_sift {
    struct kt_sift_chunk *buckets[KT_SIFT_BUCKETS];
    kt_sift_item *room; /* to sort a bucket in */
    size_t room_count;
} kt_sift; /* all zero to begin with */

/* In how many parts so many items are taken. */
unsigned kt_sift_parts(uint64_t items);

kt_code kt_sift_put(kt_sift *sift, uint64_t spread, const kt_sift_item *item, unsigned parts, unsigned part,
                    kt_error *error);
/* A bucket of several workers' sifts, sorted in the room of `into`, valid until its next call. Each bucket may be asked for by
   another thread, with an `into` of its own. */
kt_code kt_sift_bucket(kt_sift *const *sifts, unsigned count, unsigned bucket, kt_sift *into, kt_sift_item **items,
                       size_t *item_count, kt_error *error);
void kt_sift_clear(kt_sift *sift); /* for the next walk */
void kt_sift_release(kt_sift *sift);

#endif
