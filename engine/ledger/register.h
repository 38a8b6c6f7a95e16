/*
 * register: what a view says of accounts, currencies, periods and the company; the public functions are in kontor.h.
 * As known: what later records changed is seen as it was.
 */
#ifndef KT_LEDGER_REGISTER_H
#define KT_LEDGER_REGISTER_H

#include "engine/ledger/ledger.h"
#include "engine/view.h"

/* Currencies by id, and accounts by id, as a report needs them. */
typedef struct kt_names {
    kt_account *accounts; /* by id - 1; code.size 0: not known then */
    uint32_t account_count;
    kt_currency *currencies; /* by id - 1 */
    uint16_t currency_count;
    uint16_t book_currency; /* id */
} kt_names;

kt_code kt_names_load(kt_view *view, kt_names *out, kt_error *error);
/* The currencies alone: where accounts are many and one is asked for. */
kt_code kt_currency_names_load(kt_view *view, kt_names *out, kt_error *error);
void kt_names_release(kt_names *names);

#endif
