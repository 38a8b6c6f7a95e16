/*
 * voucher: which voucher numbers are used, in each series and fiscal year.
 *
 * A voucher is a prefix and the digits at its end ("INV-2024-0017": prefix "INV-2024-", number 17, width 4). Numbers of
 * one prefix and width share pages of 512 bits, so a rising sequence, as vouchers are, touches one page for
 * hundreds of entries and stores a fraction of a byte for each. State: VOUCHERS, (fiscal year, series, prefix,
 * width, number / 512) -> the numbers used of that page.
 *
 * Pages in use are kept in memory and written to state at flush.
 */
#ifndef KT_LEDGER_VOUCHER_H
#define KT_LEDGER_VOUCHER_H

#include "engine/ledger/ledger.h"

kt_code kt_vouchers_open(kt_vouchers **out, kt_error *error);
void kt_vouchers_close(kt_vouchers *vouchers);
void kt_vouchers_forget(kt_vouchers *vouchers);

/* Is it used? The answer's place is kept for kt_voucher_use of the same voucher right after. */
kt_code kt_voucher_used(kt_ledger *ledger, int32_t year, kt_str series, kt_str voucher, bool *used, kt_error *error);
void kt_voucher_use(kt_ledger *ledger); /* the one asked for last */
kt_code kt_vouchers_flush(kt_ledger *ledger, kt_error *error);

#endif
