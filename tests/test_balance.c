/* The trial balance: between any two days, in each currency and in the book's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

/* "1000 DKK 100.00 0.00 100.00 | ...": account, currency, debit, credit, book balance of each row. */
static const char *rows_between(const char *from, const char *to) {
    static char text[4000];
    kt_view *view = view_of(book);
    kt_balance_query query = {day(from), day(to), KT_BY_NOTHING};
    kt_balance *rows = NULL;
    size_t count = 0, size = 0;
    char debit[KT_AMOUNT_TEXT], credit[KT_AMOUNT_TEXT], worth[KT_AMOUNT_TEXT];
    text[0] = '\0';
    if (kt_balances(view, &query, &rows, &count, &said) != KT_OK)
        snprintf(text, sizeof text, "%s", kt_code_name(said.code));
    for (size_t i = 0; i < count; i++) {
        kt_amount_format(rows[i].debit, rows[i].decimals, 0, debit);
        kt_amount_format(rows[i].credit, rows[i].decimals, 0, credit);
        kt_amount_format(rows[i].book_balance, rows[i].book_decimals, 0, worth);
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s %.*s %s %s %s", size ? " | " : "",
                                 (int)rows[i].account.size, rows[i].account.data, (int)rows[i].currency.size,
                                 rows[i].currency.data, debit, credit, worth);
    }
    free(rows);
    kt_view_close(view);
    return text;
}

static void spans(void) {
    is_text(rows_between("", ""), "", "an empty book has no rows");
    is_code(
        post(book,
             "2025-12-31 - 1000 1000 / 3000 -1000\n2026-01-15 - 5100 100 / 1000 -100\n2026-01-16 - 5100 50 / 1000 -50\n"
             "2026-02-28 - 1000 70 / 4000 -70"),
        KT_OK, "four entries");
    is_text(rows_between("", ""),
            "1000 DKK 1070.00 150.00 920.00 | 3000 DKK 0.00 1000.00 -1000.00 | 4000 DKK 0.00 70.00 -70.00 | 5100 DKK "
            "150.00 "
            "0.00 150.00",
            "all of them, by account");
    is_text(rows_between("", "2026-01-15"),
            "1000 DKK 1000.00 100.00 900.00 | 3000 DKK 0.00 1000.00 -1000.00 | 5100 DKK 100.00 0.00 100.00",
            "to a day, which is included");
    is_text(rows_between("2026-01-16", "2026-01-16"), "1000 DKK 0.00 50.00 -50.00 | 5100 DKK 50.00 0.00 50.00",
            "of a day");
    is_text(rows_between("2026-01-01", "2026-01-31"), "1000 DKK 0.00 150.00 -150.00 | 5100 DKK 150.00 0.00 150.00",
            "of a month");
    is_text(rows_between("2026-01-16", "2026-02-28"),
            "1000 DKK 70.00 50.00 20.00 | 4000 DKK 0.00 70.00 -70.00 | 5100 DKK 50.00 0.00 50.00", "across months");
    is_text(rows_between("2026-03-01", ""), "", "of days without postings");
    is_text(rows_between("2026-01-31", "2026-01-01"), "usage", "the first day may not lie behind the last");
}

static void currencies(void) {
    is_code(post(book, "2026-03-10 - 1100 10 EUR @@ 74.60 / 1000 -74.60\n2026-03-20 - 1100 5 EUR / 2000 -5 EUR\n"
                       "2026-03-31 - 1100 0 EUR @@ 0.40 / 4000 -0.40\n2026-03-31 - 1100 700 JPY / 2000 -700 JPY"),
            KT_OK, "entries of other currencies, with rates and without");
    is_text(rows_between("2026-03-01", "2026-03-31"),
            "1000 DKK 0.00 74.60 -74.60 | 1100 EUR 15.00 0.00 75.00 | 1100 JPY 700 0 0.00 | 2000 EUR 0.00 5.00 0.00 | "
            "2000 JPY 0 700 0.00 | 4000 DKK 0.00 0.40 -0.40",
            "a row for each currency; what has no rate is worth nothing in the book's");
    is_text(rows_between("2026-03-02", "2026-03-31"), rows_between("2026-03-01", "2026-03-31"),
            "the same, counted day by day, a revaluation of no amount included");
    kt_view *view = view_of(book);
    kt_balance *rows = NULL;
    size_t count = 0;
    uint64_t lines = 0, unvalued = 0;
    (void)kt_balances(view, NULL, &rows, &count, &said);
    for (size_t i = 0; i < count; i++) {
        lines += rows[i].lines;
        unvalued += rows[i].unvalued;
        if (kt_str_equal(rows[i].account, KT_STR("1100")) && kt_str_equal(rows[i].currency, KT_STR("EUR")))
            ok(rows[i].type == KT_ASSET && kt_str_equal(rows[i].name, KT_STR("Cash")) && rows[i].decimals == 2 &&
                   rows[i].unvalued == 1 && rows[i].lines == 3 && rows[i].group.size == 0,
               "a row tells its account's name and type, and how many of its lines have no worth");
    }
    is_int((long long)lines, 16, "every line is in some row");
    is_int((long long)unvalued, 4, "four of them without a worth");
    free(rows);
    kt_view_close(view);
}

/* Enough batches that sums are merged, over enough months that lists are cut. */
static void merged(void) {
    kt_amount expected = 0;
    kt_code code = KT_OK;
    char entry[100];
    for (unsigned batch = 0; batch < 80 && code == KT_OK; batch++) {
        kt_batch *open = begin(book);
        for (unsigned i = 0; i < 40 && code == KT_OK; i++) {
            unsigned month = 1 + (batch * 7 + i) % 12, dom = 1 + (i * 5 + batch) % 28;
            snprintf(entry, sizeof entry, "2030-%02u-%02u - 5000 %u / 1000 -%u", month, dom, batch + i, batch + i);
            code = add(open, entry, NULL);
            if (month < 7 || (month == 7 && dom <= 13)) expected += (batch + i) * 100;
        }
        if (code == KT_OK) code = kt_batch_commit(open, NULL, &said);
    }
    is_code(code, KT_OK, "eighty batches over a year");
    is_int((long long)balance_between(book, "5000", "", "2030-01-01", "2030-07-13"), (long long)expected,
           "any day of it has its balance");
    int64_t now = head_of(book).recorded_us;
    is_code(post(book, "2030-02-02 - 5000 1 / 1000 -1"), KT_OK, "something more is posted into the past");
    kt_view *view = view_known(book, now);
    kt_balance_query query = {day("2030-01-01"), day("2030-07-13"), KT_BY_NOTHING};
    kt_balance *rows = NULL;
    size_t count = 0;
    (void)kt_balances(view, &query, &rows, &count, &said);
    ok(count == 2 && rows[1].balance == expected, "which the balance as known before does not see");
    free(rows);
    kt_view_close(view);
}

int main(void) {
    book = make_book("book");
    spans();
    currencies();
    merged();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
