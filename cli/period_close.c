#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    char what[120];
    kt_day month;
    kt_code code = KT_OK;
    for (size_t i = 0; code == KT_OK && i < arguments->word_count; i++)
        code = kt_word_month(arguments->words[i], &month, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    for (size_t i = 0; code == KT_OK && i < arguments->word_count; i++) {
        code = kt_word_month(arguments->words[i], &month, error);
        if (code == KT_OK) code = kt_batch_period_close(writing.batch, month, error);
    }
    if (code == KT_OK) {
        if (arguments->word_count == 1) (void)snprintf(what, sizeof(what), "%.7s closed", arguments->words[0]);
        else
            (void)snprintf(what, sizeof(what), "%zu months closed, %.7s to %.7s", arguments->word_count,
                           arguments->words[0], arguments->words[arguments->word_count - 1]);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

const kt_command kt_command_period_close = {
    .name = "period",
    .verb = "close",
    .words = "MONTH...",
    .least = 1,
    .most = 1200,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "close months: nothing more can be posted in them",
    .about = "Several months are closed together or not at all.",
    .example = "kontor period close 2026-03",
    .run = run,
};
