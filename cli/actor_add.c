#include <stdio.h>

#include "cli/key.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    uint8_t key[KT_KEY_SIZE];
    char what[200];
    const char *id = arguments->words[0], *public_key = kt_given_value(arguments, "public");
    if (public_key == NULL)
        return kt_fail(error, KT_USAGE,
                       "actor add needs --public KEY: digits, a key file or an OpenSSH public key file");
    kt_code code = kt_key_public(public_key, key, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = kt_batch_actor_add(writing.batch, kt_str_from(id), key, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "actor %.64s added; kontor actor grant says what he may do", id);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"public", "KEY|FILE", "the public key in hexadecimal, a key file, or an OpenSSH public key file; required", NULL,
     false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_actor_add = {
    .name = "actor",
    .verb = "add",
    .words = "ID",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "put an actor on record, with the first key",
    .about = "The id stays on record for ever: a staff number or initials, not a name. Of a key file only the public\n"
             "half is read.",
    .options = options,
    .example = "kontor actor add anna --public anna.key",
    .run = run,
};
