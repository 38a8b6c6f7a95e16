/* Reversals: an entry that undoes another, both naming each other, once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static kt_entry_view *entry_at(uint64_t number) {
    kt_view *view = view_of(book);
    kt_entry_view *entry = NULL;
    (void)kt_entry_read(view, number, &entry, &said);
    kt_view_close(view);
    return entry;
}

static void both_ways(void) {
    uint64_t reversal = 0;
    is_code(post(book, "2026-01-31 S#V7 5000 100 cc=ADM text=wage tax=M1 / 1000 -100"), KT_OK, "an entry");
    uint64_t number = receipt.first + 1; /* behind the cost centre's record */
    is_code(reverse(book, number, "2026-02-01", false, &reversal), KT_OK, "is reversed");
    is_int((long long)balance(book, "5000"), 0, "nothing is left of it");
    kt_entry_view *first = entry_at(number), *second = entry_at(reversal);
    if (!ok(first && second, "both are on record")) return;
    is_int((long long)first->reversed_by, (long long)reversal, "the entry names its reversal");
    is_int((long long)second->entry.reverses, (long long)number, "and the reversal names the entry");
    is_int(second->entry.date, day("2026-02-01"), "dated as was said");
    ok(kt_str_equal(second->entry.series, KT_STR("S")), "in the entry's series");
    ok(kt_str_equal(second->entry.ref, KT_STR("V7")), "referring to its voucher");
    has_text(second->entry.text.data, "Reversal of entry", "with a text that says what it is");
    const kt_line *line = &second->entry.lines[0];
    ok(line->amount == -10000 && line->dimension_count == 1 && kt_str_equal(line->text, KT_STR("wage")) &&
           kt_str_equal(line->tax_code, KT_STR("M1")),
       "its lines are those of the entry, turned");
    kt_entry_view_free(first);
    kt_entry_view_free(second);
    is_code(reverse(book, number, "2026-02-01", false, NULL), KT_RULE, "reversing it twice is refused");
    has_text(said.text, "is reversed already, by entry", "saying by which entry it was");
    kt_batch *batch = begin(book);
    entry_room room;
    kt_entry by_hand = *entry_of(&room, "2026-02-01 - 1000 100 / 5000 -100");
    by_hand.reverses = number;
    is_code(kt_batch_add(batch, &by_hand, NULL, &said), KT_RULE, "also by an entry that says so itself");
    by_hand.reverses = receipt.last;
    is_code(kt_batch_add(batch, &by_hand, NULL, &said), KT_NOT_FOUND, "a record that is no entry is not reversed");
    by_hand.reverses = UINT64_MAX;
    is_code(kt_batch_add(batch, &by_hand, NULL, &said), KT_NOT_FOUND, "nor one that is not there");
    kt_batch_abort(batch);
    is_code(reverse(book, reversal, "2026-02-01", false, NULL), KT_OK, "a reversal can itself be reversed");
    is_int((long long)balance(book, "5000"), 10000, "and the entry stands again");
}

static void is_turnover(const char *account, long long debit, long long credit, const char *law) {
    kt_amount debits, credits;
    columns(book, account, &debits, &credits);
    is_int((long long)debits, debit, "%s: debit", law);
    is_int((long long)credits, credit, "%s: credit", law);
}

static void turnover(void) {
    uint64_t reversal = 0;
    is_code(post(book, "2026-03-31 - 1100 80 / 3000 -80"), KT_OK, "an entry");
    uint64_t number = receipt.first;
    is_turnover("1100", 8000, 0, "it is turnover");
    is_code(reverse(book, number, "2026-03-31", true, &reversal), KT_OK, "reversed with minus amounts");
    is_turnover("1100", 0, 0, "it is none any more");
    is_turnover("3000", 0, 0, "on either side");
    is_code(reverse(book, reversal, "2026-03-31", true, &reversal), KT_OK, "that reversal reversed likewise");
    is_turnover("1100", 8000, 0, "it is turnover again, in the column where it was");
    is_turnover("3000", 0, 8000, "on either side");
    is_code(reverse(book, reversal, "2026-03-31", false, &reversal), KT_OK, "and reversed plainly");
    is_turnover("1100", 8000, 8000, "it is turnover in both columns");
    is_code(reverse(book, reversal, "2026-03-15", true, &reversal), KT_OK, "within a month, too");
    kt_amount part = balance_between(book, "1100", "", "2026-03-10", "2026-03-20");
    is_int((long long)part, 8000, "days of a month see it with its sign");
    is_turnover("1100", 8000, 0, "and the columns are again as after the entry");
}

