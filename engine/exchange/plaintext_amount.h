/*
 * plaintext_amount: one written amount: sign, digits, commodity on either side, lot, or a (sum of such).
 *
 * Lifetime: an amount points to interned commodities.
 * Errors: KT_INVALID what is no amount; KT_UNSUPPORTED what is one and is not kept (exponents, names and functions in
 * expressions, quotients without an end); KT_OVERFLOW; KT_LIMIT where brackets lie too deep.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_AMOUNT_H
#define KT_EXCHANGE_PLAINTEXT_AMOUNT_H

#include "engine/exchange/plaintext.h"

typedef struct kt_plain_cursor {
    const char *at, *end;
} kt_plain_cursor;

void kt_plaintext_cursor_blanks(kt_plain_cursor *c);
/* Does word stand here? Passes it. */
bool kt_plaintext_cursor_take(kt_plain_cursor *c, const char *word);

typedef enum kt_plain_use {
    KT_PLAIN_POSTED, /* sets the commodity's precision and style */
    KT_PLAIN_PRICE   /* does not */
} kt_plain_use;

/* Reads an amount (not an expression in brackets unless it starts with one) and its lot, and stops behind. */
kt_code kt_plaintext_amount_read(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, kt_plain_amount *out,
                                 kt_error *error);
/* {price} {{price}} {=price} [date] (note), in any order, behind an amount or a cost. */
kt_code kt_plaintext_amount_lots(kt_plaintext *p, kt_plain_cursor *c, kt_plain_amount *amount, kt_error *error);
/* A symbol: "quoted" or simple. False: none here. */
bool kt_plaintext_amount_symbol(kt_plaintext *p, kt_plain_cursor *c, kt_str *symbol);
/* The directive `commodity`, `format` or D: an example of how a commodity is written. */
kt_code kt_plaintext_amount_example(kt_plaintext *p, kt_str text, kt_plain_commodity **commodity, kt_plain_style *style,
                                    kt_error *error);

#endif
