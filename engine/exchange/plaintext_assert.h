/*
 * plaintext_assert: balances that the file states: `= == =* ==*`, assignments, `assert account(...)`.
 *
 * The running balances are those of the file's order. kt_plaintext_assert_entry adds the entry's postings to them one
 * by one, checking as it goes, and takes all of them back where an assertion fails.
 * Errors: KT_RULE names expected and found; KT_UNSUPPORTED what cannot be told; KT_OVERFLOW.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_ASSERT_H
#define KT_EXCHANGE_PLAINTEXT_ASSERT_H

#include "engine/exchange/plaintext.h"

/* The amount that brings the account of post (not yet counted among the entry's) to its assertion. */
kt_code kt_plaintext_assert_assign(kt_plaintext *p, kt_plain_post *post, kt_error *error);
kt_code kt_plaintext_assert_entry(kt_plaintext *p, kt_error *error);
/* The directive `assert EXPRESSION`, in the one form that is kept. */
kt_code kt_plaintext_assert_directive(kt_plaintext *p, kt_str text, kt_error *error);

#endif
