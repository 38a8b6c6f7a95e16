/*
 * dimension: cost centre, department, project and the user's own.
 *
 * A dimension record puts one value of one dimension on record; the batch that first uses a value writes it. A line's
 * pairs (dimension, value) are one set; sets get ids in the order in which entries use them. State: DIMENSIONS,
 * 0 dimension value -> record, and 1 pairs -> set id; DIMENSION_SETS, id -> pairs. Set 0 is the empty one.
 */
#ifndef KT_LEDGER_DIMENSION_H
#define KT_LEDGER_DIMENSION_H

#include "engine/ledger/ledger.h"

kt_code kt_dimensions_open(kt_dimension_sets **out, kt_error *error);
void kt_dimensions_close(kt_dimension_sets *sets);
void kt_dimensions_forget(kt_dimension_sets *sets);

/* KT_NOT_FOUND: the value is not on record. */
kt_code kt_dimension_known(kt_ledger *ledger, const kt_dimension *pair, kt_error *error);
kt_code kt_dimension_recorded(kt_state *state, const kt_dimension *pair, kt_error *error);
kt_code kt_dimension_check(const kt_dimension *pairs, size_t count, kt_error *error);
size_t kt_dimension_record(const kt_dimension *pair, kt_day date, uint8_t *out, size_t room);
kt_code kt_dimension_apply(void *self, const kt_record *record, kt_error *error);

/* The set of a line, made where it is new. */
kt_code kt_dimension_set(kt_ledger *ledger, const kt_dimension *pairs, size_t count, uint32_t *id, kt_error *error);
/* The value of a dimension in a set; empty: it has none. Borrows the transaction. */
kt_code kt_dimension_value(kt_txn *txn, uint32_t set, uint8_t dimension, kt_str *value, kt_error *error);

#endif
