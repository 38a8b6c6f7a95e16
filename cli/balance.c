#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/depth.h"
#include "cli/show.h"

/* On a terminal of fewer columns names are worth more than types. */
#define NARROW 100

enum { ACCOUNT, NAME, TYPE, GROUP, CURRENCY, DEBIT, CREDIT, BALANCE, BOOK_DEBIT, BOOK_CREDIT, BOOK_BALANCE, COUNT };

static const kt_column all_columns[COUNT] = {
    [ACCOUNT] = {"account", "account", KT_CELL_TEXT, false},
    [NAME] = {"name", "name", KT_CELL_PROSE, false},
    [TYPE] = {"type", "type", KT_CELL_TEXT, false},
    [GROUP] = {"group", "group", KT_CELL_TEXT, false},
    [CURRENCY] = {"currency", "cur", KT_CELL_TEXT, false},
    [DEBIT] = {"debit", "debit", KT_CELL_AMOUNT, false},
    [CREDIT] = {"credit", "credit", KT_CELL_AMOUNT, false},
    [BALANCE] = {"balance", "balance", KT_CELL_AMOUNT, false},
    [BOOK_DEBIT] = {"book_debit", NULL, KT_CELL_AMOUNT, false},
    [BOOK_CREDIT] = {"book_credit", NULL, KT_CELL_AMOUNT, false},
    [BOOK_BALANCE] = {"book_balance", NULL, KT_CELL_AMOUNT, false},
};

typedef struct request {
    kt_balance_query query;
    const char *by;
    uint64_t depth;
} request;

static kt_code read_request(const kt_arguments *arguments, request *out, kt_error *error) {
    static const struct {
        const char *name;
        kt_by by;
    } groups[] = {{"month", KT_BY_MONTH},
                  {"cost_centre", KT_BY_COST_CENTRE},
                  {"department", KT_BY_DEPARTMENT},
                  {"project", KT_BY_PROJECT}};
    const char *depth = kt_given_value(arguments, "depth");
    kt_day at;
    *out = (request){.by = kt_given_value(arguments, "by")};
    kt_code code = kt_option_range(arguments, &out->query.from, &out->query.to, error);
    if (code == KT_OK) code = kt_option_until(arguments, "at", &at, error);
    if (code == KT_OK && at != KT_DAY_NONE) {
        if (out->query.from != KT_DAY_NONE || out->query.to != KT_DAY_NONE)
            code = kt_fail(error, KT_USAGE, "--at is one day; --from and --to are a range: give either");
        out->query.to = at;
    }
    for (size_t i = 0; out->by != NULL && i < sizeof(groups) / sizeof(*groups); i++)
        if (strcmp(out->by, groups[i].name) == 0) out->query.by = groups[i].by;
    if (code == KT_OK && depth != NULL) {
        code = kt_word_number(depth, "levels", &out->depth, error);
        if (code == KT_OK && (out->depth == 0 || out->depth > 64))
            code = kt_fail(error, KT_USAGE, "--depth %.20s: expected 1 to 64", depth);
    }
    return code;
}

static bool any_foreign(const kt_reading *reading, const kt_balance *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!kt_str_equal(rows[i].currency, reading->company.currency)) return true;
    return false;
}

static void row_cells(kt_out *out, const kt_balance *row) {
    kt_out_text(out, ACCOUNT, row->account);
    kt_out_text(out, NAME, row->name);
    kt_out_words(out, TYPE, kt_account_type_name(row->type));
    kt_out_text(out, GROUP, row->group);
    kt_out_text(out, CURRENCY, row->currency);
    kt_out_amount(out, DEBIT, row->debit, row->decimals);
    kt_out_amount(out, CREDIT, row->credit, row->decimals);
    kt_out_amount(out, BALANCE, row->balance, row->decimals);
    if (row->unvalued < row->lines || row->lines == 0) {
        kt_out_amount(out, BOOK_DEBIT, row->book_debit, row->book_decimals);
        kt_out_amount(out, BOOK_CREDIT, row->book_credit, row->book_decimals);
        kt_out_amount(out, BOOK_BALANCE, row->book_balance, row->book_decimals);
    }
}

