/*
 * period: months open and closed.
 *
 * A closed month takes no posting by any way in until a recorded, reasoned reopening (law 10). State: PERIODS,
 * (month, record) -> closed or reopened by that record, and why; the last row of a month holds.
 */
#ifndef KT_LEDGER_PERIOD_H
#define KT_LEDGER_PERIOD_H

#include "engine/ledger/ledger.h"

kt_code kt_periods_open(kt_periods **out, kt_error *error);
void kt_periods_close(kt_periods *periods);
void kt_periods_forget(kt_periods *periods);

/* Is the month closed, with what the open batch did? */
kt_code kt_period_is_closed(kt_ledger *ledger, kt_month month, bool *closed, kt_error *error);

kt_code kt_period_check(kt_ledger *ledger, kt_month month, bool close, kt_str reason, kt_error *error);
size_t kt_period_record(kt_month month, bool close, kt_str reason, uint8_t *out, size_t room);
kt_code kt_period_apply(void *self, const kt_record *record, kt_error *error);
kt_code kt_period_row_read(kt_span key, kt_span value, kt_period *out, kt_error *error);

#endif
