/*
 * post: the ledger's share of a batch: entries, registers and reversals added to it.
 *
 * The public functions are in engine/kontor.h. An entry is checked as given, brought to the one form that is stored
 * (amounts in smallest units, the book's currency left out, rates on the foreign lines, a rounding line where a rate
 * leaves something over), packed straight into the journal's block, and folded.
 *
 * Laws kept: 2, 8, 12.
 */
#ifndef KT_LEDGER_POST_H
#define KT_LEDGER_POST_H

#include "engine/batch.h"
#include "engine/ledger/ledger.h"

kt_ledger *kt_batch_ledger(kt_batch *batch);
/* The company's first facts and the book's currency: the founding batch. */
kt_code kt_ledger_found(kt_batch *batch, const kt_create_options *options, kt_error *error);
/* Replay of an entry's record. */
kt_code kt_entry_apply(void *self, const kt_record *record, kt_error *error);

#endif
