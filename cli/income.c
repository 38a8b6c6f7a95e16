#include "cli/sections.h"

/* The fiscal year to date; where the book's last entry lies before today, to its day. */
static void default_range(const kt_reading *reading, kt_day *from, kt_day *to) {
    kt_day last;
    if (*to == KT_DAY_NONE) {
        *to = kt_today(reading->company.time_zone);
        if (reading->head.last_day != KT_DAY_NONE && reading->head.last_day < *to) *to = reading->head.last_day;
        if (*from != KT_DAY_NONE && *to < *from) *to = *from;
    }
    if (*from == KT_DAY_NONE) kt_fiscal_year(&reading->company, *to, from, &last);
}

static kt_code print(const kt_reading *reading, const kt_report *report, kt_error *error) {
    kt_out *out;
    kt_show_title(reading, "income statement", report->from, report->to);
    kt_code code = kt_sections_open(reading, &out, error);
    if (code == KT_OK) code = kt_sections_add(out, report, KT_INCOME, "Income", report->income, error);
    if (code == KT_OK) code = kt_sections_add(out, report, KT_EXPENSE, "Expenses", report->expense, error);
    if (code == KT_OK && report->unclassified != 0)
        code = kt_sections_add(out, report, KT_UNCLASSIFIED, "Unclassified", report->unclassified, error);
    if (code == KT_OK) code = kt_sections_sum(out, report, "Result", report->result, true, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_report *report = NULL;
    kt_day from, to;
    kt_code code = kt_option_range(arguments, &from, &to, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) {
        default_range(&reading, &from, &to);
        code = kt_income_statement(reading.view, from, to, &report, error);
    }
    if (code == KT_OK) code = print(&reading, report, error);
    if (code == KT_OK) kt_sections_warn(&reading, report);
    kt_report_free(report);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"from", "DATE", "from that day, inclusive; default: the fiscal year of --to", NULL, false, false},
    {"to", "DATE", "to that day, inclusive; default: today or the book's last day", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_income = {
    .name = "income",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "income statement; default the fiscal year to date",
    .about = "In JSON and CSV a balance is debit minus credit, so income is below zero.",
    .options = options,
    .example = "kontor income --from 2026-01 --to 2026-06",
    .run = run,
};
