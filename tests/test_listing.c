/* The journal's list: entries in the order of record, as filters let them through; and one entry whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;
static uint64_t first;

static kt_code gather(void *context, const kt_entry_view *view, kt_error *error) {
    char *text = context;
    size_t size = strlen(text);
    (void)error;
    snprintf(text + size, 500 - size, "%s%.*s", size ? " " : "", (int)view->entry.voucher.size,
             view->entry.voucher.data);
    return KT_OK;
}

static void lists(const kt_journal_filter *filter, const char *vouchers, const char *law) {
    char text[500] = "";
    kt_view *view = view_of(book);
    kt_journal_filter with = *filter;
    if (with.from == 0) with.from = KT_DAY_NONE;
    if (with.to == 0) with.to = KT_DAY_NONE;
    is_code(kt_entries(view, &with, gather, text, &said), KT_OK, "the journal is listed");
    is_text(text, vouchers, "%s", law);
    kt_view_close(view);
}

static void filters(void) {
    kt_journal_filter filter = {0};
    lists(&filter, "1 2 3 4 5", "without a filter, all in the order of record");
    filter = (kt_journal_filter){.from = day("2026-01-10"), .to = day("2026-01-20")};
    lists(&filter, "1 3", "by days, both included");
    filter = (kt_journal_filter){.from = day("2026-02-01")};
    lists(&filter, "4 5", "from a day on");
    filter = (kt_journal_filter){.series = KT_STR("B")};
    lists(&filter, "3 5", "of a series");
    filter = (kt_journal_filter){.voucher = KT_STR("3")};
    lists(&filter, "3", "of a voucher");
    filter = (kt_journal_filter){.text = KT_STR("rent")};
    lists(&filter, "2 4", "with a text in the entry or in a line, whatever its case");
    filter = (kt_journal_filter){.text = KT_STR("rental")};
    lists(&filter, "", "contained whole");
    filter = (kt_journal_filter){.account = KT_STR("5100")};
    lists(&filter, "2 4", "on an account");
    filter = (kt_journal_filter){.account = KT_STR("51*")};
    lists(&filter, "2 4", "on accounts that begin alike");
    filter = (kt_journal_filter){.account = KT_STR("A:")};
    lists(&filter, "5", "on an account and those below it");
    filter = (kt_journal_filter){.account = KT_STR("A")};
    lists(&filter, "", "but not on the account alone, where nothing is posted");
    filter = (kt_journal_filter){.has_min = true, .min = 200, .min_given = KT_AS_WRITTEN(0)};
    lists(&filter, "2 4 5", "with a line of an amount or more");
    filter = (kt_journal_filter){.has_max = true, .max = 10000};
    lists(&filter, "1 2 3 4", "or less, counted in smallest units");
    filter = (kt_journal_filter){
        .has_min = true, .min = 100001, .min_given = KT_AS_WRITTEN(3), .has_max = true, .max = 200};
    filter.max_given = KT_AS_WRITTEN(0);
    lists(&filter, "2", "or between two, however they are written");
    filter = (kt_journal_filter){.first = first + 1, .last = first + 3};
    lists(&filter, "2 3 4", "by record numbers");
    filter = (kt_journal_filter){.series = KT_STR("B"), .account = KT_STR("1000"), .to = day("2026-01-31")};
    lists(&filter, "3", "by all of it at once");
}

static kt_code stop(void *context, const kt_entry_view *view, kt_error *error) {
    (void)view;
    ++*(int *)context;
    return *(int *)context == 2 ? KT_END : *(int *)context == 12 ? kt_fail(error, KT_USAGE, "enough") : KT_OK;
}

static void walks_end(void) {
    kt_view *view = view_of(book);
    int calls = 0;
    is_code(kt_entries(view, NULL, stop, &calls, &said), KT_OK, "a callback may end the walk");
    is_int(calls, 2, "where it likes");
    calls = 10;
    is_code(kt_entries(view, NULL, stop, &calls, &said), KT_USAGE, "or break it off with a reason");
    is_text(said.text, "enough", "which is passed on");
    kt_view_close(view);
}

static void one_whole(void) {
    kt_view *view = view_of(book);
    kt_entry_view *entry = NULL;
    is_code(kt_entry_read(view, first + 4, &entry, &said), KT_OK, "an entry is read by its number");
    if (entry) {
        ok(entry->number == first + 4 && entry->entry.date == day("2026-03-01") &&
               kt_str_equal(entry->entry.series, KT_STR("B")),
           "it is the one asked for");
        ok(entry->entry.lines[0].amount == 90000 && entry->entry.lines[0].has_cost &&
               entry->entry.lines[0].cost == 671850 && entry->decimals[0] == 2 && entry->cost_decimals[0] == 2 &&
               entry->entry.lines[0].amount_given == 0,
           "amounts are in smallest units");
        ok(entry->batch_first == first - 1 && entry->batch_last == first + 5, "it tells its batch");
        ok(kt_str_equal(entry->batch_id, KT_STR("five")) && entry->recorded_us == receipt.recorded_us,
           "by id and time");
        is_int(entry->parts, 0, "a short entry has no parts");
    }
    kt_entry_view_free(entry);
    is_code(kt_entry_read(view, 0, &entry, &said), KT_NOT_FOUND, "record 0 is no entry");
    has_text(said.text, "genesis", "but the genesis, and is called so");
    is_code(kt_entry_read(view, first + 5, &entry, &said), KT_NOT_FOUND, "nor is the batch's last");
    has_text(said.text, "seal", "which is its seal");
    is_code(kt_entry_read(view, first + 6, &entry, &said), KT_NOT_FOUND, "and beyond it there is nothing");
    is_code(kt_entry_read(view, UINT64_MAX, &entry, &said), KT_NOT_FOUND, "anywhere");
    kt_view_close(view);
}

int main(void) {
    book = make_book("book");
    is_code(open_accounts(book, "A:B asset"), KT_OK, "an account with a name of two levels");
    is_code(declare_currency(book, "EUR", 2), KT_OK, "and a currency are on record");
    kt_batch_options options = {.id = KT_STR("five")};
    is_code(post_with(
                book, &options,
                "2026-01-10 1 1000 100 / 2000 -100 cc=X\n2026-01-05 2 5100 200 text=Office-Rent / 1000 -100.50 / 1000 "
                "-99.50\n2026-01-20 B#3 1000 7 / 4000 -7\n2026-02-10 4 5100 500 / 1000 -499 / 1000 -1 text=RENT\n"
                "2026-03-01 B#5 A:B 900 EUR @@ 6718.50 / 1000 -6718.50"),
            KT_OK, "five entries");
    first = receipt.last - 5;
    filters();
    walks_end();
    one_whole();
    kt_book_close(book);
    return done();
}
