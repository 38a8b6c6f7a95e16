/*
 * currency: currencies and commodities on record, each with its number of decimals.
 *
 * State: CURRENCIES, code -> id, decimals, whether anything is posted in it. Ids count from 1 in the order of record.
 * Decimals may change while nothing is posted. A currency of ISO 4217 is put on record by the batch that
 * first uses it, so that replay never looks at a table that a later version may have changed.
 */
#ifndef KT_LEDGER_CURRENCY_H
#define KT_LEDGER_CURRENCY_H

#include "engine/ledger/ledger.h"

typedef struct kt_currency_slot {
    uint16_t id;
    uint8_t decimals;
    bool posted;
    bool tried; /* not on record: see kt_currency_try */
    uint8_t code_size;
    char code[KT_CURRENCY_CODE_MAX];
} kt_currency_slot;

kt_code kt_currencies_open(kt_currencies **out, kt_error *error);
void kt_currencies_close(kt_currencies *currencies);
void kt_currencies_forget(kt_currencies *currencies);

/* KT_NOT_FOUND leaves *error alone. The slot stays until forget. */
kt_code kt_currency_slot_find(kt_ledger *ledger, kt_str code, kt_currency_slot **out, kt_error *error);
kt_code kt_currency_id(kt_ledger *ledger, kt_str code, uint16_t *id, uint8_t *decimals, kt_error *error);
kt_code kt_currency_mark_posted(kt_ledger *ledger, kt_currency_slot *slot, kt_error *error);

/* A slot as if the currency were on record, until kt_currencies_untry: so that an entry can be checked before its new
   currencies are put there, and a refused one leaves nothing. */
kt_code kt_currency_try(kt_ledger *ledger, kt_str code, uint8_t decimals, kt_error *error);
void kt_currencies_untry(kt_currencies *currencies);

kt_code kt_currency_facts_read(kt_span code, kt_span value, kt_currency_slot *out, kt_error *error);
kt_code kt_currency_check(kt_ledger *ledger, kt_str code, uint8_t decimals, kt_error *error);
size_t kt_currency_record(kt_str code, uint8_t decimals, kt_day date, uint8_t *out, size_t room);
/* A currency record's body; the name borrows it. false: not in its one form. */
bool kt_currency_read(kt_span body, kt_str *name, uint8_t *decimals);
/* The record that says its decimals. KT_NOT_FOUND. */
kt_code kt_currency_number(kt_state *state, kt_str code, uint64_t *number, kt_error *error);
kt_code kt_currency_apply(void *self, const kt_record *record, kt_error *error);

#endif
