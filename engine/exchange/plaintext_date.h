/*
 * plaintext_date: the dates of a journal: 2024-01-31, 2024/1/31, 2024.01.31, 2024/01 (its first), 01-31 (of the year
 * that Y or `year` set). No clock: without such a directive a date needs its year.
 *
 * Errors: KT_INVALID.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_DATE_H
#define KT_EXCHANGE_PLAINTEXT_DATE_H

#include "engine/exchange/plaintext.h"

kt_code kt_plaintext_date_read(kt_plaintext *p, kt_str text, kt_day *out, kt_error *error);
/* A year of four digits, 0 where it is none. */
int kt_plaintext_date_year(kt_str text);

#endif
