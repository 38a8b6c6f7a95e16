#include "cli/export.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    return kt_export_print(arguments, "journal", error);
}

const kt_command kt_command_export_journal = {
    .name = "export",
    .verb = "journal",
    .words = "",
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_READING,
    .summary = "print entries as a plain-text journal for ledger and hledger",
    .about = "Both give the same balances. Refused before anything is printed where one of the two would read a name\n"
             "of an account or currency otherwise, and where an amount of zero has a cost.",
    .options = kt_export_option_table,
    .example = "kontor export journal | hledger -f - balance",
    .run = run,
};
