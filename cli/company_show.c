#include <stdio.h>

#include "cli/common.h"

static kt_code print(const kt_reading *reading, const kt_company *company, kt_error *error) {
    enum { ENTITY, CURRENCY, FISCAL, ZONE, NUMBER, VAT, ADDRESS, CALENDAR, RETENTION, ORIGIN, COUNT };
    static const kt_column columns[COUNT] = {
        [ENTITY] = {"entity", "entity", KT_CELL_PROSE, false},
        [CURRENCY] = {"currency", "currency", KT_CELL_TEXT, false},
        [FISCAL] = {"fiscal_year_start", "fiscal year from", KT_CELL_TEXT, false},
        [ZONE] = {"timezone", "time zone", KT_CELL_TEXT, false},
        [NUMBER] = {"company_number", "company number", KT_CELL_TEXT, false},
        [VAT] = {"vat_number", "VAT number", KT_CELL_TEXT, false},
        [ADDRESS] = {"address", "address", KT_CELL_PROSE, false},
        [CALENDAR] = {"calendar", "calendar", KT_CELL_TEXT, false},
        [RETENTION] = {"retention_years", "years kept", KT_CELL_NUMBER, false},
        [ORIGIN] = {"origin", "origin", KT_CELL_TEXT, false},
    };
    char fiscal[16];
    kt_out *out;
    kt_code code = kt_out_open(reading->style, columns, COUNT, true, &out, error);
    if (code != KT_OK) return code;
    unsigned month = company->fiscal_month == 0 ? 1 : company->fiscal_month;
    unsigned day = company->fiscal_day == 0 ? 1 : company->fiscal_day;
    (void)snprintf(fiscal, sizeof(fiscal), "%02u-%02u", month, day);
    kt_out_text(out, ENTITY, company->entity);
    kt_out_text(out, CURRENCY, company->currency);
    kt_out_words(out, FISCAL, fiscal);
    kt_out_text(out, ZONE, company->time_zone);
    kt_out_text(out, NUMBER, company->company_number);
    kt_out_text(out, VAT, company->vat_number);
    kt_out_text(out, ADDRESS, company->address);
    kt_out_text(out, CALENDAR, company->calendar);
    if (company->retention_years != 0) kt_out_count(out, RETENTION, company->retention_years);
    kt_out_words(out, ORIGIN, kt_book_origin(reading->book));
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_company company;
    kt_day at = KT_DAY_NONE;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_option_until(arguments, "at", &at, error);
    if (code == KT_OK)
        code = kt_view_company(reading.view, at == KT_DAY_NONE ? kt_today(reading.company.time_zone) : at, &company,
                               error);
    if (code == KT_OK) code = print(&reading, &company, error);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"at", "DATE", "the facts that held on that day; default today", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_company_show = {
    .name = "company",
    .verb = "show",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "show the company's facts",
    .options = options,
    .example = "kontor company show --at 2026-06-30",
    .run = run,
};
