#include <stdlib.h>
#include <string.h>

#include "cli/http.h"
#include "cli/trust.h"
#include "cli/witness.h"

static kt_code post(void *context, const char *body, size_t size, unsigned *status, char *answer, size_t room,
                    size_t *answer_size, kt_error *error) {
    return kt_http_post(context, "/add-checkpoint", body, size, status, answer, room, answer_size, error);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    char *kept = NULL, *note = NULL, *url = strdup(arguments->words[0]);
    const char *witness = NULL, *book = NULL;
    size_t size = 0;
    kt_code code = url == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : kt_book_argument(arguments, &book, error);
    if (code == KT_OK) code = kt_trust_key(kt_given_value(arguments, "witness"), &kept, &witness, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_witness_ask(reading.view, post, url, witness, &note, &size, error);
    if (code == KT_OK) code = kt_cosigned_give(arguments, book, note, size, error);
    kt_reading_close(&reading);
    free(note);
    free(kept);
    free(url);
    return code;
}

static const kt_option options[] = {
    {"witness", "VKEY", "the witness's verifier key (or a file with it), which must have signed", NULL, false, false},
    {"out", "FILE", "where the cosigned checkpoint goes; default: standard output", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_witness_ask = {
    .name = "witness",
    .verb = "ask",
    .words = "URL",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_TRUST,
    .summary = "have the book's checkpoint cosigned by a witness that serves (C2SP tlog-witness)",
    .about =
        "Sends the checkpoint and its proof, nothing of the entries. The cosigned checkpoint is printed and kept in "
        "the "
        "book's witness/, joined with what other witnesses cosigned of the same one: ask them one after the other.",
    .options = options,
    .example = "kontor witness ask http://127.0.0.1:8470 --witness w1.vkey --out cosigned.txt",
    .run = run,
};
