#include <stdlib.h>

#include "cli/common.h"

enum { MONTH, STATE, RECORD, RECORDED, REASON, COUNT };

static const kt_column columns[COUNT] = {
    [MONTH] = {"month", "month", KT_CELL_TEXT, false},
    [STATE] = {"state", "state", KT_CELL_TEXT, false},
    [RECORD] = {"record", "record", KT_CELL_NUMBER, false},
    [RECORDED] = {"recorded", "recorded", KT_CELL_TEXT, false},
    [REASON] = {"reason", "reason of the last reopening", KT_CELL_PROSE, false},
};

static kt_code print(kt_style style, const kt_period *periods, size_t count, kt_error *error) {
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        const kt_period *period = &periods[i];
        char day[KT_DAY_TEXT];
        kt_out_text(out, MONTH, (kt_str){kt_day_format(kt_month_first(period->month), day), sizeof("YYYY-MM") - 1});
        kt_out_words(out, STATE, period->closed ? "closed" : period->record != 0 ? "reopened" : "open");
        if (period->record != 0) {
            kt_out_count(out, RECORD, period->record);
            kt_out_time(out, RECORDED, period->recorded_us);
        }
        kt_out_text(out, REASON, period->reason);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    if (count == 0) kt_say(style, "no months yet: nothing is posted and nothing is closed\n");
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_period *periods = NULL;
    size_t count = 0;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_periods(reading.view, &periods, &count, error);
    if (code == KT_OK) code = print(reading.style, periods, count, error);
    free(periods);
    kt_reading_close(&reading);
    return code;
}

const kt_command kt_command_period_list = {
    .name = "period",
    .verb = "list",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "list the months and which are closed",
    .example = "kontor period list",
    .run = run,
};
