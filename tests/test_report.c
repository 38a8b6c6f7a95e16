/* Statements of result and position: assets = liabilities + equity on any day, closed or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static kt_report *sheet(const char *at) {
    kt_view *view = view_of(book);
    kt_report *report = NULL;
    if (kt_balance_sheet(view, day(at), &report, &said) != KT_OK) diag("%s", said.text);
    kt_view_close(view); /* figures stay; texts went with the view */
    return report;
}

static void is_sheet(const char *at, long long assets, long long liabilities, long long equity, long long result) {
    kt_report *report = sheet(at);
    if (!ok(report != NULL, "a balance sheet of %s", at)) return;
    is_int((long long)report->assets, assets, "assets");
    is_int((long long)report->liabilities, liabilities, "liabilities");
    is_int((long long)report->equity, equity, "equity");
    is_int((long long)report->result, result, "the result of the year");
    ok(report->assets == report->liabilities + report->equity + report->unclassified, "and both sides are equal");
    kt_report_free(report);
}

static void two_years(void) {
    is_code(post(book, "2025-07-01 - 1000 1000 / 3000 -1000\n" /* fiscal year 2025 */
                       "2025-10-10 - 1000 500 / 4000 -500\n"
                       "2026-06-30 - 5100 200 / 1000 -150 / 2000 -50\n"
                       "2026-07-01 - 1000 70 / 4000 -70\n" /* fiscal year 2026 */
                       "2027-01-15 - 5100 100 / 1000 -100"),
            KT_OK, "two fiscal years from July");
    is_sheet("2025-06-30", 0, 0, 0, 0);
    is_sheet("2025-07-01", 100000, 0, 100000, 0);
    is_sheet("2025-12-31", 150000, 0, 150000, 50000);
    is_sheet("2026-06-30", 135000, 5000, 130000, 30000);
    is_sheet("2026-07-01", 142000, 5000, 137000, 7000);
    is_sheet("2027-01-15", 132000, 5000, 127000, -3000);
    is_sheet("2027-07-01", 132000, 5000, 127000, 0);
    is_code(close_month(book, "2026-06"), KT_OK, "whether a month is closed");
    is_sheet("2026-06-30", 135000, 5000, 130000, 30000);
    is_code(post(book, "2026-07-01 - 4000 500 / 5100 -200 / 3000 -300"), KT_OK, "or the result is booked to equity");
    kt_report *report = sheet("2026-07-01");
    ok(report && report->assets == report->liabilities + report->equity, "both sides stay equal");
    kt_report_free(report);
}

static void computed_rows(void) {
    kt_view *view = view_of(book);
    kt_report *report = NULL;
    is_code(kt_balance_sheet(view, day("2026-09-30"), &report, &said), KT_OK, "a balance sheet");
    if (report) {
        unsigned computed = 0, unordered = 0;
        kt_amount earlier = 0, now = 0;
        for (size_t i = 0; i < report->row_count; i++) {
            const kt_report_row *row = &report->rows[i];
            computed += row->computed;
            if (row->computed && kt_str_equal(row->name, KT_STR("Result of the year"))) now = row->amount;
            else if (row->computed) earlier = row->amount;
            unordered += i > 0 && row->type < row[-1].type;
            unordered += row->type == KT_INCOME || row->type == KT_EXPENSE;
        }
        is_int(computed, 2, "has two lines that are no accounts");
        is_int((long long)earlier, 30000, "one for undistributed earlier results");
        is_int((long long)now, 7000 - 30000, "one for the result of the year");
        is_int(unordered, 0, "and its rows stand by type, none of them of the result");
        ok(report->to == day("2026-09-30") && report->decimals == 2 && kt_str_equal(report->currency, KT_STR("DKK")),
           "it says its day and currency");
    }
    kt_report_free(report);
    kt_view_close(view);
}

