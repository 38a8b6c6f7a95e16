/*
 * runs: sums and posting lists kept as sorted runs.
 *
 * A run covers a range of records and holds, in the order of its keys (account, currency, dimensions, month), one
 * cell each: sums, a count, and the list of the postings summed. The postings of one block make a run of level 0,
 * written whole. Sixteen runs of a level are merged into one of the next: sums add up, lists follow one another. So
 * a posting is written a few times in all, however many accounts there are, and a reader adds up a few dozen runs.
 *
 * A merge whose lists would hold more than KT_RUN_LISTS postings takes the sums alone; then the merged runs go on
 * serving lists, and the new one serves sums. The runs in force are listed in the manifest (one value). What is
 * merged when follows from the sequence of blocks alone, so replay gives the same runs byte for byte.
 *
 * Laws kept: 1 (all of it follows from the journal), 4 (the manifest is written with the head; what it does not list
 * is not there), 8 (sums are checked 128-bit integers), 11.
 *
 * It counts in numbers and knows no money: what account 7 or day 3 mean is the engine's business.
 */
#ifndef KT_STORAGE_RUNS_H
#define KT_STORAGE_RUNS_H

#include "storage/store.h"

#define KT_RUN_FAN 16u
#ifndef KT_RUN_LISTS           /* a test that includes runs.c sets less, to meet merges of sums alone */
#define KT_RUN_LISTS 10000000u /* postings in one run's lists, at most */
#endif

typedef struct kt_run_tables {
    kt_table manifest, cells, lists;
} kt_run_tables;

typedef struct kt_run_key {
    uint32_t account;
    uint16_t currency;
    uint32_t dimensions;
    int32_t month;
} kt_run_key;

typedef struct kt_run_item { /* one posting */
    uint64_t number;         /* of its record */
    uint32_t line;           /* in the record */
    uint8_t day;             /* of the month, from 0 */
    bool minus;              /* stands in the other column than its sign says */
    bool own_book;           /* book differs from amount in kind: another currency */
    bool unvalued;           /* no book amount; with own_book only */
    kt_int128 amount, book;
} kt_run_item;

typedef struct kt_run_cell {
    kt_run_key key;
    uint64_t count, unvalued;
    bool own_book;
    kt_int128 debit, credit;           /* both add up as columns do; balance = debit - credit */
    kt_int128 book_debit, book_credit; /* where !own_book, the same */
    /* Where its list lies. */
    uint64_t list_offset, list_bytes, last_number;
} kt_run_cell;

/* ---- the writer's side ----

   Three threads may share the work: one adds postings and turns a full block's over; the next drafts their run, for which
   it needs nothing but them; the last writes it, merges, and seals, oldest first. Up to KT_RUN_TURNS blocks may be between
   them. */

#define KT_RUN_TURNS 32u

typedef struct kt_runs kt_runs;
kt_code kt_runs_open(kt_run_tables tables, kt_runs **out, kt_error *error);
void kt_runs_close(kt_runs *runs);
/* Forgets what was gathered and the manifest in memory: after an abort, and before a batch. Nobody is at work. */
void kt_runs_forget(kt_runs *runs);
/* One posting of the block being gathered. */
kt_code kt_runs_add(kt_runs *runs, const kt_run_key *key, const kt_run_item *item, kt_error *error);
/* The block's postings are all there; from here on the next one's gather. */
void kt_runs_turn(kt_runs *runs);
/* The block being gathered is not kept. */
void kt_runs_drop(kt_runs *runs);
/* Drafts the run of the oldest block turned over and not drafted, [first, first + count). What fails is told when it is
   written. */
void kt_runs_draft(kt_runs *runs, uint64_t first, uint32_t count);
/* The oldest block turned over is written, [first, first + count), drafted or not: its run too, and the merges it brings about.
   KT_OVERFLOW where a sum exceeds 128 bits. */
kt_code kt_runs_block(kt_runs *runs, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error);
/* The head moves: the manifest is written and runs that were merged away are dropped. */
kt_code kt_runs_seal(kt_runs *runs, kt_txn *txn, kt_error *error);
/* Drops runs that the stored manifest does not list. */
kt_code kt_runs_recover(kt_txn *txn, kt_run_tables tables, kt_error *error);

/* Sums of one account over everything, with what the open batch has added so far; cells in no particular order. Nobody is
   at work, and all blocks turned over are written. */
kt_code kt_runs_sums(kt_runs *runs, kt_txn *txn, uint32_t account,
                     kt_code (*cell)(void *context, const kt_run_cell *cell, kt_error *error), void *context,
                     kt_error *error);

kt_code kt_runs_count(kt_txn *txn, kt_run_tables tables, uint64_t *runs, uint64_t *postings, kt_error *error);

#endif
