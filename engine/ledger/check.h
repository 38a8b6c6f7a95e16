/*
 * check: may this entry be posted, and what does it come to?
 *
 * One function decides, for a new entry and for one on replay: the entry's form, its date and period, then line by
 * line the account, currency, amount and dimensions, then its balance (law 2), its voucher and the accounts'
 * rules. It changes nothing; what it found is the plan that applying follows.
 *
 * Balance: each line weighs its cost in the cost's currency, or else its amount in its own. In every currency the
 * weights must sum to zero. A line's book amount is its weight where that is in the book's currency; there is none
 * otherwise.
 *
 * Laws kept: 2, 8 (decimals are refused or, for a cost, rounded half-even here and nowhere else), 10, 12.
 */
#ifndef KT_LEDGER_CHECK_H
#define KT_LEDGER_CHECK_H

#include "engine/ledger/account.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/entry.h"

/* Magnitude of one amount: so that 10^8 of the largest still add up in 128 bits. */
#define KT_POSTING_DIGITS 30

typedef struct kt_planned_line {
    kt_account_slot *account;
    kt_currency_slot *currency; /* NULL: the book's */
    kt_currency_slot *weighs;   /* that the line counts in; NULL: the book's */
    kt_amount amount, book;     /* in smallest units */
    kt_amount cost;
    bool has_book;
    bool in_book_currency;
} kt_planned_line;

struct kt_posting_plan {
    kt_entry_reader reader; /* its room is used again and again */
    kt_planned_line *lines;
    size_t count, room;
    bool rounded;   /* a cost was rounded */
    kt_amount left; /* what the weights leave over in the book's currency */
    bool only_book; /* ... and in no other */
    int32_t year;
    bool voucher_used;
    /* Weights by currency, while checking. */
    struct kt_weight {
        kt_currency_slot *currency;
        kt_amount sum;
    } * weights;
    size_t weight_count, weight_room;
};

kt_code kt_plan_open(kt_posting_plan **out, kt_error *error);
void kt_plan_close(kt_posting_plan *plan);

/* Fills ledger->plan. voucher_repeats: its voucher may have been used before. Errors as kt_batch_add. Unbalanced ones
   leave plan->left set where a rounding account could take it. */
kt_code kt_entry_check(kt_ledger *ledger, const kt_entry *entry, bool voucher_repeats, kt_error *error);
/* A refusal begins with where the entry stands (law 12). Returns code. */
kt_code kt_entry_locate(const kt_entry *entry, kt_code code, kt_error *error);
/* Marks the plan's currencies as posted in: amounts of their decimals are stored. */
kt_code kt_entry_mark(kt_ledger *ledger, kt_error *error);
/* Applies what the plan says: state and sums (never fails for the entry's sake). */
kt_code kt_entry_fold(kt_ledger *ledger, const kt_entry *entry, uint64_t number, kt_error *error);

#endif
