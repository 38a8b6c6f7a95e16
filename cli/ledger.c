#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"

enum { ROW, DATE, ENTRY, LINE, SERIES, VOUCHER, TEXT, REF, CURRENCY, DEBIT, CREDIT, AMOUNT, BALANCE, COUNT };

static const kt_column all_columns[COUNT] = {
    [ROW] = {"row", NULL, KT_CELL_TEXT, false},
    [DATE] = {"date", "date", KT_CELL_TEXT, false},
    [ENTRY] = {"number", "entry", KT_CELL_NUMBER, false},
    [LINE] = {"line", NULL, KT_CELL_NUMBER, false},
    [SERIES] = {"series", NULL, KT_CELL_TEXT, false},
    [VOUCHER] = {"voucher", "voucher", KT_CELL_TEXT, false},
    [TEXT] = {"text", "text", KT_CELL_PROSE, false},
    [REF] = {"ref", NULL, KT_CELL_TEXT, false},
    [CURRENCY] = {"currency", NULL, KT_CELL_TEXT, false},
    [DEBIT] = {"debit", "debit", KT_CELL_AMOUNT, false},
    [CREDIT] = {"credit", "credit", KT_CELL_AMOUNT, false},
    [AMOUNT] = {"amount", NULL, KT_CELL_AMOUNT, false},
    [BALANCE] = {"balance", "balance", KT_CELL_AMOUNT, false},
};

/* What one currency of the account comes to. */
typedef struct closing {
    kt_str currency;
    uint8_t decimals;
    kt_amount debit, credit, balance;
} closing;

typedef struct closings {
    closing *rows;
    size_t count;
} closings;

static closing *closing_of(closings *all, kt_str currency, uint8_t decimals) {
    for (size_t i = 0; i < all->count; i++)
        if (kt_str_equal(all->rows[i].currency, currency)) return &all->rows[i];
    closing *rows = realloc(all->rows, (all->count + 1) * sizeof(*rows));
    if (rows == NULL) return NULL;
    all->rows = rows;
    rows[all->count] = (closing){.currency = currency, .decimals = decimals};
    return &rows[all->count++];
}

static kt_code sum_up(const kt_statement *statement, kt_str book_currency, closings *out, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; code == KT_OK && i < statement->opening_count; i++) {
        const kt_opening *opening = &statement->openings[i];
        closing *at = closing_of(out, opening->currency, opening->decimals);
        if (at == NULL) return kt_fail(error, KT_MEMORY, "no memory");
        at->balance = opening->balance;
    }
    for (size_t i = 0; code == KT_OK && i < statement->posting_count; i++) {
        const kt_posting *posting = &statement->postings[i];
        closing *at = closing_of(out, posting->currency.size == 0 ? book_currency : posting->currency,
                                 posting->decimals);
        if (at == NULL) return kt_fail(error, KT_MEMORY, "no memory");
        at->balance = posting->running;
        bool debit = (posting->amount >= 0) != posting->minus;
        code = kt_show_add(debit ? &at->debit : &at->credit, debit ? posting->amount : -posting->amount, error);
    }
    return code;
}

static kt_code print_openings(kt_out *out, const kt_statement *statement, kt_day from, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; code == KT_OK && i < statement->opening_count; i++) {
        const kt_opening *opening = &statement->openings[i];
        kt_out_words(out, ROW, "opening");
        kt_out_day(out, DATE, from);
        kt_out_words(out, TEXT, "Opening balance");
        kt_out_text(out, CURRENCY, opening->currency);
        kt_out_amount(out, BALANCE, opening->balance, opening->decimals);
        code = kt_out_row(out, error);
    }
    return code;
}

