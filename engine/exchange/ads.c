/*
 * ads: kt_format_ads, GL_Detail of the AICPA's Audit Data Standards (General Ledger Standard, July 2015): one row a
 * line of a journal entry, names of columns in any order, case, blanks and underscores in them aside.
 *
 *   needed: Journal_ID, GL_Account_Number, one of the dates, and an amount: Amount with
 *   Amount_Credit_Debit_Indicator (D or S debit, C or H credit; without that column the amount's sign says it), or
 *   Debit_Amount and Credit_Amount; where there is no Amount, Functional_Amount.
 *
 * An entry is the rows of one Journal_ID, standing together. It gets
 *   voucher   Journal_ID
 *   date      of its first row: Effective_Date, which the standard makes the accounting date; where that is empty or
 *             the filler 19000101, Document_Date, then Entered_Date. The other rows' dates do not count: they are
 *             due dates and the like in the files seen, and an entry has one date.
 *   text      JE_Header_Description; a line's is JE_Line_Description
 *   ref       Reference_Number, where there is one
 * and each line its Amount_Currency. Where Functional_Amount differs in currency, it is the line's cost; a line of no
 * amount but a functional one (a revaluation) is posted in the functional currency.
 * Business_Unit_Code becomes the department, Segment01 to Segment08 the user's own dimensions 4 to 11.
 * Not kept: who entered, approved or changed an entry (law 9: personal data is no entry's business), the source
 * system's codes, Fiscal_Year and Period (they follow from the date). The standard lets a system add columns of its
 * own, so other names are passed over.
 * Without --encoding the text is UTF-8 where the whole file is, else ISO-8859-1.
 */
#include "engine/exchange/table.h"
#include "engine/exchange/text.h"

enum {
    JOURNAL,
    ACCOUNT,
    AMOUNT,
    INDICATOR,
    CURRENCY,
    DEBIT,
    CREDIT,
    FUNCTIONAL,
    FUNCTIONAL_CURRENCY,
    EFFECTIVE,
    DOCUMENT,
    ENTERED,
    HEADER_TEXT,
    LINE_TEXT,
    REFERENCE,
    UNIT,
    SEGMENT,
    NONE = KT_ROLE_IGNORED
};

static const kt_column columns[] = {
    {"journalid", JOURNAL},
    {"glaccountnumber", ACCOUNT},
    {"amount", AMOUNT},
    {"netamount", AMOUNT},
    {"amountcreditdebitindicator", INDICATOR},
    {"amountcurrency", CURRENCY},
    {"debitamount", DEBIT},
    {"creditamount", CREDIT},
    {"functionalamount", FUNCTIONAL},
    {"functionalcurrencycode", FUNCTIONAL_CURRENCY},
    {"effectivedate", EFFECTIVE},
    {"documentdate", DOCUMENT},
    {"entereddate", ENTERED},
    {"jeheaderdescription", HEADER_TEXT},
    {"jelinedescription", LINE_TEXT},
    {"referencenumber", REFERENCE},
    {"businessunitcode", UNIT},
    {"segment01", SEGMENT},
    {"segment02", SEGMENT + 1},
    {"segment03", SEGMENT + 2},
    {"segment04", SEGMENT + 3},
    {"segment05", SEGMENT + 4},
    {"segment06", SEGMENT + 5},
    {"segment07", SEGMENT + 6},
    {"segment08", SEGMENT + 7},
    {"journalidlinenumber", NONE},
    {"source", NONE},
    {"fiscalyear", NONE},
    {"period", NONE},
    {"enteredby", NONE},
    {"enteredtime", NONE},
    {"approvedby", NONE},
    {"approveddate", NONE},
    {"lastmodifiedby", NONE},
    {"lastmodifieddate", NONE},
    {NULL, 0},
};

