#include <stdlib.h>

#include "cli/common.h"

enum { FROM, TO, ENTRIES, UNTIL, PAST, COUNT };

static const kt_column columns[COUNT] = {
    [FROM] = {"first_day", "first day", KT_CELL_TEXT, false},
    [TO] = {"last_day", "last day", KT_CELL_TEXT, false},
    [ENTRIES] = {"entries", "entries", KT_CELL_COUNT, false},
    [UNTIL] = {"kept_until", "kept until", KT_CELL_TEXT, false},
    [PAST] = {"past", "past it", KT_CELL_FLAG, false},
};

static kt_code print(const kt_reading *reading, kt_day at, const kt_retention *rows, size_t count, kt_error *error) {
    kt_out *out;
    kt_company company;
    kt_code code = kt_view_company(reading->view, at, &company, error);
    if (code == KT_OK) code = kt_out_open(reading->style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        kt_out_day(out, FROM, rows[i].first);
        kt_out_day(out, TO, rows[i].last);
        kt_out_count(out, ENTRIES, rows[i].entries);
        kt_out_day(out, UNTIL, rows[i].kept_until);
        kt_out_flag(out, PAST, rows[i].past);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    if (count == 0) kt_say(reading->style, "nothing is posted yet\n");
    if (company.retention_years == 0)
        kt_warn("no rule is on record that says how long the books are kept: kontor company set --retention YEARS");
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_retention *rows = NULL;
    size_t count = 0;
    kt_day at = KT_DAY_NONE;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_option_until(arguments, "at", &at, error);
    if (code == KT_OK && at == KT_DAY_NONE) at = kt_today(reading.company.time_zone);
    if (code == KT_OK) code = kt_view_retention(reading.view, at, &rows, &count, error);
    if (code == KT_OK) code = print(&reading, at, rows, count, error);
    free(rows);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"at", "DATE", "by the rule of that day, and as of it; default today", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_retention = {
    .name = "retention",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "show how long each fiscal year's books are kept, and which are past it",
    .about =
        "The rule is a fact of the company, on record: kontor company set --retention YEARS. Nothing is ever deleted\n"
        "by it: the report only says what the rule no longer holds.",
    .options = options,
    .example = "kontor retention --at 2031-12-31",
    .run = run,
};
