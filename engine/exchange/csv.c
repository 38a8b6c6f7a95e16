/*
 * csv: kt_format_csv, the house's own table of postings. Columns by name in any order, case and blanks around the
 * names aside:
 *
 *   date, voucher, account, and amount (a debit above zero, a credit below) or debit and credit;
 *   optional: currency, text, series, cost_centre, department, project, ref, tax_code.
 *
 * An entry is one (date, series, voucher); its lines stand together. Lines without a voucher: those that follow each
 * other with the same date and series are one entry until they sum to zero in every currency (two lines at the
 * least); what is still off when the date or the series changes is an entry too, for the book to refuse.
 * Of debit and credit one may be left empty, and one of them must be zero or empty.
 */
#include "engine/exchange/table.h"
#include "engine/exchange/text.h"

enum {
    DATE,
    VOUCHER,
    ACCOUNT,
    AMOUNT,
    DEBIT,
    CREDIT,
    CURRENCY,
    TEXT,
    SERIES,
    COST_CENTRE,
    DEPARTMENT,
    PROJECT,
    REF,
    TAX_CODE /* from COST_CENTRE on: seldom there */
};

static const kt_column columns[] = {
    {"date", DATE},
    {"voucher", VOUCHER},
    {"account", ACCOUNT},
    {"amount", AMOUNT},
    {"debit", DEBIT},
    {"credit", CREDIT},
    {"currency", CURRENCY},
    {"text", TEXT},
    {"series", SERIES},
    {"cost_centre", COST_CENTRE},
    {"department", DEPARTMENT},
    {"project", PROJECT},
    {"ref", REF},
    {"tax_code", TAX_CODE},
    {NULL, 0},
};

static kt_code check(const kt_table *table, kt_error *error) {
    const char *name = table->source->name;
    for (unsigned role = DATE; role <= ACCOUNT; role++)
        if (!kt_table_has(table, role))
            return kt_fail(
                error, KT_INVALID,
                "%s:1: the header row has no column '%s'; expected date, voucher, account, and amount or debit "
                "and credit",
                name, columns[role].name);
    bool amount = kt_table_has(table, AMOUNT), debit = kt_table_has(table, DEBIT), credit = kt_table_has(table, CREDIT);
    if (amount && (debit || credit))
        return kt_fail(error, KT_INVALID,
                       "%s:1: the header row has both 'amount' and '%s'; expected one of the two ways", name,
                       debit ? "debit" : "credit");
    if (!amount && debit != credit)
        return kt_fail(error, KT_INVALID, "%s:1: the header row has '%s' but no column '%s'", name,
                       debit ? "debit" : "credit", debit ? "credit" : "debit");
    if (!amount && !debit)
        return kt_fail(error, KT_INVALID, "%s:1: the header row has no column 'amount', nor 'debit' and 'credit'",
                       name);
    return KT_OK;
}

static void key_of(kt_table *table, const kt_row *row, kt_table_key *key) {
    *key = (kt_table_key){.day = KT_DAY_NONE};
    if (row->count < table->key_columns) return;
    key->known = true;
    key->series = kt_table_value(table, row, SERIES);
    key->voucher = kt_table_value(table, row, VOUCHER);
    if (!kt_table_day(table, kt_table_value(table, row, DATE), &key->day)) key->day = KT_DAY_NONE;
}

