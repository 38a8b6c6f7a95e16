#include <stdlib.h>

#include "cli/account.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_account *accounts = NULL;
    size_t count = 0, kept = 0;
    kt_account_type type = KT_UNCLASSIFIED;
    const char *only = kt_given_value(arguments, "type");
    if (only != NULL) (void)kt_account_type_parse(kt_str_from(only), &type);
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_accounts(reading.view, &accounts, &count, error);
    if (code == KT_OK) {
        for (size_t i = 0; i < count; i++)
            if (only == NULL || accounts[i].type == type) accounts[kept++] = accounts[i];
        code = kt_account_show(reading.style, accounts, kept, false, error);
    }
    free(accounts);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"type", "TYPE", "only those of this type", "asset liability equity income expense unclassified", false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_account_list = {
    .name = "account",
    .verb = "list",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "list the chart of accounts",
    .options = options,
    .example = "kontor account list --type unclassified",
    .run = run,
};
