#include <inttypes.h>
#include <stdio.h>

#include "cli/common.h"
#include "cli/progress.h"

/* Its state differs then, as it must. */
static bool is_older(const char *directory) {
    kt_open_options options = {.read_only = true};
    kt_book *book;
    kt_code code = kt_book_open(directory, &options, &book, NULL);
    if (code == KT_OK) kt_book_close(book);
    return code == KT_OLDER;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    const char *directory;
    kt_progress progress;
    bool equal = false;
    uint64_t records = 0;
    char count[KT_AMOUNT_TEXT];
    kt_code code = kt_book_argument(arguments, &directory, error);
    bool older = code == KT_OK && is_older(directory);
    if (code == KT_OK && !older && kt_given_value(arguments, "entity") != NULL) {
        kt_book *book;
        code = kt_open_argument(arguments, true, &book, error);
        if (code == KT_OK) kt_book_close(book);
    }
    if (code != KT_OK) return code;
    kt_progress_begin(&progress, "rebuilding");
    code = kt_rebuild(directory, kt_progress_records, &progress, &equal, &records, error);
    kt_progress_end(&progress);
    if (code != KT_OK) return code;
    (void)kt_amount_format((kt_amount)records, 0, ',', count);
    if (older) {
        printf("%s records replayed; the state is in this version's format now\n", count);
        return KT_OK;
    }
    printf("%s records replayed; the state came out %s\n", count, equal ? "the same" : "different, and is the new one");
    if (!equal)
        return kt_fail(error, KT_DAMAGED, "%s: the state that was stored was not what the journal says", directory);
    return KT_OK;
}

const kt_command kt_command_rebuild = {
    .name = "rebuild",
    .words = "",
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_TRUST,
    .summary = "drop all that is derived, replay the journal, and compare",
    .about =
        "Exit status 1 where it came out different: the journal's is kept then. A book whose state is of an older\n"
        "format is brought to this version's.",
    .example = "kontor rebuild --book acme",
    .run = run,
};
