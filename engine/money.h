/*
 * money: amounts as whole counts of a currency's smallest unit (law 8).
 *
 * No binary fraction anywhere. Rounding happens in kt_amount_rescale and kt_amount_ratio alone, each
 * with a named mode; whoever calls them books what is left over.
 */
#ifndef KT_ENGINE_MONEY_H
#define KT_ENGINE_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

__extension__ typedef __int128 kt_amount;

#define KT_DECIMALS_MAX 18
/* Text of any amount, with sign, point, separators and zero. */
#define KT_AMOUNT_TEXT 72

/* Largest magnitude kept of one amount: 10^36. Sums are checked against the whole 128 bits. */
kt_amount kt_amount_limit(void);

typedef enum kt_rounding {
    KT_ROUND_EXACT,     /* refuse where something would be left over */
    KT_ROUND_HALF_EVEN, /* to the nearest; a half to the even neighbour */
    KT_ROUND_HALF_UP,   /* to the nearest; a half away from zero */
    KT_ROUND_DOWN       /* towards zero */
} kt_rounding;

typedef enum kt_number_fault {
    KT_NUMBER_OK,
    KT_NUMBER_EMPTY,
    KT_NUMBER_SYNTAX,   /* not a number as written */
    KT_NUMBER_DECIMALS, /* more decimals than KT_DECIMALS_MAX */
    KT_NUMBER_OVERFLOW  /* beyond kt_amount_limit() */
} kt_number_fault;

/* Reads an optional sign, digits, and decimals behind `decimal` ('.' or ','). `group` (0: none) may
   separate groups of three digits left of the decimal sign, and only there, and then everywhere.
   Gives the digits as a whole number and how many of them were decimals: "-1.50" is -150, 2.
   No white space, no exponent, at least one digit. */
kt_number_fault kt_number_parse(const char *text, size_t size, char decimal, char group, kt_amount *units,
                                uint8_t *decimals);

/* Plain sentence for a fault, such as "not a number". */
const char *kt_number_fault_text(kt_number_fault fault);

/* Brings an amount from one number of decimals to another. False: overflow, or KT_ROUND_EXACT and
   something left over. */
bool kt_amount_rescale(kt_amount amount, uint8_t from, uint8_t to, kt_rounding mode, kt_amount *out);

/* amount * numerator / denominator, rounded once. False: overflow of the 128-bit product's quotient,
   a zero denominator, or KT_ROUND_EXACT and something left over. */
bool kt_amount_ratio(kt_amount amount, kt_amount numerator, kt_amount denominator, kt_rounding mode, kt_amount *out);

bool kt_amount_add(kt_amount a, kt_amount b, kt_amount *out); /* false: overflow */

/* Writes the amount with `decimals` decimals and '.', group 0 or a separator such as ','.
   Returns the length; buffer is zero-terminated. */
size_t kt_amount_format(kt_amount amount, uint8_t decimals, char group, char buffer[KT_AMOUNT_TEXT]);

/* Decimals of an ISO 4217 currency code (2 for DKK, 0 for JPY, 3 for KWD), -1 for an unknown code.
   Source: ISO 4217:2015 list one, as published by SIX. */
int kt_iso4217_decimals(const char *code, size_t size);

#ifdef __cplusplus
}
#endif
#endif
