/*
 * replay: all records of a journal, folded into a fresh state in another store.
 *
 * The state comes out byte for byte as the live one, whatever the clock, the locale or the number of threads (laws 1 and
 * 4 of determinism: apply is pure). It works on the floor of the book and knows no department.
 *
 * Lifetime: the source transaction and the target store are the caller's.
 */
#ifndef KT_ENGINE_REPLAY_H
#define KT_ENGINE_REPLAY_H

#include "engine/fold.h"
#include "storage/records.h"

typedef struct kt_replay kt_replay;

kt_code kt_replay_open(const kt_registry *registry, kt_txn *source, uint64_t end, kt_store *target, kt_replay **out,
                       kt_error *error);
void kt_replay_close(kt_replay *replay);

/* The next record as its leaf hashes it; KT_END behind the last. Damage is KT_DAMAGED: the caller may go on reading with
   kt_replay_skip but not applying. */
kt_code kt_replay_next(kt_replay *replay, uint64_t *number, kt_span *record, kt_error *error);
/* Applies the record read last, and ends its block where it is the last of it. */
kt_code kt_replay_apply(kt_replay *replay, kt_error *error);
/* Moves past a record that cannot be read. */
void kt_replay_skip(kt_replay *replay);
/* Everything is applied: commits what is open. */
kt_code kt_replay_finish(kt_replay *replay, kt_error *error);

/* A scratch store in a new private directory under the system's temporary one; path is the caller's (free) and is
   removed by kt_scratch_remove. */
kt_code kt_scratch_open(char **path, kt_store **out, kt_error *error);
void kt_scratch_remove(char *path);
/* Compares the state tables of two transactions: KT_OK, or KT_DAMAGED naming table and key of the first difference. */
kt_code kt_state_compare(const kt_registry *registry, kt_store *names, kt_txn *stored, kt_txn *fresh, kt_error *error);

#endif
