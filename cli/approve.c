#include <inttypes.h>
#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    uint64_t proposal = 0, entry = 0;
    char what[120];
    kt_code code = KT_OK;
    for (size_t i = 0; code == KT_OK && i < arguments->word_count; i++)
        code = kt_word_number(arguments->words[i], "a proposal", &proposal, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    for (size_t i = 0; code == KT_OK && i < arguments->word_count; i++) {
        code = kt_word_number(arguments->words[i], "a proposal", &proposal, error);
        if (code == KT_OK) code = kt_batch_approve(writing.batch, proposal, &entry, error);
    }
    if (code == KT_OK) {
        if (arguments->word_count == 1)
            (void)snprintf(what, sizeof(what), "proposal %" PRIu64 " approved as entry %" PRIu64, proposal, entry);
        else (void)snprintf(what, sizeof(what), "%zu proposals approved", arguments->word_count);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

const kt_command kt_command_approve = {
    .name = "approve",
    .words = "NUMBER...",
    .least = 1,
    .most = 100000,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "post what another proposed",
    .about =
        "By another person than the one who proposed it, who may approve so much. Several are approved together or\n"
        "not at all.",
    .example = "kontor approve 17 --key controller.key",
    .run = run,
};
