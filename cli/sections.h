/*
 * sections: what income statement and balance sheet share: sections of accounts with sums under them.
 *
 * People see income, liabilities and equity as positive; in JSON and CSV a balance is debit minus credit.
 */
#ifndef KT_CLI_SECTIONS_H
#define KT_CLI_SECTIONS_H

#include "cli/show.h"

kt_code kt_sections_open(const kt_reading *reading, kt_out **out, kt_error *error);
/* The rows of a report that are of a type, under a heading, with their sum as the report gives it. A section without
   rows and with a sum of zero is shown as its sum alone. */
kt_code kt_sections_add(kt_out *out, const kt_report *report, kt_account_type type, const char *title, kt_amount sum,
                        kt_error *error);
/* One sum of its own, strong. credit: it is a credit where positive. */
kt_code kt_sections_sum(kt_out *out, const kt_report *report, const char *title, kt_amount sum, bool credit,
                        kt_error *error);
void kt_sections_warn(const kt_reading *reading, const kt_report *report);

#endif
