/*
 * digits: leading digits, Benford's law, chi-square and Nigrini's limits, in whole numbers alone (law 8).
 *
 * Benford's law: of amounts that range over several sizes the leading digits d have the share log10(1 + 1/d); for the first
 * two digits d is 10 to 99. The shares are kept as constants of billionths, rounded to the nearest; a test computes them
 * again. What is computed from them is exact, rounded towards zero; since the shares are rounded, a chi-square has seven right
 * digits. Up to ten billion amounts.
 *
 * Sources: S. Newcomb (1881), F. Benford (1938); conformity by mean absolute deviation: M. J. Nigrini, Benford's Law
 * (Wiley 2012), table 7.1; critical values of chi-square: NIST/SEMATECH e-Handbook of Statistical Methods, section
 * 1.3.6.7.4, for 8 and 89 degrees of freedom.
 */
#ifndef KT_AUDIT_TESTS_DIGITS_H
#define KT_AUDIT_TESTS_DIGITS_H

#include "engine/kontor.h"

#define KT_DIGITS_AMOUNTS_MAX UINT64_C(10000000000)

/* The first `digits` (1 or 2) digits of a magnitude above zero; 0 where it has fewer. */
unsigned kt_digits_leading(kt_amount magnitude, unsigned digits);
/* Benford's share of 1 to 9 and 10 to 99, in billionths. */
int64_t kt_digits_benford(unsigned digits);
/* Fills the table: bins first to last with what was observed (observed[0] is of first), expected shares by Benford, chi-square, mean
   absolute deviation, conformity, and marks the bins whose deviation is beyond chance at 1 % (z above 2.576, with
   Nigrini's correction for continuity). KT_MEMORY; KT_LIMIT beyond KT_DIGITS_AMOUNTS_MAX. */
kt_code kt_digits_judge(const uint64_t *observed, const uint64_t *firsts, unsigned first, unsigned last,
                        kt_audit_table *out, kt_error *error);

#endif
