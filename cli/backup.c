#include <stdio.h>

#include "cli/trust.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_trust trust;
    kt_book *book = NULL;
    const char *destination = arguments->words[0];
    kt_code code = kt_open_argument(arguments, true, &book, error);
    if (code != KT_OK) return code;
    code = kt_trust_open(arguments, "backing up", &trust, error);
    if (code == KT_OK) {
        code = kt_backup(book, destination, &trust.options, error);
        kt_progress_end(&trust.progress);
        if (code == KT_OK)
            kt_say(trust.style,
                   "backed up to %s and verified\n"
                   "The signing keys are in it: keep it where only those may read it who may post.\n",
                   destination);
    }
    kt_code closed = kt_trust_close(&trust, code == KT_OK ? error : NULL);
    kt_book_close(book);
    return code != KT_OK ? code : closed;
}

const kt_command kt_command_backup = {
    .name = "backup",
    .words = "DEST",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "copy the book while others post, and verify the copy",
    .about = "DEST must not exist. --json gives what verification found wrong: [] where nothing.",
    .example = "kontor backup /backup/acme-2026-06-30",
    .run = run,
};
