#include <inttypes.h>
#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    uint64_t proposal = 0;
    char what[80];
    kt_str reason = kt_str_from(kt_given_value(arguments, "reason"));
    if (reason.size == 0) return kt_fail(error, KT_USAGE, "reject needs --reason TEXT: why");
    kt_code code = kt_word_number(arguments->words[0], "a proposal", &proposal, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = kt_batch_reject(writing.batch, proposal, reason, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "proposal %" PRIu64 " rejected", proposal);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"reason", "TEXT", "why; required, and on record", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_reject = {
    .name = "reject",
    .words = "NUMBER",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "reject what another proposed, or withdraw what you did",
    .options = options,
    .example = "kontor reject 17 --reason \"no invoice\"",
    .run = run,
};
