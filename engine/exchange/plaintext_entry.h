/*
 * plaintext_entry: one dated transaction: its head, its postings, and what they come to.
 *
 * Laws kept: 2 (the lines given sum to zero in each currency, by their costs where they have them), 12.
 * Lifetime: what kt_plaintext_entry_read leaves in the reader stands until the next call.
 * Errors: KT_INVALID, KT_UNSUPPORTED, KT_UNBALANCED, KT_LIMIT, KT_OVERFLOW, KT_RULE; in each case the reader stands
 * behind the transaction and no balance has changed.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_ENTRY_H
#define KT_EXCHANGE_PLAINTEXT_ENTRY_H

#include "engine/exchange/plaintext.h"

/* head is the line at hand, and has not been passed. */
kt_code kt_plaintext_entry_read(kt_plaintext *p, const kt_plain_line *head, kt_error *error);
/* The entry at hand as the importer takes it; it has no lines where all its postings are left out (--virtual drop). */
kt_code kt_plaintext_entry_give(kt_plaintext *p, kt_entry *out, kt_error *error);
/* Passes the indented lines that follow; *end is behind the last. */
kt_code kt_plaintext_entry_block(kt_plaintext *p, kt_error *error);

#endif
