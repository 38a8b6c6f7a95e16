#include <inttypes.h>
#include <stdio.h>

#include "cli/export.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_export_options options;
    kt_export_result result = {0};
    const char *directory = arguments->words[0];
    kt_code code = kt_option_range(arguments, &options.from, &options.to, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_export_ads(reading.view, directory, &options, &result, error);
    if (code == KT_OK) {
        kt_export_warn("ads", &result);
        kt_say(reading.style,
               "exported %" PRIu64 " entries, %" PRIu64 " lines to %s: GL_Detail.csv, Trial_Balance.csv, "
               "Chart_Of_Accounts.csv\n",
               result.entries, result.lines, directory);
    }
    kt_reading_close(&reading);
    return code;
}

const kt_command kt_command_export_ads = {
    .name = "export",
    .verb = "ads",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_READING,
    .summary = "write the AICPA's Audit Data Standards: GL_Detail, Trial_Balance, Chart_Of_Accounts",
    .about = "DIR must not exist or be empty. The trial balance is as of --to, its beginning before --from.",
    .options = kt_export_option_table,
    .example = "kontor export ads audit-2026 --from 2026 --to 2026",
    .run = run,
};