static void currencies(void) {
    is_code(post(book, "2026-04-01 - 1100 3 EUR @@ 22.37 / 1100 4 EUR @@ 29.81 / 1000 -52.18"), KT_OK,
            "an entry with rates");
    is_code(reverse(book, receipt.last - 1, "2026-05-01", false, NULL), KT_OK, "is reversed at those rates");
    is_int((long long)balance_between(book, "1100", "EUR", "2026-04-01", ""), 0, "nothing is left of the amount");
    kt_view *view = view_of(book);
    kt_balance_query query = {day("2026-04-01"), KT_DAY_NONE, KT_BY_NOTHING};
    kt_balance *rows = NULL;
    size_t count = 0, left = 0;
    (void)kt_balances(view, &query, &rows, &count, &said);
    for (size_t i = 0; i < count; i++) left += rows[i].book_balance != 0;
    is_int((long long)left, 0, "nor of its worth, to the last unit");
    free(rows);
    kt_view_close(view);
}

static void refusals(void) {
    is_code(post(book, "2026-06-30 - 1000 1 / 2000 -1"), KT_OK, "an entry");
    uint64_t number = receipt.first;
    is_code(close_month(book, "2026-06"), KT_OK, "its month is closed");
    char *before = told(book);
    is_code(reverse(book, number, "2026-06-30", false, NULL), KT_CLOSED, "a reversal into the closed month is refused");
    has_text(said.text, "reversing entry", "and says what was being done");
    is_code(reverse(book, number + 1, "2026-07-01", false, NULL), KT_NOT_FOUND, "a seal is not reversed");
    is_code(reverse(book, 1000000, "2026-07-01", false, NULL), KT_NOT_FOUND, "nor what is not there");
    kt_batch *batch = begin(book);
    uint64_t inside = 0;
    is_code(add(batch, "2026-07-01 - 1000 1 / 2000 -1", &inside), KT_OK, "an entry of the open batch");
    is_code(kt_batch_reverse(batch, inside, day("2026-07-01"), (kt_str){NULL, 0}, false, NULL, &said), KT_NOT_FOUND,
            "is not on record yet and cannot be reversed");
    kt_batch_abort(batch);
    is_untouched(book, before, "none of it changes the book");
    is_code(reverse(book, number, "2026-07-01", false, NULL), KT_OK, "into an open month it goes");
}

static void batches(void) {
    kt_batch_options named = {.id = KT_STR("wrong import")};
    is_code(post_with(book, &named,
                      "2026-08-01 - 1000 1 cc=NEW / 2000 -1\n2026-08-02 - 1000 2 EUR / 2000 -2 EUR\n"
                      "2026-08-03 - 1000 3 / 2000 -3"),
            KT_OK, "a wrong import");
    kt_amount before = balance_between(book, "1000", "", "", "2026-07-31");
    kt_batch *batch = begin(book);
    uint64_t count = 0;
    is_code(kt_batch_reverse_batch(batch, KT_STR("no such"), day("2026-08-31"), KT_STR("wrong"), true, &count, &said),
            KT_NOT_FOUND, "a batch that is not there is not reversed");
    is_code(kt_batch_reverse_batch(batch, named.id, day("2026-08-31"), KT_STR("wrong"), true, &count, &said), KT_OK,
            "one that is there is, entry by entry");
    is_int((long long)count, 3, "all three of them, and no other record");
    is_code(kt_batch_reverse_batch(batch, named.id, day("2026-08-31"), KT_STR("wrong"), true, &count, &said), KT_RULE,
            "a second time in the same batch is refused");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "the reversals are one batch");
    is_int((long long)receipt.entries, 3, "of three entries");
    ok(balance(book, "1000") == before, "and all is as before the import");
    batch = begin(book);
    is_code(kt_batch_reverse_batch(batch, named.id, day("2026-08-31"), KT_STR("wrong"), true, &count, &said), KT_RULE,
            "reversing the batch twice is refused");
    kt_batch_abort(batch);
}

/* Larger than a transaction: what is read and what is written are in the same store. */
static void large_batch(void) {
    enum { ENTRIES = 206000 }; /* the 26th block is read when the 24th was committed */
    kt_line lines[] = {{.amount = 1, .account = KT_STR("1100"), .text = KT_STR("many")},
                       {.amount = -1, .account = KT_STR("2000")}};
    kt_entry entry = {.date = day("2026-09-01"), .lines = lines, .line_count = 2};
    kt_batch_options named = {.id = KT_STR("large")};
    kt_batch *batch = NULL;
    kt_amount before = balance(book, "1100");
    kt_code code = kt_batch_begin(book, &named, &batch, NULL, &said);
    for (unsigned i = 0; i < ENTRIES && code == KT_OK; i++) code = kt_batch_add(batch, &entry, NULL, &said);
    is_code(code == KT_OK ? kt_batch_commit(batch, &receipt, &said) : code, KT_OK,
            "a batch larger than one transaction");
    uint64_t count = 0;
    batch = begin(book);
    is_code(kt_batch_reverse_batch(batch, named.id, day("2026-09-30"), (kt_str){NULL, 0}, false, &count, &said), KT_OK,
            "is reversed (%s)", said.text);
    is_int((long long)count, ENTRIES, "every entry of it");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "in one batch");
    ok(balance(book, "1100") == before, "and nothing is left");
}

int main(void) {
    book = make_book("book");
    both_ways();
    turnover();
    currencies();
    refusals();
    batches();
    large_batch();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