/* What rows come to in the book's currency: all of them, or those of one group. */
typedef struct total {
    kt_str group;
    kt_amount debit, credit, balance;
} total;

static kt_code add(total *to, const kt_balance *row, kt_error *error) {
    kt_code code = kt_show_add(&to->debit, row->book_debit, error);
    if (code == KT_OK) code = kt_show_add(&to->credit, row->book_credit, error);
    if (code == KT_OK) code = kt_show_add(&to->balance, row->book_balance, error);
    return code;
}

static kt_code total_row(const kt_reading *reading, kt_out *out, const total *sum, bool foreign, bool grand,
                         kt_error *error) {
    kt_out_words(out, ACCOUNT, "total");
    if (!grand) kt_out_text(out, GROUP, sum->group.size == 0 ? KT_STR("(none)") : sum->group);
    kt_out_amount(out, foreign ? BOOK_DEBIT : DEBIT, sum->debit, reading->decimals);
    kt_out_amount(out, foreign ? BOOK_CREDIT : CREDIT, sum->credit, reading->decimals);
    kt_out_amount(out, foreign ? BOOK_BALANCE : BALANCE, sum->balance, reading->decimals);
    return kt_out_row_people(out, grand, error);
}

static int by_group(const void *left, const void *right) {
    const kt_str *a = &(*(const kt_balance *const *)left)->group, *b = &(*(const kt_balance *const *)right)->group;
    size_t least = a->size < b->size ? a->size : b->size;
    int order = least == 0 ? 0 : memcmp(a->data, b->data, least);
    return order != 0 ? order : a->size < b->size ? -1 : a->size > b->size;
}

/* A row for each month, department ...: what a table ordered by account does not let one see. */
static kt_code print_groups(const kt_reading *reading, kt_out *out, const kt_balance *rows, size_t count, bool foreign,
                            kt_error *error) {
    const kt_balance **order = malloc(count * sizeof(*order));
    kt_code code = KT_OK;
    if (order == NULL) return kt_fail(error, KT_MEMORY, "no memory for %zu rows", count);
    for (size_t i = 0; i < count; i++) order[i] = &rows[i];
    qsort(order, count, sizeof(*order), by_group);
    for (size_t i = 0; code == KT_OK && i < count;) {
        total sum = {.group = order[i]->group};
        for (; code == KT_OK && i < count && kt_str_equal(order[i]->group, sum.group); i++)
            code = add(&sum, order[i], error);
        if (code == KT_OK) code = total_row(reading, out, &sum, foreign, false, error);
    }
    free(order);
    return code == KT_OK ? kt_out_rule(out, error) : code;
}

static kt_code print_rows(const kt_reading *reading, kt_out *out, const kt_balance *rows, size_t count, bool foreign,
                          bool grouped, kt_error *error) {
    total sum = {0};
    kt_code code = KT_OK;
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        row_cells(out, &rows[i]);
        code = kt_out_row(out, error);
        if (code == KT_OK) code = add(&sum, &rows[i], error);
    }
    if (code != KT_OK || count == 0 || kt_out_style(out) != KT_STYLE_TABLE) return code;
    code = kt_out_rule(out, error);
    if (code == KT_OK && grouped) code = print_groups(reading, out, rows, count, foreign, error);
    return code == KT_OK ? total_row(reading, out, &sum, foreign, true, error) : code;
}

