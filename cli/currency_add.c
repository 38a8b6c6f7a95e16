#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    uint64_t decimals = 0;
    char what[120];
    kt_code code = kt_word_number(arguments->words[1], "decimals", &decimals, error);
    if (code == KT_OK && decimals > KT_DECIMALS_MAX)
        code = kt_fail(error, KT_USAGE, "%.20s decimals: expected 0 to %d", arguments->words[1], KT_DECIMALS_MAX);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK)
        code = kt_batch_currency(writing.batch, kt_str_from(arguments->words[0]), (uint8_t)decimals, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "currency %.32s has %u decimals", arguments->words[0], (unsigned)decimals);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

const kt_command kt_command_currency_add = {
    .name = "currency",
    .verb = "add",
    .words = "CODE DECIMALS",
    .least = 2,
    .most = 2,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "declare a currency and its decimals (0 to 18)",
    .about = "Currencies of ISO 4217 need no declaration. Decimals may change while nothing is posted in it.",
    .example = "kontor currency add BTC 8",
    .run = run,
};
