#include "cli/account.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_account account;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_account(reading.view, kt_str_from(arguments->words[0]), &account, error);
    if (code == KT_OK) code = kt_account_show(reading.style, &account, 1, true, error);
    kt_reading_close(&reading);
    return code;
}

const kt_command kt_command_account_show = {
    .name = "account",
    .verb = "show",
    .words = "CODE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "show all that is known of an account",
    .example = "kontor account show 5820",
    .run = run,
};
