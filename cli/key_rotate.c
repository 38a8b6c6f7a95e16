#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/key.h"
#include "engine/book.h"

/* Both keys sign: the old one that it gives way, the new one that it is in its holder's hands. */
static kt_code rotate(kt_writing *writing, const kt_signer *from, const kt_signer *to, kt_error *error) {
    char message[KT_ROTATION_MESSAGE_MAX];
    uint8_t from_signature[KT_SIGNATURE_SIZE], to_signature[KT_SIGNATURE_SIZE];
    size_t size = kt_key_rotation_message(kt_book_origin(writing->book), kt_signer_public(from), kt_signer_public(to),
                                          message);
    kt_code code = kt_sign(from, message, size, from_signature, error);
    if (code == KT_OK) code = kt_sign(to, message, size, to_signature, error);
    if (code != KT_OK) return code;
    return kt_batch_key_rotate(writing->batch, kt_signer_public(from), kt_signer_public(to), from_signature,
                               to_signature, error);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    kt_signer *to = NULL;
    char what[200];
    const char *file = kt_given_value(arguments, "to");
    if (file == NULL) return kt_fail(error, KT_USAGE, "key rotate needs --to FILE: the new key (kontor key new)");
    bool log = kt_given_flag(arguments, "log");
    kt_code code = kt_passphrase_check(arguments, error);
    if (code == KT_OK && !log)
        code = kt_key_load(file, kt_passphrase_ask, kt_passphrase_context(arguments), &to, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK)
        code = log ? kt_batch_log_rotate(writing.batch, file, error)
                   : rotate(&writing, kt_book_actor_signer(writing.book), to, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "the %s key is that of %.120s from now on", log ? "log's" : "actor's", file);
        code = kt_writing_commit(&writing, what, error);
    }
    /* What took the place of the book's own key does so among its files, too. */
    if (code == KT_OK && log) (void)unlink(file); /* it has its name in the book */
    else if (code == KT_OK && kt_key_argument(arguments) == NULL) code = kt_book_own_key(writing.book, file, error);
    kt_writing_close(&writing);
    kt_signer_close(to);
    return code;
}

static const kt_option options[] = {
    {"to", "FILE", "the new key's file; required", NULL, false, false},
    {"log", NULL, "not an actor's key, but the one that signs the book's checkpoints; owners only", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_key_rotate = {
    .name = "key",
    .verb = "rotate",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "give an actor a new key, signed for by the old one and the new",
    .about = "The old key (--key) signs the batch and is good for nothing behind it. Without --key it is the book's "
             "own actor,\n"
             "and the file moves into the book (keys/actor.key). With --log it moves to keys/log.key, and the "
             "checkpoint over\n"
             "this batch is signed by the new key: give the new verifier key (kontor checkpoint --verifier) to "
             "auditors and\n"
             "witnesses.",
    .options = options,
    .example = "kontor key rotate --key anna.key --to anna-2027.key",
    .run = run,
};