static kt_code check(const kt_table *table, kt_error *error) {
    const char *name = table->source->name, *missing = NULL;
    bool two = kt_table_has(table, DEBIT) && kt_table_has(table, CREDIT);
    bool dated = kt_table_has(table, EFFECTIVE) || kt_table_has(table, DOCUMENT) || kt_table_has(table, ENTERED);
    if (!kt_table_has(table, JOURNAL)) missing = "Journal_ID";
    else if (!kt_table_has(table, ACCOUNT)) missing = "GL_Account_Number";
    else if (!dated) missing = "Effective_Date";
    else if (!two && !kt_table_has(table, AMOUNT) && !kt_table_has(table, FUNCTIONAL)) missing = "Amount";
    if (missing)
        return kt_fail(error, KT_INVALID,
                       "%s:1: the header row has no column '%s'; GL_Detail has Journal_ID, GL_Account_Number, "
                       "Effective_Date, Amount, Amount_Credit_Debit_Indicator, Amount_Currency and others",
                       name, missing);
    if (two && kt_table_has(table, AMOUNT))
        return kt_fail(error, KT_INVALID,
                       "%s:1: the header row has both Amount and Debit_Amount; expected one of the two ways", name);
    return KT_OK;
}

static void key_of(kt_table *table, const kt_row *row, kt_table_key *key) {
    *key = (kt_table_key){.day = KT_DAY_NONE};
    key->known = row->count >= table->key_columns;
    key->voucher = kt_table_value(table, row, JOURNAL);
}

static bool same_word(kt_str text, const char *word) {
    size_t i = 0;
    for (; i < text.size && word[i]; i++) {
        char c = text.data[i];
        if ((c >= 'a' && c <= 'z' ? (char)(c - 32) : c) != word[i]) return false;
    }
    return i == text.size && !word[i];
}

/* 1 debit, -1 credit, 0 neither. */
static int side_of(kt_str indicator) {
    static const char *const debit[] = {"S", "D", "DR", "DEBIT", "SOLL"}, *const credit[] = {"H", "C", "CR", "CREDIT",
                                                                                             "HABEN"};
    for (size_t i = 0; i < sizeof debit / sizeof debit[0]; i++) {
        if (same_word(indicator, debit[i])) return 1;
        if (same_word(indicator, credit[i])) return -1;
    }
    return 0;
}

/* The first of the three dates that is one. 19000101 and 00000000 are what systems write for none. */
static kt_code read_date(kt_table *table, const kt_row *row, kt_day *day, kt_error *error) {
    static const uint8_t roles[] = {EFFECTIVE, DOCUMENT, ENTERED};
    static const char *const names[] = {"Effective_Date", "Document_Date", "Entered_Date"};
    kt_day filler = 0;
    kt_day_from_civil(1900, 1, 1, &filler);
    for (size_t i = 0; i < 3; i++) {
        kt_str text = kt_table_value(table, row, roles[i]);
        if (text.size == 0 || same_word(text, "00000000")) continue;
        char shown[KT_SHOWN];
        if (!kt_table_day(table, text, day))
            return kt_fail(error, KT_INVALID, "%s:%zu: %s %s is no date; expected %s", table->source->name, row->line,
                           names[i], kt_text_show_figure(text, shown),
                           table->options.date_format ? table->options.date_format : "YYYY-MM-DD or YYYYMMDD");
        if (*day != filler) return KT_OK;
    }
    *day = KT_DAY_NONE;
    return kt_fail(error, KT_INVALID, "%s:%zu: no date: Effective_Date, Document_Date and Entered_Date are empty",
                   table->source->name, row->line);
}

static kt_code one_amount(kt_table *table, const kt_row *row, unsigned role, const char *name, int side,
                          kt_amount *amount, uint8_t *given, kt_error *error) {
    uint8_t decimals;
    kt_code code = kt_table_number(table, row, role, name, amount, &decimals, error);
    if (code != KT_OK) return code;
    *amount *= side;
    *given = KT_AS_WRITTEN(decimals);
    return KT_OK;
}

static kt_code two_amounts(kt_table *table, const kt_row *row, kt_line *line, kt_error *error) {
    bool debit = kt_table_value(table, row, DEBIT).size > 0, credit = kt_table_value(table, row, CREDIT).size > 0;
    kt_amount d = 0, c = 0;
    uint8_t d_given = 0, c_given = 0;
    kt_code code = KT_OK;
    if (debit || !credit) code = one_amount(table, row, DEBIT, "Debit_Amount", 1, &d, &d_given, error);
    if (code == KT_OK && credit) code = one_amount(table, row, CREDIT, "Credit_Amount", -1, &c, &c_given, error);
    if (code != KT_OK) return code;
    if (d != 0 && c != 0)
        return kt_fail(error, KT_INVALID, "%s:%zu: Debit_Amount and Credit_Amount on one line; expected one of them",
                       table->source->name, row->line);
    line->amount = c != 0 ? c : d;
    line->amount_given = c != 0 || !debit ? c_given : d_given;
    return KT_OK;
}