static kt_code print(const kt_reading *reading, const request *asked, const kt_balance *rows, size_t count,
                     kt_error *error) {
    kt_column columns[COUNT];
    char heads[3][KT_CURRENCY_CODE_MAX + 16];
    bool foreign = any_foreign(reading, rows, count);
    memcpy(columns, all_columns, sizeof(columns));
    columns[GROUP].off = asked->query.by == KT_BY_NOTHING;
    columns[GROUP].head = asked->query.by == KT_BY_COST_CENTRE ? "cost centre" : asked->by;
    if (!foreign) columns[CURRENCY].head = NULL; /* the title says it */
    if (kt_terminal_columns() != 0 && kt_terminal_columns() < NARROW) columns[TYPE].head = NULL;
    for (size_t i = 0; i < 3; i++) {
        static const char *const sides[] = {"debit", "credit", "balance"};
        (void)snprintf(heads[i], sizeof(heads[i]), "%s %.*s", sides[i], (int)reading->company.currency.size,
                       reading->company.currency.data);
        columns[BOOK_DEBIT + i].head = heads[i];
        columns[BOOK_DEBIT + i].off = !foreign;
    }
    kt_out *out;
    kt_show_title(reading, "trial balance", asked->query.from, asked->query.to);
    kt_code code = kt_out_open(reading->style, columns, COUNT, false, &out, error);
    if (code == KT_OK) code = print_rows(reading, out, rows, count, foreign, asked->query.by != KT_BY_NOTHING, error);
    kt_code closed = kt_out_close(out, error);
    if (count == 0)
        kt_say(reading->style, asked->query.from == KT_DAY_NONE && asked->query.to == KT_DAY_NONE
                                   ? "no postings\n"
                                   : "no postings in this time\n");
    return code != KT_OK ? code : closed;
}

static void warn(const kt_reading *reading, const kt_balance *rows, size_t count) {
    size_t unclassified = 0;
    uint64_t unvalued = 0;
    kt_str last = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        unvalued += rows[i].unvalued;
        if (rows[i].type == KT_UNCLASSIFIED && !kt_str_equal(rows[i].account, last)) {
            unclassified++;
            last = rows[i].account;
        }
    }
    kt_show_warn_unclassified(reading->style, unclassified, last);
    kt_show_warn_unvalued(reading, unvalued);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_balance *rows = NULL, *folded = NULL;
    size_t count = 0, shown = 0;
    request asked;
    kt_code code = read_request(arguments, &asked, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_balances(reading.view, &asked.query, &rows, &count, error);
    if (code == KT_OK && asked.depth > 0 && count > 0) {
        /* Folded in a copy: the warnings are about the accounts themselves. */
        folded = malloc(count * sizeof(*rows));
        if (folded == NULL) code = kt_fail(error, KT_MEMORY, "no memory for %zu accounts", count);
        else memcpy(folded, rows, count * sizeof(*rows));
        shown = count;
        if (code == KT_OK) code = kt_depth_fold(reading.view, folded, &shown, (size_t)asked.depth, error);
    }
    if (code == KT_OK)
        code = print(&reading, &asked, folded == NULL ? rows : folded, folded == NULL ? count : shown, error);
    if (code == KT_OK) warn(&reading, rows, count);
    free(folded);
    free(rows);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"at", "DATE", "everything up to and with that day", NULL, false, false},
    {"from", "DATE", "from that day, inclusive", NULL, false, false},
    {"to", "DATE", "to that day, inclusive", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time, as 2026-04-01T12:00:00Z", NULL, false, false},
    {"by", "GROUP", "month, cost_centre, department or project", "month cost_centre department project", false, false},
    {"depth", "N", "fold the accounts to N levels, by ':' or by parents", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_balance = {
    .name = "balance",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "trial balance",
    .about =
        "Debit and credit are the turnovers of the range, balance is debit minus credit. Dates may be 2026-03-31,\n"
        "2026-03 or 2026, and are inclusive. For people a terminal of less than 100 columns leaves the type out.",
    .options = options,
    .example = "kontor balance --from 2026-01 --to 2026-03 --by month",
    .run = run,
};
