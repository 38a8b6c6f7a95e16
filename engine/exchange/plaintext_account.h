/*
 * plaintext_account: from a written account name to the account: aliases, `apply account`, account-rewrite.
 *
 * Lifetime: accounts are interned and stay until the reader closes.
 * Errors: KT_INVALID a name that is none; KT_UNSUPPORTED where the name would be changed in a way that is not kept
 * (chains of aliases in a file of hledger's, a rewrite of part of a name, an account's `payee`).
 */
#ifndef KT_EXCHANGE_PLAINTEXT_ACCOUNT_H
#define KT_EXCHANGE_PLAINTEXT_ACCOUNT_H

#include "engine/exchange/plaintext.h"

/* As a posting names it. */
kt_code kt_plaintext_account_posted(kt_plaintext *p, kt_str name, kt_plain_account **out, kt_error *error);
/* As a directive names it: below what is applied, no aliases. */
kt_code kt_plaintext_account_named(kt_plaintext *p, kt_str name, kt_plain_account **out, kt_error *error);
kt_code kt_plaintext_account_alias(kt_plaintext *p, kt_str alias, kt_plain_account *account, kt_error *error);
/* The prefix that `apply account` set, NULL: none. */
const char *kt_plaintext_account_prefix(const kt_plaintext *p);

#endif
