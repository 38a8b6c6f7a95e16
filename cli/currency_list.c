#include <stdlib.h>

#include "cli/common.h"

static kt_code print(const kt_reading *reading, const kt_currency *currencies, size_t count, kt_error *error) {
    enum { CODE, DECIMALS, DECLARED, POSTED, OWN, COUNT };
    static const kt_column columns[COUNT] = {
        [CODE] = {"currency", "currency", KT_CELL_TEXT, false},
        [DECIMALS] = {"decimals", "decimals", KT_CELL_NUMBER, false},
        [DECLARED] = {"declared", "declared", KT_CELL_FLAG, false},
        [POSTED] = {"posted", "posted", KT_CELL_FLAG, false},
        [OWN] = {"book", "book's own", KT_CELL_FLAG, false},
    };
    kt_out *out;
    kt_code code = kt_out_open(reading->style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        kt_out_text(out, CODE, currencies[i].code);
        kt_out_count(out, DECIMALS, currencies[i].decimals);
        kt_out_flag(out, DECLARED, currencies[i].declared);
        kt_out_flag(out, POSTED, currencies[i].posted);
        kt_out_flag(out, OWN, kt_str_equal(currencies[i].code, reading->company.currency));
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_currency *currencies = NULL;
    size_t count = 0;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_currencies(reading.view, &currencies, &count, error);
    if (code == KT_OK) code = print(&reading, currencies, count, error);
    free(currencies);
    kt_reading_close(&reading);
    return code;
}

const kt_command kt_command_currency_list = {
    .name = "currency",
    .verb = "list",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "list the currencies the book knows",
    .example = "kontor currency list",
    .run = run,
};