static void income(void) {
    kt_view *view = view_of(book);
    kt_report *report = NULL;
    is_code(kt_income_statement(view, day("2025-07-01"), day("2026-06-30"), &report, &said), KT_OK,
            "an income statement");
    if (report) {
        is_int((long long)report->income, 50000, "income is positive, as people read it");
        is_int((long long)report->expense, 20000, "expense, too");
        is_int((long long)report->result, 30000, "the result is what is between them");
        is_int((long long)report->row_count, 2, "a row for each account");
        ok(report->row_count == 2 && report->rows[0].type == KT_INCOME && report->rows[1].type == KT_EXPENSE,
           "income first");
    }
    kt_report_free(report);
    is_code(kt_income_statement(view, day("2026-06-30"), day("2026-06-29"), &report, &said), KT_USAGE,
            "days in the wrong order are refused");
    kt_view_close(view);
}

static void unvalued(void) {
    is_code(post(book, "2027-02-01 - 1100 5 EUR / 4000 -5 EUR\n2027-02-02 - 1100 5 EUR @@ 37.30 / 4000 -37.30"), KT_OK,
            "an entry without a rate, and one with");
    kt_report *report = sheet("2027-02-28");
    if (report) {
        is_int((long long)report->unvalued_lines, 2, "what has no worth is left out of the balance sheet, and counted");
        ok(report->assets == report->liabilities + report->equity, "which stays equal on both sides");
    }
    kt_report_free(report);
    kt_view *view = view_of(book);
    is_code(kt_income_statement(view, day("2027-02-01"), day("2027-02-28"), &report, &said), KT_OK,
            "an income statement");
    if (report) {
        is_int((long long)report->income, 3730, "has what has a rate");
        is_int((long long)report->unvalued_lines, 1, "and counts what has none");
    }
    kt_report_free(report);
    kt_view_close(view);
}

static void unclassified(void) {
    is_code(open_accounts(book, "8888 unclassified"), KT_OK, "an account of no type yet");
    is_code(post(book, "2027-03-01 - 1000 11 / 8888 -11"), KT_OK, "is posted");
    kt_report *report = sheet("2027-03-31");
    if (report) {
        is_int((long long)report->unclassified, 1100, "the balance sheet shows it by itself");
        ok(report->assets == report->liabilities + report->equity + report->unclassified, "as part of one side");
    }
    kt_report_free(report);
    is_code(open_accounts(book, "8888 liability"), KT_OK, "once it has a type");
    report = sheet("2027-03-31");
    if (report) ok(report->unclassified == 0 && report->liabilities == 5000 + 1100, "it stands there");
    kt_report_free(report);
}

static void any_day(void) {
    uint64_t random = test_seed();
    static const char *const accounts[] = {"1000", "1100", "2000", "3000", "4000", "5000", "5100", "8888"};
    kt_batch *batch = begin(book);
    kt_code code = KT_OK;
    for (unsigned i = 0; i < 500 && code == KT_OK; i++) {
        kt_amount amount = (kt_amount)pick(&random, 100000) - 50000;
        kt_line lines[] = {{.amount = amount, .account = kt_str_from(accounts[pick(&random, 8)])},
                           {.amount = -amount, .account = kt_str_from(accounts[pick(&random, 8)])}};
        kt_entry entry = {.date = day("2028-01-01") + (kt_day)pick(&random, 1000), .lines = lines, .line_count = 2};
        code = kt_batch_add(batch, &entry, NULL, &said);
    }
    is_code(code == KT_OK ? kt_batch_commit(batch, NULL, &said) : code, KT_OK, "random entries over three years");
    unsigned unequal = 0;
    for (unsigned i = 0; i < 200; i++) {
        char at[KT_DAY_TEXT];
        kt_report *report = sheet(kt_day_format(day("2025-01-01") + (kt_day)pick(&random, 2200), at));
        unequal += !report || report->assets != report->liabilities + report->equity + report->unclassified;
        kt_report_free(report);
    }
    is_int(unequal, 0, "assets are liabilities and equity on any day");
}

int main(void) {
    kt_create_options options = {.company = {.fiscal_month = 7}};
    book = make_book_with("book", &options);
    two_years();
    computed_rows();
    income();
    unvalued();
    unclassified();
    any_day();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
