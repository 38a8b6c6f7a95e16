#include "cli/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

const kt_option kt_export_option_table[] = {
    {"from", "DATE", "entries from that day, inclusive", NULL, false, false},
    {"to", "DATE", "entries to that day, inclusive", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

static void warn(uint64_t count, const char *format, const char *one, const char *many) {
    if (count > 0)
        kt_warn("%s has no place for %s of %" PRIu64 " %s", format, count == 1 ? one : many, count,
                count == 1 ? "entry" : "entries");
}

void kt_export_warn(const char *format, const kt_export_result *result) {
    warn(result->minus_left_out, format, "the minus amounts (turnover will differ, no balance)",
         "the minus amounts (turnover will differ, no balance)");
    warn(result->reverses_left_out, format, "the link to what it reverses", "the links to what they reverse");
    warn(result->texts_left_out, format, "a text or reference beside those of the lines",
         "texts or references beside those of the lines");
}

static kt_code to_output(void *context, const char *data, size_t size, kt_error *error) {
    (void)context;
    if (fwrite(data, 1, size, stdout) == size) return KT_OK;
    return kt_fail_errno(error, errno, "standard output: cannot write");
}

kt_code kt_export_print(const kt_arguments *arguments, const char *format, kt_error *error) {
    kt_reading reading = {0};
    kt_export_options options;
    kt_export_result result = {0};
    kt_code code = kt_option_range(arguments, &options.from, &options.to, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_export(reading.view, format, &options, to_output, NULL, &result, error);
    if (code == KT_OK) code = kt_out_flush(error);
    if (code == KT_OK) kt_export_warn(format, &result);
    kt_reading_close(&reading);
    return code;
}
