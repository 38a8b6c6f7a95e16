#include "cli/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kt_show_title(const kt_reading *reading, const char *what, kt_day from, kt_day to) {
    char day[KT_DAY_TEXT];
    if (reading->style != KT_STYLE_TABLE) return;
    kt_print_safe(stdout, reading->company.entity);
    printf(": %s", what);
    if (from != KT_DAY_NONE) printf(" from %s", kt_day_format(from, day));
    if (to != KT_DAY_NONE) printf(" to %s", kt_day_format(to, day));
    fputs(", ", stdout);
    kt_print_safe(stdout, reading->company.currency);
    fputs("\n\n", stdout);
}

void kt_show_warn(kt_style style, const char *format, ...) {
    FILE *to = style == KT_STYLE_TABLE ? stdout : stderr;
    va_list list;
    va_start(list, format);
    fputs("warning: ", to);
    vfprintf(to, format, list);
    fputc('\n', to);
    va_end(list);
}

void kt_show_warn_unclassified(kt_style style, size_t count, kt_str example) {
    static const char types[] = "asset, liability, equity, income or expense";
    if (count == 1)
        kt_show_warn(style, "account %.*s is unclassified; set its type (%s): kontor account set %.*s --type TYPE",
                     (int)example.size, example.data, types, (int)example.size, example.data);
    else if (count > 1)
        kt_show_warn(style,
                     "%zu accounts are unclassified, one of them %.*s (kontor account list --type unclassified); set "
                     "each one's type (%s): kontor account set %.*s --type TYPE",
                     count, (int)example.size, example.data, types, (int)example.size, example.data);
}

void kt_show_warn_unvalued(const kt_reading *reading, uint64_t lines) {
    if (lines > 0)
        kt_show_warn(reading->style,
                     "%" PRIu64 " posting%s in other currencies carr%s no rate: no value in %.*s is known, and none is "
                     "in these totals",
                     lines, lines == 1 ? "" : "s", lines == 1 ? "ies" : "y", (int)reading->company.currency.size,
                     reading->company.currency.data);
}

void kt_show_counted(kt_style style, uint64_t count, const char *one, const char *many, const char *end) {
    char text[KT_AMOUNT_TEXT];
    (void)kt_amount_format((kt_amount)count, 0, ',', text);
    kt_say(style, "%s %s%s", text, count == 1 ? one : many, end);
}

kt_code kt_show_add(kt_amount *sum, kt_amount amount, kt_error *error) {
    if (kt_amount_add(*sum, amount, sum)) return KT_OK;
    return kt_fail(error, KT_OVERFLOW, "the total is beyond what is kept");
}

void kt_show_sides(kt_out *out, size_t debit, size_t credit, kt_amount amount, bool minus, uint8_t decimals) {
    if ((amount >= 0) != minus) kt_out_amount(out, debit, amount, decimals);
    else kt_out_amount(out, credit, -amount, decimals);
}

kt_code kt_side_sums_add(kt_side_sums *sums, const kt_entry_view *view, size_t index, kt_str book_currency,
                         kt_error *error) {
    const kt_line *line = &view->entry.lines[index];
    kt_str currency = line->has_cost ? line->cost_currency : line->currency;
    kt_amount amount = line->has_cost ? line->cost : line->amount;
    uint8_t decimals = line->has_cost ? view->cost_decimals[index] : view->decimals[index];
    struct kt_side_sum *at = NULL;
    if (currency.size == 0) currency = book_currency;
    sums->valued = sums->valued || line->has_cost;
    for (size_t i = 0; at == NULL && i < sums->count; i++)
        if (kt_str_equal(kt_str_from(sums->rows[i].currency), currency)) at = &sums->rows[i];
    if (at == NULL) {
        struct kt_side_sum *rows = realloc(sums->rows, (sums->count + 1) * sizeof(*rows));
        if (rows == NULL || currency.size > KT_CURRENCY_CODE_MAX) {
            sums->rows = rows == NULL ? sums->rows : rows;
            return kt_fail(error, KT_MEMORY, "no memory for the totals");
        }
        sums->rows = rows;
        at = &rows[sums->count++];
        *at = (struct kt_side_sum){.decimals = decimals};
        memcpy(at->currency, currency.data, currency.size);
    }
    bool debit = (amount >= 0) != view->entry.minus;
    return kt_show_add(debit ? &at->debit : &at->credit, debit ? amount : -amount, error);
}

kt_code kt_side_sums_print(const kt_side_sums *sums, kt_out *out, size_t first, kt_error *error) {
    if (sums->count == 0 || kt_out_style(out) != KT_STYLE_TABLE) return KT_OK;
    kt_code code = kt_out_rule(out, error);
    for (size_t i = 0; code == KT_OK && i < sums->count; i++) {
        const struct kt_side_sum *sum = &sums->rows[i];
        kt_out_words(out, first + KT_LINE_ACCOUNT, "total");
        if (sums->valued) kt_out_words(out, first + KT_LINE_TEXT, "lines with a rate at their value");
        kt_out_words(out, first + KT_LINE_CURRENCY, sum->currency);
        kt_out_amount(out, first + KT_LINE_DEBIT, sum->debit, sum->decimals);
        kt_out_amount(out, first + KT_LINE_CREDIT, sum->credit, sum->decimals);
        code = kt_out_row_people(out, true, error);
    }
    return code;
}

