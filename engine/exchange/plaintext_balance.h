/*
 * plaintext_balance: makes an entry whole: implied costs, the amount left out, the remainder of rates.
 *
 * Laws kept: 2. After KT_OK every posting has an amount, and the costs and the amounts without cost sum to zero in each
 * commodity; on the walk that gives entries, at the decimals found by the first walk.
 * Errors: KT_UNBALANCED "off by AMOUNT CUR"; KT_INVALID two amounts left out; KT_OVERFLOW.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_BALANCE_H
#define KT_EXCHANGE_PLAINTEXT_BALANCE_H

#include "engine/exchange/plaintext.h"

kt_code kt_plaintext_balance_entry(kt_plaintext *p, kt_error *error);
/* Notes accounts, commodities and decimals of an entry that stands. */
void kt_plaintext_balance_note(kt_plaintext *p);

#endif
