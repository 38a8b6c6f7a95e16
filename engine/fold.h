/*
 * fold: applying records to state, live and on replay, by one and the same path.
 *
 * The registry lists departments and kinds of record; fold hands each record to its kind's apply function. Apply
 * reads the record and the state alone: no clock, no locale, no random number, no environment, no floating point.
 *
 *     live    check ─► append ─► apply ... seal ─► flush ─► turn  ║  block ─► head
 *     replay          read   ─► apply ... seal ─► flush ─► turn  ║  block ─► head
 *
 * What stands right of the bar writes to the store what was gathered left of it, and live it does so on another thread while
 * the next block is applied: a department turns its gatherings over and touches them no more.
 *
 * Laws kept: 1 (state is what the journal gives), 7 (rights are checked at each seal). An unknown kind stops the
 * reader: KT_NEWER.
 */
#ifndef KT_ENGINE_FOLD_H
#define KT_ENGINE_FOLD_H

#include "engine/access.h"
#include "engine/genesis.h"
#include "storage/seal.h"
#include "storage/state.h"

typedef struct kt_fold kt_fold;

typedef struct kt_record {
    uint64_t number;
    uint32_t kind, kind_version;
    kt_day date;
    kt_span body;
} kt_record;

typedef struct kt_department {
    const char *name;
    kt_code (*open)(kt_fold *fold, void **self, kt_error *error);
    void (*close)(void *self);
    void (*forget)(void *self);                    /* what it holds in memory: the state changed behind it */
    void (*turn)(void *self);                      /* a block ended: the next one's gathers from here on */
    void (*drop)(void *self);                      /* ... and is not kept: the batch is only tried */
    kt_code (*flush)(void *self, kt_error *error); /* the batch ends: what is in memory goes to state */
    /* Maybe on another thread: preparing what was gathered for the oldest block turned over; writing it; and what is to be
       written when the head moves. Preparing may be left out. */
    void (*prepare)(void *self, uint64_t first, uint32_t count);
    kt_code (*block)(void *self, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error);
    kt_code (*head)(void *self, kt_txn *txn, kt_error *error);
    kt_code (*recover)(kt_txn *txn, kt_error *error); /* drop what a broken-off batch wrote */
    kt_table
        spills[4]; /* tables whose pending rows no view shows, ended by 0: they may be written before the head moves */
} kt_department;

enum { KT_COUNTS_NOT = 0, KT_COUNTS_ENTRY = 1, KT_COUNTS_PROPOSAL = 2 };

typedef struct kt_kind {
    uint32_t kind, version; /* the highest version understood */
    const char *name;
    const kt_department *department; /* NULL: the book's own, whose self is the fold's access */
    uint32_t right;                  /* KT_RIGHT_... that each asks for; 0: what it asks for depends on what it says */
    uint32_t counts;                 /* KT_COUNTS_... in the seal's numbers */
    kt_code (*apply)(void *self, const kt_record *record, kt_error *error);
    /* In place of apply for a record that was packed elsewhere: all that the book's own packing would have checked. NULL:
       apply checks it all. */
    kt_code (*arrive)(void *self, const kt_record *record, kt_error *error);
} kt_kind;

typedef struct kt_registry {
    const kt_department *const *departments;
    unsigned department_count; /* at most 8 */
    const kt_kind *kinds;
    unsigned kind_count;
} kt_registry;

kt_code kt_fold_open(const kt_registry *registry, kt_fold **out, kt_error *error);
void kt_fold_close(kt_fold *fold);
kt_state *kt_fold_state(kt_fold *fold);
kt_access *kt_fold_access(kt_fold *fold);
void *kt_fold_self(kt_fold *fold, const kt_department *department);
const kt_kind *kt_fold_kind(const kt_fold *fold, uint32_t kind); /* NULL: unknown */

/* A new transaction for state; and everything in memory dropped (after an abort, or when another wrote). */
void kt_fold_bind(kt_fold *fold, kt_txn *txn);
void kt_fold_forget(kt_fold *fold);

/* One whole record (parts put together, parts themselves left out). Genesis and seals are known here. */
kt_code kt_fold_apply(kt_fold *fold, const kt_record *record, kt_error *error);
kt_code kt_fold_genesis_apply(kt_fold *fold, const kt_genesis *genesis, kt_error *error);
kt_code kt_fold_sealed(kt_fold *fold, const kt_seal *seal, uint64_t number, kt_error *error);
void kt_fold_turn(kt_fold *fold);
void kt_fold_drop(kt_fold *fold);
kt_code kt_fold_flush(kt_fold *fold, kt_error *error);
void kt_fold_prepare(kt_fold *fold, uint64_t first, uint32_t count);
kt_code kt_fold_block(kt_fold *fold, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error);
kt_code kt_fold_head(kt_fold *fold, kt_txn *txn, kt_error *error);
/* Tables, as bits, whose rows may be written before the head moves, so that memory stays flat. */
uint64_t kt_registry_spills(const kt_registry *registry);
kt_code kt_fold_recover(kt_fold *fold, kt_txn *txn, kt_error *error);

/* A sealed batch as state keeps it. */
typedef struct kt_batch_row {
    uint64_t first, last;
    int64_t recorded_us;
    bool has_input;
    uint8_t input[KT_HASH_SIZE];
    uint8_t actor[KT_KEY_SIZE];
    uint64_t read, posted, rejected;
    bool clock_behind;
    kt_span id;
} kt_batch_row;
/* The batch that holds a record, or with an id. KT_NOT_FOUND. */
kt_code kt_batch_row_of(kt_state *state, uint64_t record, kt_batch_row *out, kt_error *error);
kt_code kt_batch_row_by_id(kt_state *state, kt_span id, kt_batch_row *out, kt_error *error);

#endif
