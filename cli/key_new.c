#include <stdio.h>
#include <string.h>

#include "cli/key.h"

/* What the file is called, without its ending: "keys/anna.key" is anna's. */
static void name_of(const char *path, char out[KT_KEY_NAME_MAX + 1]) {
    const char *slash = strrchr(path, '/'), *from = slash == NULL ? path : slash + 1;
    size_t size = strlen(from);
    if (size > 4 && strcmp(from + size - 4, ".key") == 0) size -= 4;
    (void)snprintf(out, KT_KEY_NAME_MAX + 1, "%.*s", (int)size, from);
}

static kt_code make(const kt_arguments *arguments, const char *path, const char *name, kt_error *error) {
    kt_signer *signer = NULL;
    kt_code code = kt_signer_generate(&signer, error);
    if (code == KT_OK)
        code = kt_given_flag(arguments, "lock") ? kt_key_save_locked(signer, path, name, kt_passphrase_choose,
                                                                     kt_passphrase_context(arguments), error)
                                                : kt_key_save(signer, path, name, NULL, error);
    kt_signer_close(signer);
    return code;
}

static kt_code make_for_agent(const char *path, const char *name, const char *public_file, kt_error *error) {
    uint8_t key[KT_KEY_SIZE];
    kt_signer *signer = NULL;
    kt_error unheld = {0};
    kt_code code = kt_key_openssh(public_file, key, error);
    if (code == KT_OK) code = kt_key_save_agent(key, path, name, error);
    if (code != KT_OK) return code;
    if (kt_signer_from_agent(key, name, &signer, &unheld) != KT_OK) kt_warn("%s", unheld.text);
    kt_signer_close(signer);
    return KT_OK;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    const char *path = arguments->words[0], *agent = kt_given_value(arguments, "agent");
    const char *name = kt_given_value(arguments, "name");
    char own[KT_KEY_NAME_MAX + 1];
    kt_key_about about;
    kt_style style;
    name_of(path, own);
    if (name == NULL) name = own;
    if (agent != NULL && kt_given_flag(arguments, "lock"))
        return kt_fail(error, KT_USAGE, "--lock and --agent: ssh-agent holds the secret, so there is none to lock");
    kt_code code = kt_style_of(arguments, &style, error);
    if (code == KT_OK) code = kt_passphrase_check(arguments, error);
    if (code == KT_OK)
        code = agent != NULL ? make_for_agent(path, name, agent, error) : make(arguments, path, name, error);
    if (code == KT_OK) code = kt_key_look(path, &about, error);
    if (code == KT_OK) code = kt_key_show(style, path, &about, kt_key_kind_name(about.kind), NULL, error);
    if (code == KT_OK && agent == NULL)
        kt_say(style,
               "\nBack it up: there is no other copy. An administrator lets it act: kontor actor add ID --public "
               "FILE\n");
    return code;
}

static const kt_option options[] = {
    {"name", "NAME", "what people call it; default: the file's name without .key", NULL, false, false},
    {"lock", NULL, "lock it with a passphrase", NULL, false, false},
    {"agent", "PUBFILE", "no new key: one that ssh-agent holds, by its OpenSSH public key file (Ed25519)", NULL, false,
     false},
    KT_PASSPHRASE_OPTION,
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_key_new = {
    .name = "key",
    .verb = "new",
    .words = "FILE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "make a signing key, or a file for one that ssh-agent holds",
    .about = "The file has mode 0600 and is never overwritten. It serves wherever --key FILE stands. With --agent the\n"
             "file holds no secret: whoever signs asks the agent at SSH_AUTH_SOCK.",
    .options = options,
    .example = "kontor key new anna.key --lock",
    .run = run,
};
