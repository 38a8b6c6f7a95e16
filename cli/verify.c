#include <inttypes.h>

#include "cli/trust.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_trust trust;
    kt_verify_result result = {0};
    const char *directory;
    kt_code code = kt_book_argument(arguments, &directory, error);
    if (code == KT_OK && kt_given_value(arguments, "entity") != NULL) {
        kt_book *book;
        code = kt_open_argument(arguments, true, &book, error);
        if (code == KT_OK) kt_book_close(book);
    }
    if (code != KT_OK) return code;
    code = kt_trust_open(arguments, "verifying", &trust, error);
    if (code == KT_OK) {
        code = kt_verify(directory, &trust.options, &result, error);
        kt_progress_end(&trust.progress);
        if (code == KT_OK || trust.findings > 0) kt_trust_print(&trust, &result);
        if (trust.findings > 0 && code == KT_DAMAGED) {
            uint64_t count = result.findings > trust.findings ? result.findings : trust.findings;
            code = kt_fail(error, KT_DAMAGED, "%s: %" PRIu64 " finding%s", directory, count, count == 1 ? "" : "s");
        }
    }
    kt_code closed = kt_trust_close(&trust, code == KT_OK ? error : NULL);
    return code != KT_OK ? code : closed;
}

static const kt_option options[] = {
    {"key", "PUBKEY", "the verifier key (or a file with it) that must have signed; default: the book's own", NULL,
     false, false},
    {"since", "CHECKPOINT-FILE", "a checkpoint kept from before, which the book must extend", NULL, false, false},
    {"witness", "VKEY",
     "a witness's key (or a file with it) that must have cosigned what the book extends; may be repeated", NULL, false,
     true},
    {"quorum", "N", "how many of these witnesses must have cosigned one checkpoint; default: all", NULL, false, false},
    {"cosigned", "CHECKPOINT-FILE",
     "hold the book against this cosigned checkpoint, in place of those it keeps itself; may be "
     "repeated",
     NULL, false, true},
    {"most", "N", "stop after so many findings; default 100", NULL, false, false},
    {"threads", "N", "default: one for each core", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_verify = {
    .name = "verify",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_TRUST,
    .summary = "recompute and compare everything: leaves, tree, signatures, state",
    .about = "Says what is wrong and where, first error first; exit status 1 then. --json gives the findings.",
    .options = options,
    .example = "kontor verify --since checkpoint-2026-06.txt",
    .run = run,
};