static kt_code two_columns(kt_table *table, const kt_row *row, kt_line *line, kt_error *error) {
    kt_str debit = kt_table_value(table, row, DEBIT), credit = kt_table_value(table, row, CREDIT);
    if (!debit.size && !credit.size)
        return kt_fail(error, KT_INVALID, "%s:%zu: debit and credit are both empty; expected a number in one of them",
                       table->source->name, row->line);
    kt_amount d = 0, c = 0;
    uint8_t d_decimals = 0, c_decimals = 0;
    kt_code code = KT_OK;
    if (debit.size) code = kt_table_number(table, row, DEBIT, "debit", &d, &d_decimals, error);
    if (code == KT_OK && credit.size) code = kt_table_number(table, row, CREDIT, "credit", &c, &c_decimals, error);
    if (code != KT_OK) return code;
    char shown[2][KT_SHOWN];
    if (d != 0 && c != 0)
        return kt_fail(error, KT_INVALID, "%s:%zu: debit %s and credit %s on one line; expected one of them",
                       table->source->name, row->line, kt_text_show_figure(debit, shown[0]),
                       kt_text_show_figure(credit, shown[1]));
    bool is_credit = c != 0 || !debit.size;
    line->amount = is_credit ? -c : d;
    line->amount_given = KT_AS_WRITTEN(is_credit ? c_decimals : d_decimals);
    return KT_OK;
}

static kt_code read_amount(kt_table *table, const kt_row *row, kt_line *line, kt_error *error) {
    if (!kt_table_has(table, AMOUNT)) return two_columns(table, row, line, error);
    uint8_t decimals;
    kt_code code = kt_table_number(table, row, AMOUNT, "amount", &line->amount, &decimals, error);
    if (code == KT_OK) line->amount_given = KT_AS_WRITTEN(decimals);
    return code;
}

/* What few files have. */
static kt_code other_columns(kt_table *table, const kt_row *row, kt_line *line) {
    static const uint8_t roles[] = {COST_CENTRE, DEPARTMENT, PROJECT};
    static const uint8_t dimensions[] = {KT_DIMENSION_COST_CENTRE, KT_DIMENSION_DEPARTMENT, KT_DIMENSION_PROJECT};
    line->ref = kt_table_value(table, row, REF);
    line->tax_code = kt_table_value(table, row, TAX_CODE);
    for (size_t i = 0; i < 3; i++)
        if (kt_gather_dimension(&table->gather, dimensions[i], kt_table_value(table, row, roles[i])) != KT_OK)
            return KT_MEMORY;
    return KT_OK;
}

static kt_code no_date(const kt_table *table, const kt_row *row, kt_str date, kt_error *error) {
    char shown[KT_SHOWN];
    return kt_fail(error, KT_INVALID, "%s:%zu: date %s is no date; expected %s", table->source->name, row->line,
                   date.size ? kt_text_show_figure(date, shown) : "(empty)",
                   table->options.date_format ? table->options.date_format : "YYYY-MM-DD, or give --date-format");
}

static kt_code line_of(kt_table *table, const kt_row *row, const kt_table_key *key, kt_line *line, kt_error *error) {
    line->account = kt_table_value(table, row, ACCOUNT);
    line->currency = kt_table_value(table, row, CURRENCY);
    if (kt_table_has(table, TEXT)) line->text = row->fields[table->column[TEXT]];
    if (table->present >> COST_CENTRE && other_columns(table, row, line) != KT_OK) return KT_MEMORY;
    kt_code code = read_amount(table, row, line, error); /* first, for the control totals of a bad entry */
    if (key->day == KT_DAY_NONE) return no_date(table, row, kt_table_value(table, row, DATE), error);
    if (code == KT_OK && line->account.size == 0)
        code = kt_fail(error, KT_INVALID, "%s:%zu: account is empty", table->source->name, row->line);
    return code;
}

static const kt_layout layout = {
    .name = "csv",
    .columns = columns,
    .key_roles = 1u << DATE | 1u << VOUCHER | 1u << SERIES,
    .day_in_key = true,
    .ends_balanced = true,
    .check = check,
    .key = key_of,
    .line = line_of,
};

static kt_code csv_open(const kt_source *source, const kt_format_options *options, void **reader, kt_error *error) {
    return kt_table_open(&layout, source, options, reader, error);
}

static const char *const suffixes[] = {".csv", NULL};

const kt_format kt_format_csv = {"csv", suffixes, csv_open, kt_table_next, kt_table_close, kt_table_preamble, NULL};
