/*
 * passphrase: where the passphrase of a locked key comes from: a descriptor given as --passphrase-fd N, a line for each
 * key that is asked for, or the terminal, with its echo off, which is put back whatever signal comes in between. Never an
 * argument, never the environment.
 *
 * Both callbacks take the command's kt_arguments as their context (kt_passphrase_context), and write into the guarded memory
 * that storage/keys gives them, a byte at a time, so that there is no other copy (law 9).
 * Errors: KT_KEY: nobody to ask, interrupted, or nothing was given. KT_USAGE: --passphrase-fd is no open descriptor.
 */
#ifndef KT_CLI_PASSPHRASE_H
#define KT_CLI_PASSPHRASE_H

#include "cli/options.h"

/* For commands that do not take --key. */
#define KT_PASSPHRASE_OPTION                                                                                          \
    {                                                                                                                 \
        "passphrase-fd", "N", "read passphrases from descriptor N, a line for each, and not from the terminal", NULL, \
            false, false                                                                                              \
    }

void *kt_passphrase_context(const kt_arguments *arguments);
/* Says now what would be wrong with --passphrase-fd later. */
kt_code kt_passphrase_check(const kt_arguments *arguments, kt_error *error);
/* That of a key which is locked. */
kt_code kt_passphrase_ask(void *arguments, const char *key_name, char *out, size_t room, kt_error *error);
/* A new one: on a terminal twice. */
kt_code kt_passphrase_choose(void *arguments, const char *key_name, char *out, size_t room, kt_error *error);

#endif
