#include <stdlib.h>

#include "cli/common.h"
#include "storage/note.h"

static kt_code consistency(const kt_arguments *arguments, kt_view *view, char **text, size_t *size, kt_error *error) {
    const char *paths[] = {kt_given_value(arguments, "from"), kt_given_value(arguments, "to")};
    char *notes[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    kt_code code = KT_OK;
    for (unsigned i = 0; i < 2 && code == KT_OK; i++)
        if (paths[i] != NULL) code = kt_file_read(paths[i], KT_NOTE_MAX, &notes[i], &sizes[i], error);
    if (code == KT_OK) code = kt_prove_consistency(view, notes[0], sizes[0], notes[1], sizes[1], text, size, error);
    free(notes[0]);
    free(notes[1]);
    return code;
}

static kt_code inclusion(const kt_arguments *arguments, kt_view *view, uint64_t number, char **text, size_t *size,
                         kt_error *error) {
    const char *path = kt_given_value(arguments, "under");
    char *note = NULL;
    size_t note_size = 0;
    kt_code code = path == NULL ? KT_OK : kt_file_read(path, KT_NOTE_MAX, &note, &note_size, error);
    if (code == KT_OK) code = kt_prove_under(view, number, note, note_size, text, size, error);
    free(note);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    char *text = NULL;
    size_t size = 0;
    uint64_t number = 0;
    bool from = kt_given_value(arguments, "from") != NULL, to = kt_given_value(arguments, "to") != NULL;
    if (from == (arguments->word_count > 0) || (to && !from) || (from && kt_given_value(arguments, "under") != NULL))
        return kt_fail(error, KT_USAGE, "expected an entry's number, or --from CHECKPOINT-FILE and perhaps --to");
    kt_code code = from ? KT_OK : kt_word_number(arguments->words[0], "an entry", &number, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK)
        code = from ? consistency(arguments, reading.view, &text, &size, error)
                    : inclusion(arguments, reading.view, number, &text, &size, error);
    if (code == KT_OK) (void)fwrite(text, 1, size, stdout); /* a failed write is told at the end */
    free(text);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"from", "CHECKPOINT-FILE", "prove that the book extends this checkpoint, in place of an entry", NULL, false,
     false},
    {"to", "CHECKPOINT-FILE", "and that this later one does; default: the newest", NULL, false, false},
    {"under", "CHECKPOINT-FILE", "prove the entry under this checkpoint, such as a cosigned one; default: the newest",
     NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_prove = {
    .name = "prove",
    .words = "[ENTRY]",
    .most = 1,
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_TRUST,
    .summary = "print a proof that an entry is in the book (C2SP tlog-proof)",
    .about = "The file holds the whole entry, its way to the root and the signed checkpoint: whoever has it and the "
             "verifier key "
             "needs no book (kontor check-proof). Any other record is proved by its number too.",
    .options = options,
    .example = "kontor prove 4711 > voucher.tlog-proof",
    .run = run,
};
