#include "cli/export.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) { return kt_export_print(arguments, "csv", error); }

const kt_command kt_command_export_csv = {
    .name = "export",
    .verb = "csv",
    .words = "",
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_READING,
    .summary = "print entries as the CSV that post reads",
    .about = "A row a line. Refused before anything is printed where a line has a cost or a dimension of the user's\n"
             "own, for which CSV has no column.",
    .options = kt_export_option_table,
    .example = "kontor export csv --from 2026 --to 2026 > 2026.csv",
    .run = run,
};
