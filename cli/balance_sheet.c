#include <stdio.h>

#include "cli/sections.h"

static kt_code print(const kt_reading *reading, const kt_report *report, kt_amount owed, kt_error *error) {
    kt_out *out;
    char title[40], day[KT_DAY_TEXT];
    (void)snprintf(title, sizeof(title), "balance sheet at %s", kt_day_format(report->to, day));
    kt_show_title(reading, title, KT_DAY_NONE, KT_DAY_NONE);
    kt_code code = kt_sections_open(reading, &out, error);
    if (code == KT_OK) code = kt_sections_add(out, report, KT_ASSET, "Assets", report->assets, error);
    if (code == KT_OK) code = kt_sections_add(out, report, KT_LIABILITY, "Liabilities", report->liabilities, error);
    if (code == KT_OK) code = kt_sections_add(out, report, KT_EQUITY, "Equity", report->equity, error);
    if (code == KT_OK && report->unclassified != 0)
        code = kt_sections_add(out, report, KT_UNCLASSIFIED, "Unclassified", report->unclassified, error);
    if (code == KT_OK) code = kt_sections_sum(out, report, "Liabilities and equity", owed, true, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code check(const kt_reading *reading, const kt_report *report, kt_amount owed, kt_error *error) {
    char assets[KT_AMOUNT_TEXT], other[KT_AMOUNT_TEXT];
    (void)kt_amount_format(report->assets, report->decimals, ',', assets);
    (void)kt_amount_format(owed, report->decimals, ',', other);
    const char *more = report->unclassified == 0 ? "" : " + unclassified";
    if (report->assets != owed)
        return kt_fail(error, KT_DAMAGED, "assets %s are not liabilities + equity%s %s", assets, more, other);
    kt_say(reading->style, "\nassets %s = liabilities + equity%s %s%s\n", assets, more, other,
           kt_terminal_utf8() ? " ✓" : "");
    return KT_OK;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_report *report = NULL;
    kt_amount owed = 0;
    kt_day at;
    kt_code code = kt_option_until(arguments, "at", &at, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) {
        if (at == KT_DAY_NONE)
            at = reading.head.last_day == KT_DAY_NONE ? kt_today(reading.company.time_zone) : reading.head.last_day;
        code = kt_balance_sheet(reading.view, at, &report, error);
    }
    if (code == KT_OK) code = kt_show_add(&owed, report->liabilities, error);
    if (code == KT_OK) code = kt_show_add(&owed, report->equity, error);
    if (code == KT_OK) code = kt_show_add(&owed, report->unclassified, error);
    if (code == KT_OK) code = print(&reading, report, owed, error);
    if (code == KT_OK) {
        code = check(&reading, report, owed, error);
        kt_sections_warn(&reading, report);
    }
    kt_report_free(report);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"at", "DATE", "on that day, at its end; default: the book's last day", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_balance_sheet = {
    .name = "balance-sheet",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "balance sheet: assets = liabilities + equity, on any day",
    .about =
        "The result of the year and undistributed earlier results are lines of their own, so that it holds whether\n"
        "the year is closed or not. In JSON and CSV a balance is debit minus credit.",
    .options = options,
    .example = "kontor balance-sheet --at 2026-06-30",
    .run = run,
};
