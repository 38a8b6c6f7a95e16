/*
 * state: what folding the journal gave, as tables of keys and values, with the open batch's changes on top.
 *
 * Changes of a batch are held in memory and written in the transaction that moves the head, so a reader
 * sees all of a batch or nothing, and a batch broken off leaves no trace (law 4). Reading sees the changes first.
 * A view reads through a state of its own, without changes.
 *
 * A table that only the writer reads may be spilled: a large batch's changes to it are written before the head moves, so
 * that memory stays flat, with what they replaced kept in an undo table. The seal clears that table; after a batch
 * broken off, the undo rows are put back.
 *
 * Lifetime: a span read is valid until the next put or delete of the state, or until its transaction ends.
 */
#ifndef KT_STORAGE_STATE_H
#define KT_STORAGE_STATE_H

#include "storage/store.h"

typedef struct kt_state kt_state;

kt_code kt_state_open(kt_state **out, kt_error *error);
void kt_state_close(kt_state *state);
/* The transaction that reads go to, and writes at flush; the caller keeps it. */
void kt_state_bind(kt_state *state, kt_txn *txn);
kt_txn *kt_state_txn(const kt_state *state);

/* KT_NOT_FOUND leaves *error alone. */
kt_code kt_state_get(kt_state *state, kt_table table, kt_span key, kt_span *value, kt_error *error);
kt_code kt_state_put(kt_state *state, kt_table table, kt_span key, kt_span value, kt_error *error);
kt_code kt_state_delete(kt_state *state, kt_table table, kt_span key, kt_error *error);
kt_code kt_state_flush(kt_state *state, kt_error *error);     /* writes the changes and forgets them */
void kt_state_forget(kt_state *state);                        /* drops the changes */
size_t kt_state_bytes(const kt_state *state, kt_table table); /* memory held by changes to a table */

/* Writes the table's changes in the bound transaction and forgets them. undo: where to keep what they replaced; pass the
   table itself to keep nothing (a scratch store). */
kt_code kt_state_spill(kt_state *state, kt_table table, kt_table undo, kt_error *error);
/* Puts back what spilling replaced, newest first, and clears the undo table. tables: a bit for each table whose
   rows there may be; a row of another is KT_DAMAGED. */
kt_code kt_state_undo(kt_txn *txn, kt_table undo, uint64_t tables, kt_error *error);
/* For a reader that must not write there: copies the undo rows into the undo table of another store, by table and key,
   and reads them. KT_NOT_FOUND: not replaced; *there false: there was no row before. */
kt_code kt_state_undo_copy(kt_txn *from, kt_txn *to, kt_table undo, kt_error *error);
kt_code kt_state_undone(kt_txn *copy, kt_table undo, kt_table table, kt_span key, bool *there, kt_span *old,
                        kt_error *error);

#endif
