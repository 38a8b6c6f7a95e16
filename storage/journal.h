/*
 * journal: the writer's side: append records, seal batches, move the head.
 *
 *        begin ──► room/take, append ──► send ──► receive (acknowledged)
 *          │             │                 │
 *          └─────────────┴──► abort        └──► begin the next, while this one is hashed, signed, written and synced
 *
 * Three hands share the work: the caller fills parcels; one lane hashes and signs them (hasher), another stores them
 * (writer). Small batches are done by the caller alone, and so is everything where single_thread is asked for. The bytes
 * are the same.
 *
 * Invariants (the writer's W1 to W3 besides):
 *  J1  One writer at a time: an exclusive flock on writer.lock from begin until nothing is open nor under way.
 *  J2  A batch is received with KT_OK only after its commit has been synced (law 3).
 *  J3  A batch is checked against the effects of those sent before it. Where one of them fails, all after it fail with it,
 *      and the open one can only be aborted.
 *  J4  Recorded time never falls: where the clock is behind, the last time is used and the seal says so.
 *
 * State is read through a read transaction that is renewed when a commit is done; what is under way lies on top of it as
 * changes turned over. Whoever needs a cursor asks kt_journal_txn, which waits.
 *
 * Lifetime: the journal borrows store, state and signers. One thread calls.
 */
#ifndef KT_STORAGE_JOURNAL_H
#define KT_STORAGE_JOURNAL_H

#include "storage/pipeline.h"

#define KT_JOURNAL_SENT KT_PIPELINE_SENT /* batches sent and not received, at most */

typedef struct kt_journal kt_journal;

typedef struct kt_journal_options {
    const char *directory; /* where writer.lock lies */
    const char *origin;    /* the log's name */
    int64_t (*clock_us)(void *context);
    void *clock_context;
    bool single_thread;
    kt_state *state; /* bound to the journal's transaction while a batch is open or under way */
    uint64_t spills; /* tables, as bits, whose changes may be written before the head moves */
    /* A block of the batch is full: what the engine gathers from here on belongs to the next. May be NULL. */
    void (*turn)(void *context);
    /* A block of a batch that is only tried was dropped, and what was gathered for it is to be. May be NULL. */
    void (*dropped)(void *context);
    /* The batch's seal will be record `number`; its content and signature are not made yet. May be NULL. */
    kt_code (*sealed)(void *context, const kt_seal *seal, uint64_t number, kt_error *error);
    /* The batch ends: the engine puts what it still holds in memory into state. May be NULL. */
    kt_code (*flush)(void *context, kt_error *error);
    void *context;
    kt_writer_hooks hooks; /* called on the writing lane */
} kt_journal_options;

kt_code kt_journal_open(kt_store *store, const kt_journal_options *options, kt_journal **out, kt_error *error);
void kt_journal_close(kt_journal *journal); /* aborts an open batch; those sent are finished first */

/* Takes the writer's turn: waits for another writer, or KT_BUSY with no_wait. Behind batches sent, it has the turn already. */
kt_code kt_journal_begin(kt_journal *journal, bool no_wait, kt_error *error);
/* Drops the open batch; what was sent before is finished first. */
void kt_journal_abort(kt_journal *journal);
/* The open batch is only tried: its records get numbers and go nowhere, and it cannot be sealed. */
void kt_journal_discard(kt_journal *journal);
/* Drops what an interrupted writer left, where there is such and nobody writes now. */
kt_code kt_journal_recover(kt_journal *journal, kt_error *error);

/* For cursors: waits until all that was handed over is written, and gives a transaction that sees it. Good until the next
   record is appended or batch begun. */
kt_txn *kt_journal_txn(kt_journal *journal);
/* The head the batch began from (its tree has the size alone while batches are under way), and the number the next record
   gets. */
const kt_log_head *kt_journal_head(const kt_journal *journal);
uint64_t kt_journal_next(const kt_journal *journal);

/* Room for one record of at most `most` bytes (<= KT_RECORD_MAX), to be packed in place; then taken with its size,
   or left alone. */
kt_code kt_journal_room(kt_journal *journal, size_t most, uint8_t **room, kt_error *error);
void kt_journal_take(kt_journal *journal, size_t size);
/* Copies a record in; one above KT_RECORD_MAX becomes parts and a head. *number: the head's. A long record is refused
   with KT_LIMIT above KT_WHOLE_MAX. */
kt_code kt_journal_append(kt_journal *journal, kt_span record, uint64_t *number, kt_error *error);

/* For founding and rebuilding alone, with nothing appended yet: the write transaction itself. The batch is then done on the
   calling thread. */
kt_code kt_journal_write(kt_journal *journal, kt_txn **txn, kt_error *error);
/* Commits what was written through it, with no record and no move of the head. The batch is over. */
kt_code kt_journal_commit_state(kt_journal *journal, kt_error *error);

typedef struct kt_seal_input {
    kt_span id;
    const kt_signer *actor; /* signs the batch */
    const kt_signer *log;   /* signs the checkpoint; both are used until the batch is received */
    bool has_input;
    uint8_t input[KT_HASH_SIZE];
    uint64_t read, posted, rejected;
} kt_seal_input;

/* A batch that its maker signed elsewhere. Whoever gives it has checked the signature against kt_seal_message. */
typedef struct kt_seal_given {
    kt_span id;
    uint8_t actor[KT_PUBLIC_KEY_SIZE], content[KT_HASH_SIZE], signature[KT_SIGNATURE_SIZE];
    uint64_t count; /* records before the seal */
    bool has_input;
    uint8_t input[KT_HASH_SIZE];
    uint64_t read, posted, rejected;
} kt_seal_given;

/* Ends what was appended since begin, or since the last seal, with a seal that is given. The next batch of the group may be
   appended behind it; the head does not move yet. All seals of a group have one recorded time. *seal: as stored, its id borrowed
   from given. KT_DAMAGED: count is not what was appended. After a failure only abort is left. */
kt_code kt_journal_append_sealed(kt_journal *journal, const kt_seal_given *given, kt_seal *seal, uint64_t *number,
                                 kt_error *error);
/* Moves the head over all batches so sealed, in one commit with one checkpoint; then they are stored, or none of them is. */
kt_code kt_journal_commit(kt_journal *journal, const kt_signer *log, kt_log_head *head, kt_error *error);

/* Ends the batch and hands it over. *seal has what was known then: not content nor signature; its id is borrowed from input.
   On failure the batch is aborted. KT_BUSY: as many are under way as may be; the batch is still open. */
kt_code kt_journal_send(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_error *error);
/* The oldest batch sent: *head is what came of it. KT_END: none is under way. KT_BUSY: not done yet, and !wait. Any other
   code is why it is not stored. */
kt_code kt_journal_receive(kt_journal *journal, bool wait, kt_log_head *head, kt_error *error);
/* Both, where none is under way. A small batch is done by the caller alone. */
kt_code kt_journal_seal(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_log_head *head,
                        kt_error *error);

#endif
