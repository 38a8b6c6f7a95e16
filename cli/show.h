/* show: what reports share: the line above them, warnings below them, and the cells of an entry's line. */
#ifndef KT_CLI_SHOW_H
#define KT_CLI_SHOW_H

#include "cli/common.h"

/* "Acme ApS: trial balance from 2026-01-01 to 2026-12-31, DKK"; people only. KT_DAY_NONE: open. */
void kt_show_title(const kt_reading *reading, const char *what, kt_day from, kt_day to);
/* A warning that belongs to the report: below it for people, on standard error beside JSON and CSV. */
void kt_show_warn(kt_style style, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Warns of accounts without a type that have postings, counted in `count`. */
void kt_show_warn_unclassified(kt_style style, size_t count, kt_str example);
/* Warns of lines without a value in the book's currency. */
void kt_show_warn_unvalued(const kt_reading *reading, uint64_t lines);

/* "1 entry" or "2,000 entries", and `end`; people only. */
void kt_show_counted(kt_style style, uint64_t count, const char *one, const char *many, const char *end);

/* Adds to a sum; KT_OVERFLOW where it leaves 128 bits. */
kt_code kt_show_add(kt_amount *sum, kt_amount amount, kt_error *error);
/* Debits and credits summed, for the foot of a list of lines: a line with a rate counts with its value in the currency
   that it is valued in, another one in its own. So the sides of whole entries are equal (law 2). */
typedef struct kt_side_sums {
    struct kt_side_sum {
        char currency[KT_CURRENCY_CODE_MAX + 1];
        uint8_t decimals;
        kt_amount debit, credit;
    } * rows;
    size_t count;
    bool valued; /* some line counts with its value */
} kt_side_sums;
kt_code kt_side_sums_add(kt_side_sums *sums, const kt_entry_view *view, size_t line, kt_str book_currency,
                         kt_error *error);
/* "total" rows below a rule, into the columns of a line that start at `first`; people only. */
kt_code kt_side_sums_print(const kt_side_sums *sums, kt_out *out, size_t first, kt_error *error);
void kt_side_sums_release(kt_side_sums *sums);

/* An amount into the column of debits or of credits; `minus`: booked with minus amounts, which keep their column. */
void kt_show_sides(kt_out *out, size_t debit, size_t credit, kt_amount amount, bool minus, uint8_t decimals);

/* The columns of a line, in this order; `first` is where they start. */
enum {
    KT_LINE_NUMBER,
    KT_LINE_ACCOUNT,
    KT_LINE_NAME, /* of the account; for people, where a heading is given to it */
    KT_LINE_TEXT,
    KT_LINE_CURRENCY,
    KT_LINE_DEBIT,
    KT_LINE_CREDIT,
    KT_LINE_AMOUNT,
    KT_LINE_COST,
    KT_LINE_COST_CURRENCY,
    KT_LINE_REF,
    KT_LINE_TAX,
    KT_LINE_COST_CENTRE,
    KT_LINE_DEPARTMENT,
    KT_LINE_PROJECT,
    KT_LINE_DIMENSIONS,
    KT_LINE_COLUMNS
};
extern const kt_column kt_line_columns[KT_LINE_COLUMNS];
void kt_line_cells(kt_out *out, size_t first, const kt_entry_view *view, size_t line, kt_str book_currency);

#endif
