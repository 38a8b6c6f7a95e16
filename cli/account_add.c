#include "cli/account.h"

#include <stdio.h>

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    kt_account there, account = {
                          .code = kt_str_from(arguments->words[0]),
                          .name = kt_str_from(arguments->word_count > 1 ? arguments->words[1] : NULL),
                          .open_from = KT_DAY_NONE,
                          .closed_from = KT_DAY_NONE,
                      };
    char what[400];
    kt_code code = kt_account_take_options(arguments, &account, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) {
        code = kt_batch_find_account(writing.batch, account.code, &there, error);
        if (code == KT_OK)
            code = kt_fail(error, KT_EXISTS, "account %.255s is on record already; change it with account set",
                           arguments->words[0]);
        else if (code == KT_NOT_FOUND) code = kt_batch_account(writing.batch, &account, error);
    }
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "account %.255s opened (%s)", arguments->words[0],
                       kt_account_type_name(account.type));
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

const kt_command kt_command_account_add = {
    .name = "account",
    .verb = "add",
    .words = "CODE [NAME]",
    .least = 1,
    .most = 2,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "open an account",
    .about = "Without --type the account is unclassified, which every report warns of until it is set.",
    .options = kt_account_options,
    .example = "kontor account add 5820 \"Bank, DKK\" --type asset --rule not-negative",
    .run = run,
};
