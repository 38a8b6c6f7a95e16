/*
 * bookkeeping: what the tests of the engine say in one line, so that they read as laws.
 *
 * An entry is written as "2025-01-31 V1 1000 100.00 / 2000 -100.00": date, voucher ("-": none, "S#V1": voucher V1 of
 * series S), then lines parted by " / ". A line is account and amount, then any of: a currency, "@@ cost" with the
 * currency of the cost behind it, "cc=", "dep=", "proj=" (dimensions 1 to 3), "text=", "ref=", "tax=". Amounts are as
 * written and carry their own sign. Books are made in test_dir() with a clock and keys of their own, so that the same
 * test gives the same bytes.
 *
 * What was refused last stands in `said`, what was committed last in `receipt`.
 */
#ifndef KT_TESTS_BOOKKEEPING_H
#define KT_TESTS_BOOKKEEPING_H

#include "engine/kontor.h"
#include "tests/tap.h"

extern kt_error said;
extern kt_receipt receipt;

kt_day day(const char *text); /* "2025-01-31"; "" gives KT_DAY_NONE */

/* The tests' clock: each look at it moves it on by a second. */
extern int64_t clock_now;
int64_t test_clock(void *context);
void test_bytes(void *context, void *out, size_t size); /* context: a seed (uint64_t *) or NULL */

const char *path_of(const char *name); /* in test_dir(); eight are kept at a time */
/* A book in DKK with the accounts of CHART, open for writing. Dies where it cannot be made. */
kt_book *make_book(const char *name);
kt_book *make_book_with(const char *name, const kt_create_options *options);
kt_book *open_book(const char *name);
kt_book *reopen(kt_book *book);
void copy_book(const char *from, const char *to); /* names of books that are closed, or idle */

#define CHART                                                                                              \
    "1000 asset Bank, 1100 asset Cash, 2000 liability Creditors, 3000 equity Capital, 4000 income Sales, " \
    "5000 expense Wages, 5100 expense Rent, 5900 expense Rounding"

/* Each of these is a batch of its own. Accounts: "CODE TYPE [NAME]", parted by ", ". */
kt_code open_accounts(kt_book *book, const char *accounts);
kt_code open_account(kt_book *book, const kt_account *account);
kt_code declare_currency(kt_book *book, const char *code, uint8_t decimals);
kt_code close_month(kt_book *book, const char *month);
kt_code reopen_month(kt_book *book, const char *month, const char *reason);
kt_code reverse(kt_book *book, uint64_t number, const char *date, bool negative, uint64_t *reversal);

/* Entries parted by line feeds, as one batch; the first refusal ends it and leaves nothing. */
kt_code post(kt_book *book, const char *entries);
kt_code post_with(kt_book *book, const kt_batch_options *options, const char *entries);
/* The same, begun and filled and left open, for the caller to send; NULL where it is refused, and nothing is left. */
kt_code fill_with(kt_book *book, const kt_batch_options *options, const char *entries, kt_batch **out);
kt_code add(kt_batch *batch, const char *entry, uint64_t *number);
bool same_receipt(const kt_receipt *a, const kt_receipt *b);
kt_batch *begin(kt_book *book); /* dies where it cannot */

/* Room for one entry read from its text. */
#define ENTRY_LINES 40
typedef struct entry_room {
    char text[4096];
    kt_entry entry;
    kt_line lines[ENTRY_LINES];
    kt_dimension dimensions[ENTRY_LINES][3];
} entry_room;
const kt_entry *entry_of(entry_room *room, const char *text);

/* Debit minus credit in the currency ("" or NULL: the book's), in smallest units. */
kt_amount balance(kt_book *book, const char *account);
kt_amount balance_between(kt_book *book, const char *account, const char *currency, const char *from, const char *to);
/* Turnover of an account: its debit and credit columns, all currencies of it together. */
void columns(kt_book *book, const char *account, kt_amount *debit, kt_amount *credit);

kt_head head_of(kt_book *book);
kt_view *view_of(kt_book *book); /* dies where it cannot */
kt_view *view_known(kt_book *book, int64_t time_us);
/* All that the book says of itself: checkpoint, balances by month, accounts, periods. free(). */
char *told(kt_book *book);
/* Passes where the book still says `before` (which is freed). */
bool is_untouched(kt_book *book, char *before, const char *law, ...) __attribute__((format(printf, 3, 4)));

/* kt_verify of a path; findings are shown where `quiet` is false. first (may be NULL): the first finding. */
typedef struct found {
    uint64_t count, record;
    kt_code code;
    char what[1300];
} found;
kt_code verify_path(const char *path, const kt_verify_options *options, found *first);
bool is_sound(const char *name, const char *law); /* verify finds nothing, and rebuilding gives the same state */

/* Numbers of 0 to limit - 1. */
uint64_t pick(uint64_t *state, uint64_t limit);

#endif
