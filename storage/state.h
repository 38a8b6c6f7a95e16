/*
 * state: what folding the journal gave, as tables of keys and values, with the open batch's changes on top.
 *
 * Changes of a batch are held in memory and written in the transaction that moves the head, so a reader
 * sees all of a batch or nothing, and a batch broken off leaves no trace (law 4). Reading sees the changes first.
 * A view reads through a state of its own, without changes.
 *
 *     put, delete ─► changes now ─turn─► changes turned over ─write─► store ─► written
 *                                        (oldest first; read by all, changed by none)
 *
 * Turning over hands the changes to whoever writes them, maybe on another thread, while the next ones gather on top of
 * them; once they are committed and a transaction that sees them is bound, `written` lets them go.
 *
 * A table that only the writer reads may be spilled: a large batch's changes to it are written before the head moves, so
 * that memory stays flat, with what they replaced kept in an undo table. The seal clears that table; after a batch
 * broken off, the undo rows are put back.
 *
 * Lifetime: a span read is valid until the next put, delete or written of the state, or until its transaction ends.
 */
#ifndef KT_STORAGE_STATE_H
#define KT_STORAGE_STATE_H

#include "storage/store.h"

typedef struct kt_state kt_state;
typedef struct kt_changes kt_changes;

#define KT_STATE_ALL UINT64_MAX /* tables as bits */

kt_code kt_state_open(kt_state **out, kt_error *error);
void kt_state_close(kt_state *state);
/* The transaction that reads of single keys go to; the caller keeps it. */
void kt_state_bind(kt_state *state, kt_txn *txn);
/* What kt_state_txn gives where the bound transaction may be behind the changes turned over: the function waits until
   they are written and gives one that sees them. NULL: the bound one. */
void kt_state_settle_by(kt_state *state, kt_txn *(*settle)(void *context), void *context);
/* For cursors: sees what was turned over, not what gathers now. */
kt_txn *kt_state_txn(kt_state *state);

/* KT_NOT_FOUND leaves *error alone. */
kt_code kt_state_get(kt_state *state, kt_table table, kt_span key, kt_span *value, kt_error *error);
bool kt_state_has_change(const kt_state *state, kt_table table, kt_span key);
kt_code kt_state_put(kt_state *state, kt_table table, kt_span key, kt_span value, kt_error *error);
kt_code kt_state_delete(kt_state *state, kt_table table, kt_span key, kt_error *error);
void kt_state_forget(kt_state *state); /* drops all changes, those turned over too */
/* Those of the tables, as bits, that hold so many changes that they should be written. */
uint64_t kt_state_full(const kt_state *state, uint64_t tables);

/* Turns the changes to these tables over. *out is the state's, until `written` was called for it and for those before it. */
kt_code kt_state_turn(kt_state *state, uint64_t tables, kt_changes **out, kt_error *error);
/* Writes them in the order of table and key, so that each page is met once. undo: the table to keep what they replaced
   in; KT_NO_UNDO: kept nowhere. */
#define KT_NO_UNDO UINT32_MAX
kt_code kt_changes_write(const kt_changes *changes, kt_txn *txn, kt_table undo, kt_error *error);
void kt_state_written(kt_state *state); /* the oldest turned over */
/* All three at once, in the bound write transaction. */
kt_code kt_state_flush(kt_state *state, uint64_t tables, kt_error *error);

/* Puts back what spilling replaced, newest first, and clears the undo table. tables: a bit for each table whose
   rows there may be; a row of another is KT_DAMAGED. */
kt_code kt_state_undo(kt_txn *txn, kt_table undo, uint64_t tables, kt_error *error);
/* For a reader that must not write there: copies the undo rows into the undo table of another store, by table and key,
   and reads them. KT_NOT_FOUND: not replaced; *there false: there was no row before. */
kt_code kt_state_undo_copy(kt_txn *from, kt_txn *to, kt_table undo, kt_error *error);
kt_code kt_state_undone(kt_txn *copy, kt_table undo, kt_table table, kt_span key, bool *there, kt_span *old,
                        kt_error *error);

#endif
