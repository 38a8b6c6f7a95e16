/*
 * balance: sums by account, currency and group, on any day, as known at any time. The public function is kt_balances
 * in kontor.h; here is what statements and reports share with it.
 */
#ifndef KT_LEDGER_BALANCE_H
#define KT_LEDGER_BALANCE_H

#include "engine/ledger/register.h"
#include "storage/scan.h"

/* A query over days, inclusive; KT_DAY_NONE: open. False: from lies behind to. */
bool kt_span_query(kt_day from, kt_day to, uint64_t end, kt_runs_query *out);

#endif
