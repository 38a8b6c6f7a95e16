/* key: what the key commands share: naming a key by its digits or a file, and one row that shows a key. */
#ifndef KT_CLI_KEY_H
#define KT_CLI_KEY_H

#include "cli/common.h"
#include "cli/passphrase.h"
#include "storage/keys.h"

/* 64 hexadecimal digits, a key file of Kontor's, or a public key file of OpenSSH's with one Ed25519 key in it. */
kt_code kt_key_public(const char *text, uint8_t out[KT_KEY_SIZE], kt_error *error);
/* An OpenSSH public key file alone. */
kt_code kt_key_openssh(const char *path, uint8_t out[KT_KEY_SIZE], kt_error *error);
const char *kt_key_kind_name(kt_key_kind kind); /* "open", "locked", "ssh-agent" */
/* One key upright: what it is called, where it lies, its public half in every form. path may be NULL. vkey may be NULL. */
kt_code kt_key_show(kt_style style, const char *path, const kt_key_about *about, const char *kind, const char *vkey,
                    kt_error *error);

#endif
