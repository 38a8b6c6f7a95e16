/* A batch too large for one transaction is reversed as a whole: the reversal is written in pieces too, while what it reverses
   is still being read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/batch.h"
#include "engine/tables.h"
#include "tests/bookkeeping.h"

enum { ENTRIES = 6000 }; /* of four kilobytes each: more than twenty-four blocks */

/* Rows of a table, as anybody sees them who reads now. */
static long long rows_of(kt_book *book, kt_table table) {
    kt_txn *txn = NULL;
    uint64_t rows = 0, pages;
    if (is_code(kt_txn_begin(kt_book_store(book), false, &txn, &said), KT_OK, "the store is read"))
        (void)kt_table_stat(txn, table, &rows, &pages, &said);
    kt_txn_abort(txn);
    return (long long)rows;
}

static kt_batch *reverse_all(kt_book *book, long long entries) {
    uint64_t count = 0;
    kt_batch *batch = begin(book);
    is_code(kt_batch_reverse_batch(batch, KT_STR("many"), day("2026-02-01"), KT_STR("wrong"), false, &count, &said),
            KT_OK, "the batch is reversed");
    is_int((long long)count, entries, "entry by entry");
    ok(rows_of(book, KT_TABLE_UNDO) > 0, "what the reversals replace is kept aside, as memory does not hold them all");
    return batch;
}

static bool is_linked(kt_view *view, uint64_t number, uint64_t reversal) {
    kt_entry_view *entry = NULL, *reverses = NULL;
    bool linked = kt_entry_read(view, number, &entry, &said) == KT_OK && entry->reversed_by == reversal;
    if (reversal != 0)
        linked = linked && kt_entry_read(view, reversal, &reverses, &said) == KT_OK &&
                 reverses->entry.reverses == number;
    kt_entry_view_free(entry);
    kt_entry_view_free(reverses);
    return linked;
}

/* So many that the links between entries and their reversals are written before the head moves. */
static void many(void) {
    enum { MANY = 120000 };
    kt_book *book = make_book("many");
    kt_batch *batch = NULL;
    kt_batch_options options = {.id = KT_STR("many")};
    kt_line lines[] = {{.account = KT_STR("1000"), .amount = 1}, {.account = KT_STR("4000"), .amount = -1}};
    kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = 2};
    kt_code code = kt_batch_begin(book, &options, &batch, NULL, &said);
    for (int i = 0; i < MANY && code == KT_OK; i++) code = kt_batch_add(batch, &entry, NULL, &said);
    is_code(code, KT_OK, "a batch takes 120,000 entries");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and is committed");
    uint64_t first = receipt.first;
    char *before = told(book);
    kt_batch_abort(reverse_all(book, MANY));
    is_untouched(book, before, "a reversal that is aborted leaves the book as it was");
    is_int(rows_of(book, KT_TABLE_REVERSALS), 0, "no entry is reversed");
    is_int(rows_of(book, KT_TABLE_UNDO), 0, "and nothing is left of it");
    kt_view *view = view_of(book);
    ok(is_linked(view, first, 0) && is_linked(view, first + MANY - 1, 0), "the entries say so, too");
    kt_view_close(view);
    is_code(kt_batch_commit(reverse_all(book, MANY), &receipt, &said), KT_OK, "one is committed");
    is_int(rows_of(book, KT_TABLE_REVERSALS), MANY, "each entry is reversed");
    is_int(rows_of(book, KT_TABLE_UNDO), 0, "and nothing else is left");
    view = view_of(book);
    unsigned unlinked = 0;
    for (uint64_t i = 0; i < MANY; i += 271) unlinked += !is_linked(view, first + i, receipt.first + i);
    unlinked += !is_linked(view, first + MANY - 1, receipt.last - 1);
    is_int(unlinked, 0, "by the entry of its place, and both say so");
    kt_view_close(view);
    is_int((long long)balance(book, "1000"), 0, "everything is undone");
    is_code(reverse(book, first + MANY / 2, "2026-02-01", false, NULL), KT_RULE, "once");
    kt_book_close(book);
    is_sound("many", "the book verifies");
}

int main(void) {
    char directory[600], text[4000];
    kt_error error = {0};
    kt_book *book = NULL;
    kt_batch *batch = NULL;
    kt_view *view = NULL;
    kt_balance *balances = NULL;
    size_t rows = 0;
    uint64_t count = 0;
    kt_create_options company = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    (void)snprintf(directory, sizeof(directory), "%s/book", test_dir());
    memset(text, 'x', sizeof(text));
    is_code(kt_book_create(directory, &company, &error), KT_OK, "a book is made");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "and opened");
    is_code(kt_batch_begin(book, &(kt_batch_options){.id = KT_STR("wrong")}, &batch, NULL, &error), KT_OK,
            "a batch begins");
    kt_account accounts[2] = {{.code = KT_STR("1000"), .type = KT_ASSET}, {.code = KT_STR("4000"), .type = KT_INCOME}};
    for (int i = 0; i < 2; i++) {
        accounts[i].open_from = accounts[i].closed_from = KT_DAY_NONE;
        (void)kt_batch_account(batch, &accounts[i], &error);
    }
    kt_line lines[2] = {{.account = KT_STR("1000"), .amount = 100}, {.account = KT_STR("4000"), .amount = -100}};
    kt_entry entry = {.date = 20000, .text = {text, sizeof(text)}, .lines = lines, .line_count = 2};
    int refused = 0;
    for (int i = 0; i < ENTRIES; i++) refused += kt_batch_add(batch, &entry, NULL, &error) != KT_OK;
    is_int(refused, 0, "takes %d long entries", ENTRIES);
    is_code(kt_batch_commit(batch, NULL, &error), KT_OK, "and is committed");

    is_code(kt_batch_begin(book, NULL, &batch, NULL, &error), KT_OK, "another begins");
    is_code(kt_batch_reverse_batch(batch, KT_STR("wrong"), 20001, (kt_str){text, sizeof(text)}, false, &count, &error),
            KT_OK, "and reverses the first as a whole");
    is_int((long long)count, ENTRIES, "entry by entry");
    is_code(kt_batch_commit(batch, NULL, &error), KT_OK, "and is committed");
    is_code(kt_view_open(book, NULL, &view, &error), KT_OK, "a view opens");
    is_code(kt_balances(view, NULL, &balances, &rows, &error), KT_OK, "and gives the balances");
    ok(rows == 2 && balances[0].balance == 0 && balances[1].balance == 0 &&
           balances[0].debit == (kt_amount)ENTRIES * 100,
       "everything is undone");
    free(balances);
    kt_view_close(view);
    kt_book_close(book);
    is_code(kt_verify(directory, NULL, NULL, &error), KT_OK, "and all of it verifies");
    many();
    return done();
}
