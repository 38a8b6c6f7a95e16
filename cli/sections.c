#include "cli/sections.h"

enum { ROW, ACCOUNT, NAME, TYPE, CURRENCY, AMOUNT, BALANCE, COUNT };

kt_code kt_sections_open(const kt_reading *reading, kt_out **out, kt_error *error) {
    static const kt_column columns[COUNT] = {
        [ROW] = {"row", NULL, KT_CELL_TEXT, false},           [ACCOUNT] = {"account", "account", KT_CELL_TEXT, false},
        [NAME] = {"name", "name", KT_CELL_PROSE, false},      [TYPE] = {"type", NULL, KT_CELL_TEXT, false},
        [CURRENCY] = {"currency", NULL, KT_CELL_TEXT, false}, [AMOUNT] = {NULL, "amount", KT_CELL_AMOUNT, false},
        [BALANCE] = {"balance", NULL, KT_CELL_AMOUNT, false},
    };
    return kt_out_open(reading->style, columns, COUNT, false, out, error);
}

/* Whether a positive amount of this type is a credit. */
static bool is_credit(kt_account_type type) { return type != KT_ASSET && type != KT_EXPENSE; }

static void amount_cells(kt_out *out, const kt_report *report, kt_amount amount, bool credit) {
    kt_out_text(out, CURRENCY, report->currency);
    kt_out_amount(out, AMOUNT, amount, report->decimals);
    kt_out_amount(out, BALANCE, credit ? -amount : amount, report->decimals);
}

static kt_code sum_row(kt_out *out, const kt_report *report, const char *title, const char *type, kt_amount sum,
                       bool credit, kt_error *error) {
    kt_out_words(out, ROW, "sum");
    kt_out_words(out, NAME, title);
    kt_out_words(out, TYPE, type);
    amount_cells(out, report, sum, credit);
    if (kt_out_style(out) == KT_STYLE_TABLE) return kt_out_row_people(out, true, error);
    return kt_out_row(out, error);
}

kt_code kt_sections_add(kt_out *out, const kt_report *report, kt_account_type type, const char *title, kt_amount sum,
                        kt_error *error) {
    bool any = false;
    kt_code code = KT_OK;
    for (size_t i = 0; code == KT_OK && i < report->row_count; i++) {
        const kt_report_row *row = &report->rows[i];
        if (row->type != type) continue;
        if (!any) {
            kt_out_words(out, ACCOUNT, title);
            code = kt_out_row_people(out, true, error);
        }
        any = true;
        kt_out_words(out, ROW, row->computed ? "computed" : "account");
        kt_out_text(out, ACCOUNT, row->account);
        kt_out_text(out, NAME, row->name);
        kt_out_words(out, TYPE, kt_account_type_name(row->type));
        amount_cells(out, report, row->amount, is_credit(type));
        if (code == KT_OK) code = kt_out_row(out, error);
    }
    if (code == KT_OK && any) code = kt_out_rule(out, error);
    if (code == KT_OK) code = sum_row(out, report, title, kt_account_type_name(type), sum, is_credit(type), error);
    if (code == KT_OK) code = kt_out_row_people(out, false, error); /* an empty line */
    return code;
}

kt_code kt_sections_sum(kt_out *out, const kt_report *report, const char *title, kt_amount sum, bool credit,
                        kt_error *error) {
    return sum_row(out, report, title, "", sum, credit, error);
}

void kt_sections_warn(const kt_reading *reading, const kt_report *report) {
    size_t count = 0;
    kt_str example = {NULL, 0};
    for (size_t i = 0; i < report->row_count; i++)
        if (report->rows[i].type == KT_UNCLASSIFIED && !report->rows[i].computed) {
            count++;
            example = report->rows[i].account;
        }
    kt_show_warn_unclassified(reading->style, count, example);
    kt_show_warn_unvalued(reading, report->unvalued_lines);
}
