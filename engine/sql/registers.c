/* registers: accounts, currencies, periods and the company, as they are on record. */
#include <stdlib.h>

#include "engine/ledger/company.h"
#include "engine/sql/table.h"

/* ---- accounts ---- */

enum { CODE, NAME, TYPE, PARENT, CURRENCY, RULE, OPEN_FROM, CLOSED_FROM, ID, RECORD };

static const kt_sql_column account_columns[] = {
    [CODE] = {"code", "TEXT", KT_SQL_ACCOUNT, NULL},
    [NAME] = {"name", "TEXT", KT_SQL_PLAIN, NULL},
    [TYPE] = {"type", "TEXT", KT_SQL_PLAIN, "asset, liability, equity, income, expense, unclassified"},
    [PARENT] = {"parent", "TEXT", KT_SQL_PLAIN, "code of the account above"},
    [CURRENCY] = {"currency", "TEXT", KT_SQL_PLAIN, "the only one that may be posted"},
    [RULE] = {"rule", "TEXT", KT_SQL_PLAIN, "not-negative or not-positive"},
    [OPEN_FROM] = {"open_from", "TEXT", KT_SQL_PLAIN, "first day that takes a posting"},
    [CLOSED_FROM] = {"closed_from", "TEXT", KT_SQL_PLAIN, "first day that takes none"},
    [ID] = {"id", "INTEGER", KT_SQL_PLAIN, "1, 2, 3 … in the order of record"},
    [RECORD] = {"record", "INTEGER", KT_SQL_PLAIN, "that said all this last"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static uint64_t account_rows(const kt_sql *sql) { return sql->accounts_there; }

/* A single account is looked up by itself: where there are very many, listing them takes longer than the question. */
typedef struct account_state {
    kt_sql_list list;
    kt_account one;
} account_state;

static kt_code account_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    account_state *self = cursor->state;
    const kt_account *accounts;
    size_t count;
    kt_code code;
    if (bounds->by_account && kt_sql_codes_one(&bounds->account)) {
        code = kt_sql_account(cursor->sql, bounds->account.low, &self->one, error);
        kt_sql_list_set(cursor, &self->one, code == KT_OK, NULL);
        return code == KT_NOT_FOUND ? KT_OK : code;
    }
    code = kt_sql_accounts(cursor->sql, &accounts, &count, error);
    if (code != KT_OK) return code;
    kt_sql_list_set(cursor, (void *)(uintptr_t)accounts, count, NULL);
    return KT_OK;
}

static int64_t account_row_id(kt_sql_cursor *cursor) {
    const kt_sql_list *list = cursor->state;
    return (int64_t)((const kt_account *)list->rows)[list->at].id;
}

static kt_code account_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_sql_list *list = cursor->state;
    const kt_account *account = (const kt_account *)list->rows + list->at;
    (void)error;
    switch (column) {
    case CODE: kt_sql_text(out, account->code); break;
    case NAME: kt_sql_text(out, account->name); break;
    case TYPE: kt_sql_text(out, kt_str_from(kt_account_type_name(account->type))); break;
    case PARENT: kt_sql_text(out, account->parent); break;
    case CURRENCY: kt_sql_text(out, account->currency); break;
    case RULE:
        if (account->rule == KT_RULE_NOT_NEGATIVE) kt_sql_text(out, KT_STR("not-negative"));
        else if (account->rule == KT_RULE_NOT_POSITIVE) kt_sql_text(out, KT_STR("not-positive"));
        break;
    case OPEN_FROM: kt_sql_day(out, account->open_from); break;
    case CLOSED_FROM: kt_sql_day(out, account->closed_from); break;
    case ID: kt_sql_number(out, account->id); break;
    case RECORD: kt_sql_number(out, account->record); break;
    default: break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_accounts_table = {.name = "accounts",
                                            .about = "the chart of accounts, by code",
                                            .columns = account_columns,
                                            .order = {CODE, -1},
                                            .state = sizeof(account_state),
                                            .rows = account_rows,
                                            .filter = account_filter,
                                            .next = kt_sql_list_next,
                                            .cell = account_cell,
                                            .row_id = account_row_id,
                                            .release = kt_sql_list_release};

/* ---- currencies ---- */

static const kt_sql_column currency_columns[] = {
    {"code", "TEXT", KT_SQL_PLAIN, NULL},
    {"decimals", "INTEGER", KT_SQL_PLAIN, "of an amount"},
    {"declared", "INTEGER", KT_SQL_PLAIN, "1: on record"},
    {"posted", "INTEGER", KT_SQL_PLAIN, "1: something is posted in it"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static kt_code currency_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    kt_currency *rows;
    size_t count;
    (void)bounds;
    kt_code code = kt_view_currencies(cursor->sql->view, &rows, &count, error);
    if (code == KT_OK) kt_sql_list_set(cursor, rows, count, free);
    return code;
}

static kt_code currency_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_sql_list *list = cursor->state;
    const kt_currency *currency = (const kt_currency *)list->rows + list->at;
    (void)error;
    switch (column) {
    case 0: kt_sql_text(out, currency->code); break;
    case 1: kt_sql_number(out, currency->decimals); break;
    case 2: kt_sql_number(out, currency->declared); break;
    default: kt_sql_number(out, currency->posted); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_currencies_table = {.name = "currencies",
                                              .about = "currencies and commodities on record",
                                              .columns = currency_columns,
                                              .order = {-1, -1},
                                              .state = sizeof(kt_sql_list),
                                              .rows = kt_sql_few,
                                              .filter = currency_filter,
                                              .next = kt_sql_list_next,
                                              .cell = currency_cell,
                                              .row_id = kt_sql_list_row_id,
                                              .release = kt_sql_list_release};

/* ---- periods ---- */

static const kt_sql_column period_columns[] = {
    {"month", "TEXT", KT_SQL_PLAIN, "2026-03"},
    {"closed", "INTEGER", KT_SQL_PLAIN, "1: takes no posting"},
    {"record", "INTEGER", KT_SQL_PLAIN, "that closed or reopened it last"},
    {"reason", "TEXT", KT_SQL_PLAIN, "of the last reopening"},
    {"recorded", "TEXT", KT_SQL_PLAIN, "when it was closed or reopened, UTC"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static kt_code period_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    kt_period *rows;
    size_t count;
    (void)bounds;
    kt_code code = kt_view_periods(cursor->sql->view, &rows, &count, error);
    if (code == KT_OK) kt_sql_list_set(cursor, rows, count, free);
    return code;
}

static kt_code period_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_sql_list *list = cursor->state;
    const kt_period *period = (const kt_period *)list->rows + list->at;
    char text[KT_DAY_TEXT];
    (void)error;
    switch (column) {
    case 0: kt_sql_text(out, (kt_str){kt_day_format(kt_month_first(period->month), text), 7}); break;
    case 1: kt_sql_number(out, period->closed); break;
    case 2: kt_sql_reference(out, period->record); break;
    case 3: kt_sql_text(out, period->reason); break;
    default: kt_sql_time(out, period->recorded_us); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_periods = {.name = "periods",
                                     .about = "months from the first posting or closing to the last",
                                     .columns = period_columns,
                                     .order = {0, -1},
                                     .state = sizeof(kt_sql_list),
                                     .rows = kt_sql_few,
                                     .filter = period_filter,
                                     .next = kt_sql_list_next,
                                     .cell = period_cell,
                                     .row_id = kt_sql_list_row_id,
                                     .release = kt_sql_list_release};

/* ---- the company: one row ---- */

static const kt_sql_column company_columns[] = {
    {"entity", "TEXT", KT_SQL_PLAIN, "legal name"},
    {"currency", "TEXT", KT_SQL_PLAIN, "the book's"},
    {"fiscal_month", "INTEGER", KT_SQL_PLAIN, "in which the fiscal year begins"},
    {"fiscal_day", "INTEGER", KT_SQL_PLAIN, "and its day"},
    {"time_zone", "TEXT", KT_SQL_PLAIN, NULL},
    {"company_number", "TEXT", KT_SQL_PLAIN, NULL},
    {"vat_number", "TEXT", KT_SQL_PLAIN, NULL},
    {"address", "TEXT", KT_SQL_PLAIN, NULL},
    {"calendar", "TEXT", KT_SQL_PLAIN, NULL},
    {"origin", "TEXT", KT_SQL_PLAIN, "the log's name"},
    {"verifier", "TEXT", KT_SQL_PLAIN, "the log's key, as a vkey"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

typedef struct company_state {
    kt_sql_list list;
    kt_company company;
} company_state;

static kt_code company_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    company_state *self = cursor->state;
    (void)bounds;
    kt_code code = kt_view_company(cursor->sql->view, KT_DAY_MAX, &self->company, error);
    kt_sql_list_set(cursor, &self->company, code == KT_OK, NULL);
    return code == KT_NOT_FOUND ? KT_OK : code;
}

static kt_code company_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_company *company = &((const company_state *)cursor->state)->company;
    (void)error;
    switch (column) {
    case 0: kt_sql_text(out, company->entity); break;
    case 1: kt_sql_text(out, company->currency); break;
    case 2: kt_sql_number(out, company->fiscal_month); break;
    case 3: kt_sql_number(out, company->fiscal_day); break;
    case 4: kt_sql_text(out, company->time_zone); break;
    case 5: kt_sql_text(out, company->company_number); break;
    case 6: kt_sql_text(out, company->vat_number); break;
    case 7: kt_sql_text(out, company->address); break;
    case 8: kt_sql_text(out, company->calendar); break;
    case 9: kt_sql_text(out, kt_str_from(kt_book_origin(cursor->sql->book))); break;
    default: kt_sql_text(out, kt_str_from(kt_book_verifier(cursor->sql->book))); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_company = {.name = "company",
                                     .about = "whose book this is, by the newest facts",
                                     .columns = company_columns,
                                     .order = {-1, -1},
                                     .state = sizeof(company_state),
                                     .rows = kt_sql_few,
                                     .filter = company_filter,
                                     .next = kt_sql_list_next,
                                     .cell = company_cell,
                                     .row_id = kt_sql_list_row_id,
                                     .release = kt_sql_list_release};
