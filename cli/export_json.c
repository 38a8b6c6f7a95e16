#include "cli/export.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) { return kt_export_print(arguments, "json", error); }

const kt_command kt_command_export_json = {
    .name = "export",
    .verb = "json",
    .words = "",
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_READING,
    .summary = "print entries as the JSON lines that post reads",
    .about = "An entry a line, with amounts as decimal strings, costs and all dimensions.",
    .options = kt_export_option_table,
    .example = "kontor export json > entries.jsonl",
    .run = run,
};
