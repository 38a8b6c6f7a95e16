#include "cli/account.h"

#include <stdio.h>

static kt_code close_from(const kt_arguments *arguments, kt_book *book, kt_day *out, kt_error *error) {
    kt_code code = kt_option_from(arguments, "from", out, error);
    if (code != KT_OK || *out != KT_DAY_NONE) return code;
    kt_view *view = NULL;
    kt_company company;
    code = kt_view_open(book, NULL, &view, error);
    if (code == KT_OK) code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK) *out = kt_today(company.time_zone);
    kt_view_close(view);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    kt_account account;
    kt_day from = KT_DAY_NONE;
    char what[400], text[KT_DAY_TEXT];
    kt_code code = kt_style_of(arguments, &writing.style, error);
    if (code == KT_OK) code = kt_open_argument(arguments, false, &writing.book, error);
    if (code == KT_OK) code = close_from(arguments, writing.book, &from, error);
    if (code == KT_OK) code = kt_batch_begin(writing.book, NULL, &writing.batch, NULL, error);
    if (code == KT_OK) code = kt_batch_find_account(writing.batch, kt_str_from(arguments->words[0]), &account, error);
    if (code == KT_OK) {
        account.closed_from = from;
        code = kt_batch_account(writing.batch, &account, error);
    }
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "account %.255s takes no postings from %s", arguments->words[0],
                       kt_day_format(from, text));
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"from", "DATE", "first day that takes no more postings; default today", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_account_close = {
    .name = "account",
    .verb = "close",
    .words = "CODE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "close an account from a day on",
    .about = "What was posted stays. It is opened again with: kontor account set CODE --close-from none",
    .options = options,
    .example = "kontor account close 5820 --from 2027-01-01",
    .run = run,
};
