/*
 * writer: the storing end of the journal: owns the write transaction, stores parcels, commits.
 *
 * Invariants:
 *  W1  Records below the head never change; the head moves only where a parcel is sealed, in one transaction with its
 *      signed checkpoint (law 6) and the state it gave.
 *  W2  A batch larger than one transaction is committed in pieces above the head, with a mark in table meta (key
 *      "pending"); nothing reads above the head, and whoever begins next drops what lies there (law 4).
 *  W3  What was put is stored when a commit has returned KT_OK, which is after the sync (law 3). Several batches may share
 *      one: what is stored in the end is the same.
 *
 * Lifetime: LMDB wants a write transaction begun and ended by one thread, so all puts of a batch, and the abort, come from
 * the same one.
 */
#ifndef KT_STORAGE_WRITER_H
#define KT_STORAGE_WRITER_H

#include "storage/parcel.h"

typedef struct kt_writer_hooks {
    /* Before `block`, on the hashing lane: what the engine can prepare without the store. May be NULL. */
    void (*prepare)(void *context, uint64_t first, uint32_t count);
    /* A block was written, records [first, first + count): the engine writes what it gathered for them. May be NULL. */
    kt_code (*block)(void *context, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error);
    /* All blocks of the batch are written and the head is about to move. May be NULL. */
    kt_code (*head)(void *context, kt_txn *txn, kt_error *error);
    /* What a broken-off batch left above the head is dropped: the engine does the same with its state. May be NULL. */
    kt_code (*recover)(void *context, kt_txn *txn, uint64_t size, kt_error *error);
    void *context;
} kt_writer_hooks;

typedef struct kt_writer kt_writer;

kt_code kt_writer_open(kt_store *store, const kt_writer_hooks *hooks, kt_writer **out, kt_error *error);
void kt_writer_close(kt_writer *writer); /* aborts */
/* A batch follows a head of this size. */
void kt_writer_set_head(kt_writer *writer, uint64_t size);
kt_code kt_writer_begin(kt_writer *writer, kt_error *error); /* the transaction, where none is open */
kt_txn *kt_writer_txn(kt_writer *writer);                    /* NULL: none is open */
/* Writes the parcel, and at its end what belongs there. After a failure only abort is left. */
kt_code kt_writer_put(kt_writer *writer, const kt_parcel *parcel, kt_error *error);
unsigned kt_writer_blocks(const kt_writer *writer); /* put since the last commit */
/* What was put is committed; blocks of a batch that is not at its end come to lie above the head. After a failure nothing of
   it is stored. */
kt_code kt_writer_commit(kt_writer *writer, kt_error *error);
void kt_writer_abort(kt_writer *writer);
/* W2: is anything left above the head, by this writer or another? Drops it. */
kt_code kt_writer_is_pending(kt_txn *txn, bool *pending, kt_error *error);
kt_code kt_writer_drop_pending(kt_writer *writer, kt_error *error);

#endif
