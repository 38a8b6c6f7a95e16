#include <stdio.h>
#include <stdlib.h>

#include "cli/common.h"
#include "storage/note.h"

static kt_code print_row(const kt_reading *reading, const char *note, kt_error *error) {
    enum { ORIGIN, SIZE, ROOT, VERIFIER, NOTE, COUNT };
    static const kt_column columns[COUNT] = {
        [ORIGIN] = {"origin", NULL, KT_CELL_TEXT, false}, [SIZE] = {"tree_size", NULL, KT_CELL_NUMBER, false},
        [ROOT] = {"root", NULL, KT_CELL_TEXT, false},     [VERIFIER] = {"verifier", NULL, KT_CELL_TEXT, false},
        [NOTE] = {"note", NULL, KT_CELL_TEXT, false},
    };
    char root[48];
    kt_out *out;
    kt_code code = kt_out_open(reading->style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    (void)kt_base64_encode(reading->head.root, sizeof(reading->head.root), root);
    kt_out_words(out, ORIGIN, kt_book_origin(reading->book));
    kt_out_count(out, SIZE, reading->head.size);
    kt_out_words(out, ROOT, root);
    kt_out_words(out, VERIFIER, kt_book_verifier(reading->book));
    kt_out_words(out, NOTE, note);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    char *note = NULL;
    size_t size = 0;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK && kt_given_flag(arguments, "verifier")) {
        printf("%s\n", kt_book_verifier(reading.book));
    } else if (code == KT_OK) {
        code = kt_view_checkpoint(reading.view, &note, &size, error);
        if (code == KT_OK && reading.style == KT_STYLE_TABLE) (void)fwrite(note, 1, size, stdout);
        else if (code == KT_OK) code = print_row(&reading, note, error);
    }
    free(note);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"verifier", NULL, "print the key that checks it instead: name+hash+key", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_checkpoint = {
    .name = "checkpoint",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_TRUST,
    .summary = "print the signed checkpoint of the book (C2SP)",
    .about = "Keep it somewhere else: kontor verify --since FILE then proves that nothing before it was changed.",
    .options = options,
    .example = "kontor checkpoint > checkpoint-2026-06.txt",
    .run = run,
};
