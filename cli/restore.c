#include <stdio.h>

#include "cli/trust.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_trust trust;
    const char *source = arguments->words[0], *destination = arguments->words[1];
    kt_code code = kt_trust_open(arguments, "restoring", &trust, error);
    if (code == KT_OK) {
        code = kt_restore(source, destination, &trust.options, error);
        kt_progress_end(&trust.progress);
        if (code == KT_OK)
            kt_say(trust.style,
                   "restored to %s and verified\n"
                   "To know that nothing is missing at its end: kontor verify --since CHECKPOINT, with the newest "
                   "one kept.\n",
                   destination);
    }
    kt_code closed = kt_trust_close(&trust, code == KT_OK ? error : NULL);
    return code != KT_OK ? code : closed;
}

const kt_command kt_command_restore = {
    .name = "restore",
    .words = "SRC DEST",
    .least = 2,
    .most = 2,
    .takes = KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "make a book from a backup, and verify it",
    .about = "DEST must not exist: nothing is overwritten.",
    .example = "kontor restore /backup/acme-2026-06-30 acme",
    .run = run,
};
