/*
 * lookup: is what a walk over a table meets also found by its key?
 *
 * Verification reads in order; daily work reads by key. A damaged inner page of the store can leave the one whole and
 * turn the other aside, so that a voucher, a balance or a batch is not found and is taken for new. Here every key of
 * every table is looked up and must give the very value that the walk stands on, under its checksum.
 *
 * Laws kept: 1 (what is stored is what is read). Lifetime: borrows the transaction.
 */
#ifndef KT_AUDIT_LOOKUP_H
#define KT_AUDIT_LOOKUP_H

#include "storage/store.h"

/* size: of the head, which says how many roots of tiles are stored. KT_DAMAGED: names table and key. */
kt_code kt_lookup_check(kt_store *store, kt_txn *txn, uint64_t size, kt_error *error);

#endif
