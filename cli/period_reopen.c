#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    char what[120];
    kt_day month;
    kt_str reason = kt_str_from(kt_given_value(arguments, "reason"));
    kt_code code = kt_word_month(arguments->words[0], &month, error);
    if (code == KT_OK && reason.size == 0)
        code = kt_fail(error, KT_USAGE, "period reopen needs --reason TEXT: it goes on record");
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = kt_batch_period_reopen(writing.batch, month, reason, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "%.7s reopened", arguments->words[0]);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"reason", "TEXT", "why; it goes on record. Required", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_period_reopen = {
    .name = "period",
    .verb = "reopen",
    .words = "MONTH",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "reopen a closed month, with a reason",
    .options = options,
    .example = "kontor period reopen 2026-03 --reason \"late supplier invoice 4711\"",
    .run = run,
};