static kt_code read_amounts(kt_table *table, const kt_row *row, kt_line *line, kt_error *error) {
    int side = 1;
    if (kt_table_has(table, INDICATOR)) {
        kt_str indicator = kt_table_value(table, row, INDICATOR);
        side = side_of(indicator);
        char shown[KT_SHOWN];
        if (!side)
            return kt_fail(error, KT_INVALID,
                           "%s:%zu: Amount_Credit_Debit_Indicator is '%s'; expected D or S (debit), C or H (credit)",
                           table->source->name, row->line, kt_text_show(indicator, shown));
    }
    line->currency = kt_table_value(table, row, CURRENCY);
    bool has_functional = kt_table_value(table, row, FUNCTIONAL).size > 0;
    bool own = kt_table_has(table, AMOUNT) || kt_table_has(table, DEBIT);
    kt_str functional_currency = kt_table_value(table, row, FUNCTIONAL_CURRENCY);
    kt_code code = KT_OK;
    if (kt_table_has(table, AMOUNT))
        code = one_amount(table, row, AMOUNT, "Amount", side, &line->amount, &line->amount_given, error);
    else if (own) code = two_amounts(table, row, line, error);
    if (code != KT_OK || (own && (!has_functional || kt_str_equal(functional_currency, line->currency)))) return code;
    kt_amount functional = 0;
    uint8_t given = 0;
    code = one_amount(table, row, FUNCTIONAL, "Functional_Amount", side, &functional, &given, error);
    if (code != KT_OK) return code;
    if (kt_table_has(table, DEBIT) && ((line->amount < 0) != (functional < 0)))
        functional = -functional; /* written without a sign beside two columns: the columns say the side */
    if (!own || line->amount == 0) {
        line->amount = functional;
        line->amount_given = given;
        line->currency = functional_currency;
        return KT_OK;
    }
    line->has_cost = true;
    line->cost = functional;
    line->cost_given = given;
    line->cost_currency = functional_currency;
    return KT_OK;
}

static kt_code line_of(kt_table *table, const kt_row *row, const kt_table_key *key, kt_line *line, kt_error *error) {
    (void)key; /* the date is no part of it */
    line->account = kt_table_value(table, row, ACCOUNT);
    line->text = kt_table_value(table, row, LINE_TEXT);
    if (table->entry->text.size == 0) table->entry->text = kt_table_value(table, row, HEADER_TEXT);
    if (table->entry->ref.size == 0) table->entry->ref = kt_table_value(table, row, REFERENCE);
    if (kt_gather_dimension(&table->gather, KT_DIMENSION_DEPARTMENT, kt_table_value(table, row, UNIT)) != KT_OK)
        return KT_MEMORY;
    for (unsigned i = 0; i < 8; i++)
        if (kt_table_has(table, SEGMENT + i) &&
            kt_gather_dimension(&table->gather, (uint8_t)(KT_DIMENSION_PROJECT + 1 + i),
                                kt_table_value(table, row, SEGMENT + i)) != KT_OK)
            return KT_MEMORY;
    kt_code code = read_amounts(table, row, line, error);
    if (code == KT_OK && table->entry->date == KT_DAY_NONE) code = read_date(table, row, &table->entry->date, error);
    if (code == KT_OK && line->account.size == 0)
        code = kt_fail(error, KT_INVALID, "%s:%zu: GL_Account_Number is empty", table->source->name, row->line);
    if (code == KT_OK && table->key.voucher.size == 0)
        code = kt_fail(error, KT_INVALID, "%s:%zu: Journal_ID is empty", table->source->name, row->line);
    return code;
}

static const kt_layout layout = {
    .name = "ads",
    .columns = columns,
    .loose = true,
    .others_pass = true,
    .key_roles = 1u << JOURNAL,
    .latin1 = true,
    .check = check,
    .key = key_of,
    .line = line_of,
};

static kt_code ads_open(const kt_source *source, const kt_format_options *options, void **reader, kt_error *error) {
    return kt_table_open(&layout, source, options, reader, error);
}

/* Guessed from the standard's own file names alone: kt_format_find. */
static const char *const suffixes[] = {NULL};

const kt_format kt_format_ads = {"ads", suffixes, ads_open, kt_table_next, kt_table_close, kt_table_preamble, NULL};
