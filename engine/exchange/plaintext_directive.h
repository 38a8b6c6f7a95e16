/*
 * plaintext_directive: every line at the left margin that is no transaction.
 *
 * Taken and kept: account, alias, end aliases, apply account|tag|year, end, commodity, D, decimal-mark, Y, year,
 * include, bucket, A, assert account("X") == AMOUNT, account-rewrite. Taken and without effect on a balance:
 * comments, comment, test, P, N, tag, payee, check, define, value, `~`, and words that ledger passes over.
 * Refused by name: C, eval, expr, python, import, apply fixed|rate, timeclock lines, options, and assert and eval below
 * account, commodity or tag; `=` where it touches an entry.
 *
 * Errors: KT_INVALID, KT_UNSUPPORTED, KT_RULE (assert), KT_LIMIT. Reading ends with them.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_DIRECTIVE_H
#define KT_EXCHANGE_PLAINTEXT_DIRECTIVE_H

#include "engine/exchange/plaintext.h"

/* line is at hand and has not been passed; lines that belong to it are passed with it. */
kt_code kt_plaintext_directive_read(kt_plaintext *p, const kt_plain_line *line, kt_error *error);
/* Drops what was applied above `count`. */
void kt_plaintext_directive_unapply(kt_plaintext *p, size_t count);

#endif
