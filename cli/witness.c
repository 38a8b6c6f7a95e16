#include "cli/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trust.h"
#include "storage/disk.h"
#include "storage/note.h"

kt_code kt_cosigned_give(const kt_arguments *arguments, const char *book, const char *note, size_t size,
                         kt_error *error) {
    const char *path = kt_given_value(arguments, "out");
    kt_error why = {0};
    kt_code code = KT_OK;
    if (path != NULL) code = kt_disk_replace(path, note, size, error);
    else (void)fwrite(note, 1, size, stdout); /* a failed write is told at the end */
    if (code != KT_OK || book == NULL) return code;
    code = kt_cosigned_keep(book, note, size, &why);
    if (code == KT_PERMISSION) {
        kt_warn("not kept in the book: %s", why.text);
        return KT_OK;
    }
    return code == KT_OK ? KT_OK : kt_fail(error, code, "%s", why.text);
}

/* ---- init, add ---- */

static kt_code add_logs(kt_witness *witness, const kt_arguments *arguments, size_t from, kt_error *error) {
    kt_code code = KT_OK;
    const char *text;
    for (size_t i = from; code == KT_OK && (text = kt_given_nth(arguments, "log", i)) != NULL; i++) {
        char *kept = NULL;
        const char *log = NULL;
        code = kt_trust_key(text, &kept, &log, error);
        if (code == KT_OK) code = kt_witness_add(witness, log, error);
        free(kept);
    }
    return code;
}

static kt_code run_init(const kt_arguments *arguments, kt_error *error) {
    const char *directory = arguments->words[0], *name = kt_given_value(arguments, "name"), *log = NULL;
    kt_witness *witness = NULL;
    char *kept = NULL;
    if (name == NULL) return kt_fail(error, KT_USAGE, "under which name? Give --name, as witness.example.com/w1");
    kt_code code = kt_trust_key(kt_given_value(arguments, "log"), &kept, &log, error);
    if (code == KT_OK) code = kt_witness_create(directory, name, log, error);
    if (code == KT_OK) code = kt_witness_open(directory, NULL, &witness, error);
    if (code == KT_OK) code = add_logs(witness, arguments, 1, error);
    if (code == KT_OK) printf("%s\n", kt_witness_verifier(witness));
    kt_witness_close(witness);
    free(kept);
    return code;
}

static kt_code run_add(const kt_arguments *arguments, kt_error *error) {
    kt_witness *witness = NULL;
    if (kt_given_value(arguments, "log") == NULL) return kt_fail(error, KT_USAGE, "which log? Give --log VKEY");
    kt_code code = kt_witness_open(arguments->words[0], NULL, &witness, error);
    if (code == KT_OK) code = add_logs(witness, arguments, 0, error);
    kt_witness_close(witness);
    return code;
}

/* ---- show ---- */

enum { ORIGIN, SIZE, TIME, EVIDENCE, VERIFIER, COUNT };

static kt_code show_log(void *context, const kt_witness_log *log, kt_error *error) {
    kt_out *out = context;
    kt_out_words(out, ORIGIN, log->origin);
    if (log->size > 0) kt_out_count(out, SIZE, log->size);
    kt_out_time(out, TIME, log->time_us);
    kt_out_count(out, EVIDENCE, log->evidence);
    kt_out_words(out, VERIFIER, log->verifier);
    return kt_out_row(out, error);
}

static kt_code show_last(kt_witness *witness, const char *origin, kt_error *error) {
    char *note = NULL;
    size_t size = 0;
    kt_code code = kt_witness_last(witness, origin, &note, &size, error);
    if (code == KT_OK && note == NULL)
        code = kt_fail(error, KT_NOT_FOUND, "log %s: this witness cosigned nothing of it yet", origin);
    if (code == KT_OK) (void)fwrite(note, 1, size, stdout);
    free(note);
    return code;
}

static kt_code run_show(const kt_arguments *arguments, kt_error *error) {
    static const kt_column columns[COUNT] = {
        [ORIGIN] = {"origin", "log", KT_CELL_TEXT, false},
        [SIZE] = {"tree_size", "records", KT_CELL_COUNT, false},
        [TIME] = {"time", "cosigned", KT_CELL_TEXT, false},
        [EVIDENCE] = {"evidence", "evidence", KT_CELL_COUNT, false},
        [VERIFIER] = {"verifier", NULL, KT_CELL_TEXT, false},
    };
    kt_witness *witness = NULL;
    kt_style style;
    kt_out *out = NULL;
    const char *origin = kt_given_value(arguments, "last");
    kt_code code = kt_style_of(arguments, &style, error);
    if (code == KT_OK) code = kt_witness_open(arguments->words[0], NULL, &witness, error);
    if (code == KT_OK && origin != NULL) code = show_last(witness, origin, error);
    else if (code == KT_OK) {
        kt_say(style, "%s\n\n", kt_witness_verifier(witness));
        code = kt_out_open(style, columns, COUNT, false, &out, error);
        if (code == KT_OK) code = kt_witness_logs(witness, show_log, out, error);
        kt_code closed = kt_out_close(out, code == KT_OK ? error : NULL);
        if (code == KT_OK) code = closed;
    }
    kt_witness_close(witness);
    return code;
}

