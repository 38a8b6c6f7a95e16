/*
 * form: brings an entry as somebody gave it to the one form that is stored.
 *
 * A line in the book's currency that carries a rate (sold dollars for euros, said from the dollars' side) hands the
 * rate to the lines of that other currency, in proportion, the last taking the remainder (law 2: a line
 * without a rate has no book amount). What a rounded rate leaves over becomes a line on the rounding account (law 8).
 *
 * Lifetime: the lines made stay until the next call or release.
 */
#ifndef KT_LEDGER_FORM_H
#define KT_LEDGER_FORM_H

#include "engine/ledger/check.h"

typedef struct kt_form {
    kt_line *lines;
    size_t room;
} kt_form; /* all zero to begin with */

void kt_form_release(kt_form *form);
/* Lines of account and amount in smallest units of the book's currency, dimensions and texts: nothing to be brought to
   another form, and no currency to be put on record. */
bool kt_form_is_simple(const kt_entry *entry);
/* Does any line in the book's currency carry a rate? */
bool kt_form_is_turned(const kt_ledger *ledger, const kt_entry *entry);
/* *entry's lines become form's. KT_UNBALANCED where no lines take the rate. */
kt_code kt_form_turn(kt_form *form, kt_ledger *ledger, kt_entry *entry, kt_error *error);
/* Appends -left on the account. */
kt_code kt_form_round(kt_form *form, kt_entry *entry, kt_str account, kt_amount left, kt_error *error);
/* All of it: the entry is checked as given, rounded off on the account (empty: refused as unbalanced), and becomes what
   is stored. Changes nothing but the entry and the plan; errors as kt_batch_add. */
kt_code kt_form_check(kt_form *form, kt_ledger *ledger, kt_entry *entry, kt_str rounding_account, bool voucher_repeats,
                      kt_error *error);
/* From the plan: smallest units, and the book's currency left out. */
kt_code kt_form_settle(kt_form *form, const kt_ledger *ledger, kt_entry *entry, kt_error *error);

#endif
