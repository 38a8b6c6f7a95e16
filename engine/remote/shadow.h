/*
 * shadow: as much of a book's state as a client needs to bring entries to the form that is stored, by the ledger's own
 * code: the currencies, accounts and dimension values that it was told of or puts on record itself.
 *
 * It is kept in memory alone. What it does not know (closed months and accounts, vouchers used before, rules, rights) the
 * server judges; so a shadow may take what the server will refuse, and never the other way about.
 *
 * Lifetime: a shadow owns its state; what it is told is copied. Errors as those of engine/ledger.
 */
#ifndef KT_REMOTE_SHADOW_H
#define KT_REMOTE_SHADOW_H

#include "engine/ledger/ledger.h"
#include "engine/remote/frame.h"

typedef struct kt_shadow kt_shadow;

kt_code kt_shadow_open(kt_shadow **out, kt_error *error);
void kt_shadow_close(kt_shadow *shadow);
kt_ledger *kt_shadow_ledger(kt_shadow *shadow);

/* Forgets everything and begins from what the server said of the book. */
kt_code kt_shadow_begin(kt_shadow *shadow, const kt_hello *hello, kt_error *error);
/* Forgets which vouchers were used: a batch begins. */
void kt_shadow_renew(kt_shadow *shadow);

/* KT_NOT_FOUND: not known here. */
kt_code kt_shadow_knows_account(kt_shadow *shadow, kt_str code, kt_error *error);
kt_code kt_shadow_account(kt_shadow *shadow, kt_str code, kt_account *out, kt_error *error);
kt_code kt_shadow_currency(kt_shadow *shadow, kt_str code, uint8_t *decimals, bool *posted, kt_error *error);
kt_code kt_shadow_dimension(kt_shadow *shadow, const kt_dimension *pair, kt_error *error);

/* What the server told. */
kt_code kt_shadow_tell_account(kt_shadow *shadow, kt_str code, kt_error *error); /* it is on record */
kt_code kt_shadow_tell_currency(kt_shadow *shadow, const kt_told_currency *told, kt_error *error);
/* Something is posted in it now: its decimals stay. */
kt_code kt_shadow_posted(kt_shadow *shadow, kt_str code, kt_error *error);
kt_code kt_shadow_tell_dimension(kt_shadow *shadow, const kt_dimension *pair, kt_error *error);

/* A record that the batch puts on record: of an account, a currency or a dimension's value. */
kt_code kt_shadow_apply(kt_shadow *shadow, kt_span record, kt_error *error);

#endif
