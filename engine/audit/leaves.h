/*
 * leaves: the part of verification's hashing in which no record depends on another, over any number of threads.
 *
 * A stretch of some thousand records is read under its checksums, its leaves hashed, its full tiles put together and its
 * records told apart; whoever wants the tree, the batches' content and the checkpoints takes the stretches in the order of
 * records and joins them. Threads take the next stretch nobody works on; the one that asks for them works too while it
 * waits.
 *
 * Memory is bounded: a few stretches for each thread, however large the book. What comes out is the same with any number
 * of threads. A stretch in which anything cannot be read is marked, no more: whoever takes it goes through it record by
 * record and says what is wrong.
 *
 * Lifetime: the reader of records and its transaction are the caller's; only the thread that calls kt_leaves_next
 * touches them. A stretch is valid until the next call.
 */
#ifndef KT_AUDIT_LEAVES_H
#define KT_AUDIT_LEAVES_H

#include "engine/fold.h"
#include "storage/records.h"
#include "storage/tree.h"

#define KT_STRETCH_MOST (KT_BLOCK_RECORDS + 256u) /* records: a full block, and the small one that seals it */
#define KT_STRETCH_TILES (KT_STRETCH_MOST / KT_TILE_WIDTH + 1u)

typedef enum kt_leaf_sort {
    KT_LEAF_PLAIN,   /* nothing to be looked at but its hash */
    KT_LEAF_POSTING, /* an entry */
    KT_LEAF_LOOK     /* a seal, a proposal, a change of the log's key, a long record, or not an envelope */
} kt_leaf_sort;

typedef struct kt_stretch {
    uint64_t first;
    uint32_t count;
    bool unread; /* not all of it can be read: nothing below holds */
    uint8_t leaves[KT_STRETCH_MOST][KT_HASH_SIZE];
    uint8_t sorts[KT_STRETCH_MOST];
    /* By tile, counted from the one that first lies in: its root, where all of it lies in this stretch and no seal within. */
    bool whole[KT_STRETCH_TILES];
    uint8_t roots[KT_STRETCH_TILES][KT_HASH_SIZE];
} kt_stretch;

typedef struct kt_leaves kt_leaves;

/* Over the records below the reader's end. helpers: threads besides those that call kt_leaves_help; fewer where they
   cannot be had. */
kt_code kt_leaves_open(const kt_registry *registry, kt_records *records, unsigned helpers, kt_leaves **out,
                       kt_error *error);
/* Whoever called kt_leaves_help has returned by then. */
void kt_leaves_close(kt_leaves *leaves);
/* The next stretch. NULL: the end, or a record at *next whose block cannot be read. */
const kt_stretch *kt_leaves_next(kt_leaves *leaves, uint64_t *next);
/* There will be no more calls of kt_leaves_next: helping ends. */
void kt_leaves_end(kt_leaves *leaves);
/* Works on stretches until the end; from any thread. */
void kt_leaves_help(kt_leaves *leaves);

#endif
