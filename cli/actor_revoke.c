#include <stdio.h>

#include "cli/actor.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    kt_role role;
    char what[200];
    kt_str reason = kt_str_from(kt_given_value(arguments, "reason"));
    if (reason.size == 0) return kt_fail(error, KT_USAGE, "actor revoke needs --reason TEXT: why");
    kt_code code = kt_word_role(arguments->words[1], &role, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK)
        code = kt_batch_actor_revoke(writing.batch, kt_str_from(arguments->words[0]), role, reason, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "actor %.64s is no longer %s", arguments->words[0], kt_role_name(role));
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"reason", "TEXT", "why; required, and on record", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_actor_revoke = {
    .name = "actor",
    .verb = "revoke",
    .words = "ID ROLE",
    .least = 2,
    .most = 2,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "take a role back",
    .about = "What was done under it stays. A key that fell into other hands is taken out of use by key revoke.",
    .options = options,
    .example = "kontor actor revoke anna clerk --reason \"left the department\"",
    .run = run,
};
