#include <stdlib.h>

#include "engine/ledger/balance.h"

/* Adds up the rows of one account in all its currencies, turned to the sign people read. */
static kt_amount sign_of(kt_account_type type) { return type == KT_ASSET || type == KT_EXPENSE ? 1 : -1; }

static bool add_to(kt_amount *sum, kt_amount amount) { return !__builtin_add_overflow(*sum, amount, sum); }

static int by_type(const void *a, const void *b) {
    const kt_report_row *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->computed != y->computed) return x->computed ? 1 : -1;
    return kt_span_compare(kt_span_of(x->account.data, x->account.size), kt_span_of(y->account.data, y->account.size));
}

static kt_code start(kt_view *view, size_t rows, kt_day from, kt_day to, kt_report **out, kt_error *error) {
    kt_names names;
    kt_report *report = calloc(1, sizeof *report);
    *out = report;
    if (report == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    report->rows = calloc(rows + 3, sizeof *report->rows);
    if (report->rows == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    report->from = from;
    report->to = to;
    kt_code code = kt_currency_names_load(view, &names, error);
    if (code == KT_OK && names.book_currency == 0)
        code = kt_fail(error, KT_DAMAGED, "the book's currency is not on record");
    if (code == KT_OK) {
        report->currency = names.currencies[names.book_currency - 1].code;
        report->decimals = names.currencies[names.book_currency - 1].decimals;
    }
    kt_names_release(&names);
    return code;
}

/* One row an account: the balances are ordered by account. */
static kt_code add_accounts(kt_report *report, const kt_balance *balances, size_t count, bool result, kt_error *error) {
    for (size_t i = 0; i < count; i++) {
        const kt_balance *balance = &balances[i];
        bool of_result = balance->type == KT_INCOME || balance->type == KT_EXPENSE;
        /* What has no type might belong to either statement: both show it until it is set. */
        if (of_result != result && balance->type != KT_UNCLASSIFIED) continue;
        kt_report_row *last = report->row_count == 0 ? NULL : &report->rows[report->row_count - 1];
        if (last == NULL || !kt_str_equal(last->account, balance->account)) {
            last = &report->rows[report->row_count++];
            *last = (kt_report_row){.account = balance->account, .name = balance->name, .type = balance->type};
        }
        if (!add_to(&last->amount, sign_of(balance->type) * balance->book_balance))
            return kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
        report->unvalued_lines += balance->unvalued;
    }
    return KT_OK;
}

static kt_code add_up(kt_report *report, kt_error *error) {
    bool fits = true;
    for (size_t i = 0; i < report->row_count && fits; i++) {
        kt_amount amount = report->rows[i].amount;
        switch (report->rows[i].type) {
        case KT_ASSET: fits = add_to(&report->assets, amount); break;
        case KT_LIABILITY: fits = add_to(&report->liabilities, amount); break;
        case KT_EQUITY: fits = add_to(&report->equity, amount); break;
        case KT_INCOME: fits = add_to(&report->income, amount); break;
        case KT_EXPENSE: fits = add_to(&report->expense, amount); break;
        default: fits = add_to(&report->unclassified, amount); break;
        }
    }
    return fits ? KT_OK : kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
}

static kt_code finish(kt_code code, kt_report *report, kt_report **out) {
    *out = code == KT_OK ? report : NULL;
    if (code != KT_OK) kt_report_free(report);
    else qsort(report->rows, report->row_count, sizeof *report->rows, by_type);
    return code;
}

kt_code kt_income_statement(kt_view *view, kt_day from, kt_day to, kt_report **out, kt_error *error) {
    kt_balance *balances = NULL;
    size_t count = 0;
    kt_report *report = NULL;
    kt_balance_query query = {from, to, KT_BY_NOTHING};
    *out = NULL;
    kt_code code = kt_balances(view, &query, &balances, &count, error);
    if (code == KT_OK) code = start(view, count, from, to, &report, error);
    if (code == KT_OK) code = add_accounts(report, balances, count, true, error);
    if (code == KT_OK) code = add_up(report, error);
    if (code == KT_OK) report->result = report->income - report->expense;
    free(balances);
    return finish(code, report, out);
}

/* What income and expense accounts came to between two days, as equity sees it: credit above zero. What is left out for
   want of a rate is counted like that of the other accounts. */
static kt_code result_between(kt_view *view, kt_day from, kt_day to, kt_amount *result, uint64_t *unvalued,
                              kt_error *error) {
    kt_balance *balances;
    size_t count;
    kt_balance_query query = {from, to, KT_BY_NOTHING};
    *result = 0;
    if (from != KT_DAY_NONE && to != KT_DAY_NONE && from > to) return KT_OK;
    kt_code code = kt_balances(view, &query, &balances, &count, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        if (balances[i].type != KT_INCOME && balances[i].type != KT_EXPENSE) continue;
        *unvalued += balances[i].unvalued;
        if (!add_to(result, -balances[i].book_balance)) code = kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
    }
    free(balances);
    return code;
}

static void add_computed(kt_report *report, const char *name, kt_amount amount) {
    report->rows[report->row_count++] = (kt_report_row){
        .name = kt_str_from(name), .type = KT_EQUITY, .amount = amount, .computed = true};
}

kt_code kt_balance_sheet(kt_view *view, kt_day at, kt_report **out, kt_error *error) {
    kt_balance *balances = NULL;
    size_t count = 0;
    kt_report *report = NULL;
    kt_company company;
    kt_day first, last;
    kt_amount now = 0, earlier = 0;
    kt_balance_query query = {KT_DAY_NONE, at, KT_BY_NOTHING};
    *out = NULL;
    kt_code code = kt_view_company(view, at, &company, error);
    if (code == KT_OK) code = kt_balances(view, &query, &balances, &count, error);
    if (code == KT_OK) code = start(view, count, KT_DAY_NONE, at, &report, error);
    if (code == KT_OK) code = add_accounts(report, balances, count, false, error);
    if (code == KT_OK) {
        kt_fiscal_year(&company, at, &first, &last);
        code = result_between(view, first, at, &now, &report->unvalued_lines, error);
    }
    if (code == KT_OK && first > KT_DAY_MIN)
        code = result_between(view, KT_DAY_NONE, first - 1, &earlier, &report->unvalued_lines, error);
    if (code == KT_OK) {
        add_computed(report, "Undistributed earlier results", earlier);
        add_computed(report, "Result of the year", now);
        report->result = now;
        code = add_up(report, error);
    }
    free(balances);
    return finish(code, report, out);
}

void kt_report_free(kt_report *report) {
    if (report == NULL) return;
    free(report->rows);
    free(report);
}
