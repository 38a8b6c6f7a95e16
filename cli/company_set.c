#include <stdio.h>

#include "cli/common.h"

static bool take(const kt_arguments *arguments, const char *option, kt_str *to) {
    *to = kt_str_from(kt_given_value(arguments, option));
    return to->size > 0;
}

/* Today in the time zone given, or else in the one on record. Before the book is opened for writing. */
static kt_code today_there(const kt_arguments *arguments, kt_str time_zone, kt_day *out, kt_error *error) {
    kt_reading reading;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) *out = kt_today(time_zone.size > 0 ? time_zone : reading.company.time_zone);
    kt_reading_close(&reading);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    kt_company company = {0};
    kt_day from = KT_DAY_NONE;
    char what[120], text[KT_DAY_TEXT];
    bool any = take(arguments, "name", &company.entity);
    any = take(arguments, "timezone", &company.time_zone) || any;
    any = take(arguments, "company-number", &company.company_number) || any;
    any = take(arguments, "vat-number", &company.vat_number) || any;
    any = take(arguments, "address", &company.address) || any;
    any = take(arguments, "calendar", &company.calendar) || any;
    kt_code code = kt_retention_argument(arguments, &company.retention_years, error);
    any = company.retention_years != 0 || any;
    if (code == KT_OK && !any) code = kt_fail(error, KT_USAGE, "company set: set what? Give --name, --address, ...");
    if (code == KT_OK) code = kt_option_from(arguments, "from", &from, error);
    if (code == KT_OK && from == KT_DAY_NONE) code = today_there(arguments, company.time_zone, &from, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = kt_batch_company(writing.batch, from, &company, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "the company's facts changed from %s", kt_day_format(from, text));
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"from", "DATE", "first day the new facts hold; default today", NULL, false, false},
    {"name", "NAME", "legal name", NULL, false, false},
    {"timezone", "ZONE", "time zone, as Europe/Copenhagen", NULL, false, false},
    {"company-number", "NUMBER", "number in the companies' register", NULL, false, false},
    {"vat-number", "NUMBER", "VAT number", NULL, false, false},
    {"address", "TEXT", "address", NULL, false, false},
    {"calendar", "TEXT", "working days and public holidays, as \"mon-fri dk\"", NULL, false, false},
    {"retention", "YEARS", "how long the books are kept behind a fiscal year's end (Denmark: 5)", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_company_set = {
    .name = "company",
    .verb = "set",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "change the company's facts from a day on",
    .about = "What is not named stays. The change is a dated record; what held before can still be asked for.",
    .options = options,
    .example = "kontor company set --from 2026-07-01 --address \"Havnegade 1, 1058 København K\"",
    .run = run,
};
