/*
 * plaintext_number: exact decimal numbers of the journal reader, and the two readings of written digits.
 *
 * A kt_plain_num is units / 10^decimals. Sums and products are exact or refused (law 8); the one place that
 * rounds is kt_plaintext_num_product and kt_plaintext_num_round, half-even, and their callers book the rest.
 *
 * ledger 3.3 and hledger 1.25 read digits differently. ledger goes from the right: a comma before three digits
 * groups (1,000 is a thousand), any other is the decimal sign, and a commodity once seen with a decimal comma
 * keeps it. hledger takes a lone separator as the decimal sign unless a directive says otherwise (1,000 is one).
 * Both readings live here; who calls decides which one holds.
 *
 * Lifetime: plain values. Errors: false, the caller names the place.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_NUMBER_H
#define KT_EXCHANGE_PLAINTEXT_NUMBER_H

#include "engine/money.h"

#define KT_PLAIN_DECIMALS_MAX 36 /* of a written price; posted amounts keep KT_DECIMALS_MAX */

typedef struct kt_plain_num {
    kt_amount units;
    uint8_t decimals;
} kt_plain_num;

/* How a commodity is written, as far as it is known. 0: not known. */
typedef struct kt_plain_style {
    char decimal;
    char group;
    bool whole; /* written with no decimal sign at all */
} kt_plain_style;

typedef enum kt_plain_reading {
    KT_PLAIN_READ,      /* read */
    KT_PLAIN_MALFORMED, /* no number in this reading */
    KT_PLAIN_AMBIGUOUS, /* the versions of the tools disagree: refused rather than guessed */
    KT_PLAIN_TOO_LARGE
} kt_plain_reading;

/* token: digits, '.', ',', '\'' and ' ' (a group of hledger's). *comma is in and out: the commodity's decimal
   comma. */
kt_plain_reading kt_plaintext_number_ledger(const char *token, size_t size, bool *comma, kt_plain_num *out);
kt_plain_reading kt_plaintext_number_hledger(const char *token, size_t size, kt_plain_style style, kt_plain_num *out);
/* The style that a format or directive shows: the last separator is the decimal sign where it occurs once. */
kt_plain_style kt_plaintext_number_style(const char *token, size_t size);

bool kt_plaintext_num_add(kt_plain_num a, kt_plain_num b, kt_plain_num *out);
bool kt_plaintext_num_subtract(kt_plain_num a, kt_plain_num b, kt_plain_num *out);
/* Exact up to `most` decimals, half-even beyond. */
bool kt_plaintext_num_product(kt_plain_num a, kt_plain_num b, uint8_t most, kt_plain_num *out);
/* a / b, exact within `most` decimals or false. */
bool kt_plaintext_num_quotient(kt_plain_num a, kt_plain_num b, uint8_t most, kt_plain_num *out);
/* To exactly `decimals`, half-even. */
bool kt_plaintext_num_round(kt_plain_num a, uint8_t decimals, kt_plain_num *out);
/* Without trailing zeros beyond `least` decimals. */
kt_plain_num kt_plaintext_num_trim(kt_plain_num a, uint8_t least);
kt_plain_num kt_plaintext_num_negate(kt_plain_num a);
/* -1, 0, 1. */
int kt_plaintext_num_compare(kt_plain_num a, kt_plain_num b);
/* Would it print as zero with so many decimals? A half is taken to zero, as both tools do. */
bool kt_plaintext_num_vanishes(kt_plain_num a, uint8_t decimals);

#endif
