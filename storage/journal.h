/*
 * journal: the writer's side: append records, seal batches, move the head.
 *
 *        begin ──► room/take, append ──► seal ──► (acknowledged)
 *          │             │                 
 *          └─────────────┴──► abort            nothing of the batch remains
 *
 * Invariants:
 *  J1  Records below the head never change; the head moves only in kt_journal_seal, in one transaction with its
 *      signed checkpoint (law 6) and whatever the engine wrote as state.
 *  J2  A batch larger than one transaction is committed in pieces above the head, with a mark in table meta (key
 *      "pending"); nothing reads above the head, and the next begin drops what lies there (law 4).
 *  J3  One writer at a time: an exclusive flock on writer.lock from begin to seal or abort, across pieces.
 *  J4  kt_journal_seal returns KT_OK only after the commit has been synced (law 3).
 *  J5  Recorded time never falls: where the clock is behind, the last time is used and the seal says so.
 *
 * Lifetime: the journal borrows the store and the signer. Its write transaction belongs to the calling thread.
 */
#ifndef KT_STORAGE_JOURNAL_H
#define KT_STORAGE_JOURNAL_H

#include "storage/head.h"
#include "storage/seal.h"

typedef struct kt_journal kt_journal;

typedef struct kt_journal_options {
    const char *directory; /* where writer.lock lies */
    const char *origin;    /* the log's name */
    int64_t (*clock_us)(void *context);
    void *clock_context;
    bool single_thread; /* hash on the calling thread; the bytes are the same */
    /* A block was written, records [first, first + count): the engine writes what it gathered for them through
       kt_journal_txn. May be NULL. */
    kt_code (*block)(void *context, uint64_t first, uint32_t count, kt_error *error);
    /* The batch's seal was appended as record `number`; its block is not written yet. May be NULL. */
    kt_code (*sealed)(void *context, const kt_seal *seal, uint64_t number, kt_error *error);
    /* All blocks are written and the head is about to move: the engine writes the rest of its state. May be NULL. */
    kt_code (*flush)(void *context, kt_error *error);
    /* A block of a batch that is only tried was dropped: the engine forgets what it gathered for it. May be NULL. */
    void (*dropped)(void *context);
    /* Does the engine hold so much that a piece should be committed? May be NULL. */
    bool (*full)(void *context);
    /* A piece is about to be committed above the head: the engine may write what only writers read. May be NULL. */
    kt_code (*piece)(void *context, kt_error *error);
    /* A piece was committed and a new write transaction begun: what was bound to the old one is void. May be NULL. */
    void (*renewed)(void *context, kt_txn *txn);
    /* What a broken-off batch left above the head is dropped: the engine does the same with its state. */
    kt_code (*recover)(void *context, kt_txn *txn, uint64_t size, kt_error *error);
    void *context;
} kt_journal_options;

kt_code kt_journal_open(kt_store *store, const kt_journal_options *options, kt_journal **out, kt_error *error);
void kt_journal_close(kt_journal *journal); /* aborts an open batch */

/* Takes the writer's turn: waits for another writer, or KT_BUSY with no_wait. */
kt_code kt_journal_begin(kt_journal *journal, bool no_wait, kt_error *error);
void kt_journal_abort(kt_journal *journal);
/* The open batch is only tried: its records get numbers and go nowhere, and it cannot be sealed. */
void kt_journal_discard(kt_journal *journal);
/* Drops what an interrupted writer left, where there is such and nobody writes now. */
kt_code kt_journal_recover(kt_journal *journal, kt_error *error);

/* The open write transaction, the head the batch began from, and the number the next record gets. */
kt_txn *kt_journal_txn(kt_journal *journal);
const kt_log_head *kt_journal_head(const kt_journal *journal);
uint64_t kt_journal_next(const kt_journal *journal);

/* Room for one record of at most `most` bytes (<= KT_RECORD_MAX), to be packed in place; then taken with its size,
   or left alone. */
kt_code kt_journal_room(kt_journal *journal, size_t most, uint8_t **room, kt_error *error);
void kt_journal_take(kt_journal *journal, size_t size);
/* Copies a record in; one above KT_RECORD_MAX becomes parts and a head. *number: the head's. A long record is refused
   with KT_LIMIT above KT_WHOLE_MAX. */
kt_code kt_journal_append(kt_journal *journal, kt_span record, uint64_t *number, kt_error *error);

/* Commits what the engine wrote to state in the open transaction, with no record and no move of the head: for a rebuilt
   state alone. The batch is over. */
kt_code kt_journal_commit_state(kt_journal *journal, kt_error *error);

typedef struct kt_seal_input {
    kt_span id;
    const kt_signer *actor; /* signs the batch */
    const kt_signer *log;   /* signs the checkpoint */
    bool has_input;
    uint8_t input[KT_HASH_SIZE];
    uint64_t read, posted, rejected;
} kt_seal_input;

/* Seals, signs, writes, syncs. *seal (id borrowed from input) and *head are what came of it. On failure the batch is
   aborted. */
kt_code kt_journal_seal(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_log_head *head,
                        kt_error *error);

#endif