void kt_side_sums_release(kt_side_sums *sums) {
    free(sums->rows);
    *sums = (kt_side_sums){0};
}

const kt_column kt_line_columns[KT_LINE_COLUMNS] = {
    [KT_LINE_NUMBER] = {"line", NULL, KT_CELL_NUMBER, false},
    [KT_LINE_ACCOUNT] = {"account", "account", KT_CELL_TEXT, false},
    [KT_LINE_NAME] = {NULL, NULL, KT_CELL_TEXT, false},
    [KT_LINE_TEXT] = {"line_text", "text", KT_CELL_PROSE, false},
    [KT_LINE_CURRENCY] = {"currency", "cur", KT_CELL_TEXT, false},
    [KT_LINE_DEBIT] = {"debit", "debit", KT_CELL_AMOUNT, false},
    [KT_LINE_CREDIT] = {"credit", "credit", KT_CELL_AMOUNT, false},
    [KT_LINE_AMOUNT] = {"amount", NULL, KT_CELL_AMOUNT, false},
    [KT_LINE_COST] = {"cost", NULL, KT_CELL_AMOUNT, false},
    [KT_LINE_COST_CURRENCY] = {"cost_currency", NULL, KT_CELL_TEXT, false},
    [KT_LINE_REF] = {"line_ref", NULL, KT_CELL_TEXT, false},
    [KT_LINE_TAX] = {"tax_code", NULL, KT_CELL_TEXT, false},
    [KT_LINE_COST_CENTRE] = {"cost_centre", NULL, KT_CELL_TEXT, false},
    [KT_LINE_DEPARTMENT] = {"department", NULL, KT_CELL_TEXT, false},
    [KT_LINE_PROJECT] = {"project", NULL, KT_CELL_TEXT, false},
    [KT_LINE_DIMENSIONS] = {"dimensions", NULL, KT_CELL_TEXT, false},
};

/* The three that have names each into its column, the user's own as "4=x 5=y". */
static void dimension_cells(kt_out *out, size_t first, const kt_line *line) {
    char others[(KT_DIMENSION_VALUE_MAX + 5) * KT_DIMENSIONS_MAX];
    size_t used = 0;
    for (uint8_t i = 0; i < line->dimension_count; i++) {
        const kt_dimension *dimension = &line->dimensions[i];
        switch (dimension->dimension) {
        case KT_DIMENSION_COST_CENTRE: kt_out_text(out, first + KT_LINE_COST_CENTRE, dimension->value); break;
        case KT_DIMENSION_DEPARTMENT: kt_out_text(out, first + KT_LINE_DEPARTMENT, dimension->value); break;
        case KT_DIMENSION_PROJECT: kt_out_text(out, first + KT_LINE_PROJECT, dimension->value); break;
        default: {
            int size = snprintf(others + used, sizeof(others) - used, "%s%u=%.*s", used == 0 ? "" : " ",
                                dimension->dimension, (int)dimension->value.size, dimension->value.data);
            if (size > 0 && (size_t)size < sizeof(others) - used) used += (size_t)size;
        }
        }
    }
    if (used > 0) kt_out_text(out, first + KT_LINE_DIMENSIONS, (kt_str){others, used});
}

void kt_line_cells(kt_out *out, size_t first, const kt_entry_view *view, size_t at, kt_str book_currency) {
    const kt_line *line = &view->entry.lines[at];
    uint8_t decimals = view->decimals[at];
    kt_out_count(out, first + KT_LINE_NUMBER, at);
    kt_out_text(out, first + KT_LINE_ACCOUNT, line->account);
    kt_out_text(out, first + KT_LINE_TEXT, line->text);
    kt_out_text(out, first + KT_LINE_CURRENCY, line->currency.size == 0 ? book_currency : line->currency);
    kt_show_sides(out, first + KT_LINE_DEBIT, first + KT_LINE_CREDIT, line->amount, view->entry.minus, decimals);
    kt_out_amount(out, first + KT_LINE_AMOUNT, line->amount, decimals);
    if (line->has_cost) {
        kt_out_amount(out, first + KT_LINE_COST, line->cost, view->cost_decimals[at]);
        kt_out_text(out, first + KT_LINE_COST_CURRENCY,
                    line->cost_currency.size == 0 ? book_currency : line->cost_currency);
    }
    kt_out_text(out, first + KT_LINE_REF, line->ref);
    kt_out_text(out, first + KT_LINE_TAX, line->tax_code);
    dimension_cells(out, first, line);
}
