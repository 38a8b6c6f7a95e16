/*
 * reverse: entries that undo entries, linked both ways.
 *
 * The reversing entry names the one it reverses; state REVERSALS, entry -> the entry that reverses it, says
 * the other way. Reversing twice is refused. A whole batch is reversed entry by entry, in order.
 */
#ifndef KT_LEDGER_REVERSE_H
#define KT_LEDGER_REVERSE_H

#include "engine/ledger/ledger.h"

/* The entry that reverses number; 0: none. */
kt_code kt_reversal_of(kt_state *state, uint64_t number, uint64_t *reversal, kt_error *error);

/* May an entry of the batch reverse this record? Only an entry on record, from before the batch: KT_NOT_FOUND. */
kt_code kt_reversal_target(kt_batch *batch, uint64_t number, kt_error *error);

#endif
