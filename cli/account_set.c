#include "cli/account.h"

#include <stdio.h>

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    kt_account account;
    char what[400];
    if (arguments->given_count == 0)
        return kt_fail(error, KT_USAGE, "account set %.255s: set what? Give --name, --type, ...", arguments->words[0]);
    kt_code code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = kt_batch_find_account(writing.batch, kt_str_from(arguments->words[0]), &account, error);
    if (code == KT_OK) code = kt_account_take_options(arguments, &account, error);
    if (code == KT_OK) code = kt_batch_account(writing.batch, &account, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "account %.255s changed", arguments->words[0]);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

const kt_command kt_command_account_set = {
    .name = "account",
    .verb = "set",
    .words = "CODE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "change what is known of an account",
    .about = "What is not named stays. A type may change while the account is unclassified or has no postings.",
    .options = kt_account_options,
    .example = "kontor account set Assets:Bank --type asset --name \"Bank\"",
    .run = run,
};
