/*
 * company: the company's facts, dated: each change is a record that says the whole from a day on.
 *
 * State: COMPANY, (day, record) -> the record's body. The facts of a day are those of the last row at or before it;
 * before the first row, the first row's. The book's currency never changes, and the fiscal year's first day only while
 * no entry exists.
 */
#ifndef KT_LEDGER_COMPANY_H
#define KT_LEDGER_COMPANY_H

#include "engine/ledger/ledger.h"

/* Facts of a day as known below `end`; strings borrow the state. KT_NOT_FOUND: none yet. */
kt_code kt_company_at(kt_state *state, kt_day day, uint64_t end, kt_company *out, kt_error *error);
/* The same: the record that says them. */
kt_code kt_company_number(kt_state *state, kt_day day, uint64_t end, uint64_t *number, kt_error *error);
/* 2: it says how long the books are kept; those that do not are of version 1, as all were once. */
#define KT_COMPANY_VERSION 2
/* A company record's body; strings borrow it. false: not in its one form. */
bool kt_company_read(kt_span body, kt_company *out);
/* The book's currency and fiscal year, into ledger->company. */
kt_code kt_company_load(kt_ledger *ledger, kt_error *error);
/* The fiscal year of a day, named by the calendar year it begins in. */
int32_t kt_company_year(kt_ledger *ledger, kt_day day);

kt_code kt_company_check(kt_ledger *ledger, const kt_company *company, kt_error *error);
size_t kt_company_record(const kt_company *company, kt_day from, uint8_t *out, size_t room);
kt_code kt_company_apply(void *self, const kt_record *record, kt_error *error);

#endif