static kt_code print_posting(kt_out *out, const kt_posting *posting, kt_str book_currency, kt_error *error) {
    kt_out_words(out, ROW, "posting");
    kt_out_day(out, DATE, posting->date);
    kt_out_count(out, ENTRY, posting->number);
    kt_out_count(out, LINE, posting->line);
    kt_out_text(out, SERIES, posting->series);
    kt_out_text(out, VOUCHER, posting->voucher);
    kt_out_text(out, TEXT, posting->text);
    kt_out_text(out, REF, posting->ref);
    kt_out_text(out, CURRENCY, posting->currency.size == 0 ? book_currency : posting->currency);
    kt_show_sides(out, DEBIT, CREDIT, posting->amount, posting->minus, posting->decimals);
    kt_out_amount(out, AMOUNT, posting->amount, posting->decimals);
    kt_out_amount(out, BALANCE, posting->running, posting->decimals);
    return kt_out_row(out, error);
}

static kt_code print_closings(kt_out *out, const closings *all, kt_day to, kt_error *error) {
    kt_code code = kt_out_rule(out, error);
    for (size_t i = 0; code == KT_OK && i < all->count; i++) {
        const closing *at = &all->rows[i];
        kt_out_words(out, ROW, "closing");
        kt_out_day(out, DATE, to);
        kt_out_words(out, TEXT, "Closing balance");
        kt_out_text(out, CURRENCY, at->currency);
        kt_out_amount(out, DEBIT, at->debit, at->decimals);
        kt_out_amount(out, CREDIT, at->credit, at->decimals);
        kt_out_amount(out, BALANCE, at->balance, at->decimals);
        code = kt_out_style(out) == KT_STYLE_TABLE ? kt_out_row_people(out, true, error) : kt_out_row(out, error);
    }
    return code;
}

static kt_code print(const kt_reading *reading, const kt_statement *statement, kt_day from, kt_day to,
                     kt_error *error) {
    kt_column columns[COUNT];
    kt_str own = reading->company.currency;
    closings all = {0};
    kt_out *out = NULL;
    memcpy(columns, all_columns, sizeof(columns));
    kt_code code = sum_up(statement, own, &all, error);
    for (size_t i = 0; i < all.count; i++)
        if (!kt_str_equal(all.rows[i].currency, own)) columns[CURRENCY].head = "cur";
    for (size_t i = 0; i < statement->posting_count; i++) {
        if (statement->postings[i].series.size > 0) columns[SERIES].head = "series";
        if (statement->postings[i].ref.size > 0) columns[REF].head = "ref";
    }
    if (code == KT_OK) code = kt_out_open(reading->style, columns, COUNT, false, &out, error);
    if (code == KT_OK) code = print_openings(out, statement, from, error);
    for (size_t i = 0; code == KT_OK && i < statement->posting_count; i++)
        code = print_posting(out, &statement->postings[i], own, error);
    if (code == KT_OK && all.count > 0) code = print_closings(out, &all, to, error);
    kt_code closed = kt_out_close(out, error);
    if (all.count == 0)
        kt_say(reading->style,
               from == KT_DAY_NONE && to == KT_DAY_NONE ? "no postings\n" : "no postings in this time\n");
    free(all.rows);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_statement *statement = NULL;
    kt_account account;
    kt_day from, to;
    char title[KT_ACCOUNT_CODE_MAX + KT_NAME_MAX + 16];
    kt_code code = kt_option_range(arguments, &from, &to, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_account(reading.view, kt_str_from(arguments->words[0]), &account, error);
    if (code == KT_OK) code = kt_statement_read(reading.view, account.code, from, to, &statement, error);
    if (code == KT_OK) {
        (void)snprintf(title, sizeof(title), "account %.*s%s%.*s", (int)account.code.size, account.code.data,
                       account.name.size == 0 ? "" : " ", (int)account.name.size,
                       account.name.size == 0 ? "" : account.name.data);
        kt_show_title(&reading, title, from, to);
        code = print(&reading, statement, from, to, error);
    }
    if (code == KT_OK && account.type == KT_UNCLASSIFIED) kt_show_warn_unclassified(reading.style, 1, account.code);
    kt_statement_free(statement);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"from", "DATE", "from that day, inclusive; what was before is the opening balance", NULL, false, false},
    {"to", "DATE", "to that day, inclusive", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_ledger = {
    .name = "ledger",
    .words = "ACCOUNT",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "statement of an account with its running balance",
    .options = options,
    .example = "kontor ledger 5820 --from 2026-03 --to 2026-03",
    .run = run,
};
