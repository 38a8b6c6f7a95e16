#include <stdio.h>

#include "cli/key.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_key_about about;
    kt_style style;
    kt_code code = kt_style_of(arguments, &style, error);
    if (code == KT_OK) code = kt_passphrase_check(arguments, error);
    if (code == KT_OK)
        code = kt_key_relock(arguments->words[0], kt_passphrase_ask, kt_passphrase_choose,
                             kt_passphrase_context(arguments), error);
    if (code == KT_OK) code = kt_key_look(arguments->words[0], &about, error);
    return code == KT_OK ? kt_key_show(style, arguments->words[0], &about, kt_key_kind_name(about.kind), NULL, error)
                         : code;
}

static const kt_option options[] = {
    KT_PASSPHRASE_OPTION,
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_key_lock = {
    .name = "key",
    .verb = "lock",
    .words = "FILE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "lock a key file with a passphrase, or change its passphrase",
    .about =
        "A new file takes the old one's place, whose bytes are overwritten as far as the file system does that in\n"
        "place; copies made before are not touched. Without the passphrase the key is lost.",
    .options = options,
    .example = "kontor key lock acme/keys/log.key",
    .run = run,
};

static kt_code run_unlock(const kt_arguments *arguments, kt_error *error) {
    kt_key_about about;
    kt_style style;
    kt_code code = kt_style_of(arguments, &style, error);
    if (code == KT_OK) code = kt_passphrase_check(arguments, error);
    if (code == KT_OK) code = kt_key_look(arguments->words[0], &about, error);
    if (code == KT_OK && about.kind == KT_KEY_OPEN)
        code = kt_fail(error, KT_USAGE, "%s: is not locked", arguments->words[0]);
    if (code == KT_OK)
        code = kt_key_relock(arguments->words[0], kt_passphrase_ask, NULL, kt_passphrase_context(arguments), error);
    if (code == KT_OK) code = kt_key_look(arguments->words[0], &about, error);
    return code == KT_OK ? kt_key_show(style, arguments->words[0], &about, kt_key_kind_name(about.kind), NULL, error)
                         : code;
}

const kt_command kt_command_key_unlock = {
    .name = "key",
    .verb = "unlock",
    .words = "FILE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "take the passphrase off a key file",
    .about = "Whoever reads the file can sign with it then.",
    .options = options,
    .example = "kontor key unlock anna.key",
    .run = run_unlock,
};