/* ---- cosign ---- */

static kt_code cosign_book(const kt_arguments *arguments, kt_witness *witness, char **note, size_t *size,
                           kt_error *error) {
    kt_reading reading;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_witness_cosign_view(witness, reading.view, note, size, error);
    kt_reading_close(&reading);
    return code;
}

static kt_code cosign_files(const kt_arguments *arguments, kt_witness *witness, char **note, size_t *size,
                            kt_error *error) {
    const char *proof_path = kt_given_value(arguments, "proof");
    char *checkpoint = NULL, *proof = NULL;
    size_t checkpoint_size = 0, proof_size = 0;
    kt_code code = kt_file_read(kt_given_value(arguments, "checkpoint"), KT_NOTE_MAX, &checkpoint, &checkpoint_size,
                                error);
    if (code == KT_OK && proof_path != NULL)
        code = kt_file_read(proof_path, (size_t)3 * KT_NOTE_MAX, &proof, &proof_size, error);
    if (code == KT_OK)
        code = kt_witness_cosign(witness, checkpoint, checkpoint_size, proof, proof_size, note, size, error);
    free(checkpoint);
    free(proof);
    return code;
}

static kt_code run_cosign(const kt_arguments *arguments, kt_error *error) {
    kt_witness *witness = NULL;
    char *note = NULL;
    size_t size = 0;
    const char *book = NULL;
    bool files = kt_given_value(arguments, "checkpoint") != NULL;
    if (!files && kt_given_value(arguments, "proof") != NULL)
        return kt_fail(error, KT_USAGE, "--proof goes with --checkpoint; a book proves for itself");
    if (files && kt_given_value(arguments, "book") != NULL)
        return kt_fail(error, KT_USAGE, "from a book or from files: --book or --checkpoint");
    kt_code code = files ? KT_OK : kt_book_argument(arguments, &book, error);
    if (code == KT_OK) code = kt_witness_open(arguments->words[0], NULL, &witness, error);
    if (code == KT_OK)
        code = files ? cosign_files(arguments, witness, &note, &size, error)
                     : cosign_book(arguments, witness, &note, &size, error);
    if (code == KT_OK) code = kt_cosigned_give(arguments, book, note, size, error);
    free(note);
    kt_witness_close(witness);
    return code;
}

/* ---- what they take ---- */

static const kt_option init_options[] = {
    {"name", "NAME", "what its cosignatures are signed as, as witness.example.com/w1; needed", NULL, false, false},
    {"log", "VKEY", "the verifier key (or a file with it) of a log to cosign; may be repeated", NULL, false, true},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_witness_init = {
    .name = "witness",
    .verb = "init",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .group = KT_GROUP_TRUST,
    .summary = "make a witness with a key of its own, and print its verifier key",
    .about =
        "A witness belongs to somebody else than the book's owner: an auditor, a bank, another company. It cosigns a "
        "checkpoint only where it extends the last one it cosigned. A log's verifier key is what kontor checkpoint "
        "--verifier prints.",
    .options = init_options,
    .example = "kontor witness init /var/lib/witness --name audit.example.com/w1 --log acme.vkey",
    .run = run_init,
};

static const kt_option add_options[] = {
    {"log", "VKEY", "the verifier key (or a file with it); may be repeated", NULL, false, true},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_witness_add = {
    .name = "witness",
    .verb = "add",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .group = KT_GROUP_TRUST,
    .summary = "tell a witness of another log, or of a log's new key",
    .options = add_options,
    .example = "kontor witness add /var/lib/witness --log acme.vkey",
    .run = run_add,
};

static const kt_option show_options[] = {
    {"last", "ORIGIN", "print the note that it cosigned last of this log", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_witness_show = {
    .name = "witness",
    .verb = "show",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_STYLE,
    .group = KT_GROUP_TRUST,
    .summary = "what a witness cosigned last of each log, and how much evidence it keeps",
    .about =
        "The note that --last prints is the newest there is: verify --cosigned FILE holds a book against it. Evidence "
        "lies in DIR/evidence; kontor check-proof says of each file what does not hold.",
    .options = show_options,
    .example = "kontor witness show /var/lib/witness",
    .run = run_show,
};

static const kt_option cosign_options[] = {
    {"checkpoint", "CHECKPOINT-FILE", "cosign this one, in place of a book's", NULL, false, false},
    {"proof", "FILE", "that it extends the last one: kontor prove --from LAST prints it", NULL, false, false},
    {"out", "FILE", "where the cosigned checkpoint goes; default: standard output", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_witness_cosign = {
    .name = "witness",
    .verb = "cosign",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_TRUST,
    .summary = "cosign a checkpoint that extends the last one, or refuse and keep the evidence",
    .about =
        "Reads checkpoint and proof from a book, or from files. What is cosigned is printed as a note with the log's "
        "signature and the witness's, and kept in the book's witness/, where kontor verify --witness finds it. The "
        "exit "
        "status is 1 where it refuses.",
    .options = cosign_options,
    .example = "kontor witness cosign /var/lib/witness --book books/acme",
    .run = run_cosign,
};
