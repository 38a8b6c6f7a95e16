/*
 * options: reading a command line by the tables in command.h.
 *
 * Long options as --name VALUE or --name=VALUE, flags as --name, "--" ends the options, "-" is a word. Options and
 * words may be mixed; those that every command knows may also stand before the command.
 *
 * Lifetime: kt_arguments borrows argv; kt_arguments_release gives back the rest.
 * Errors: KT_USAGE, with a sentence that names the option or word and what was expected.
 */
#ifndef KT_CLI_OPTIONS_H
#define KT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

typedef struct kt_given {
    const kt_option *option;
    const char *value; /* NULL: a flag, or an optional value that was not given */
} kt_given;

typedef struct kt_arguments {
    const kt_command *command; /* NULL: none was named */
    const char *family;        /* "account" with no verb and --help: help for all its verbs */
    bool help, version;
    kt_given *given;
    size_t given_count;
    const char **words;
    size_t word_count;
} kt_arguments;

kt_code kt_arguments_parse(int argc, char **argv, kt_arguments *out, kt_error *error);
void kt_arguments_release(kt_arguments *arguments);

/* Whether an option was given. Asking for one the command does not have is a bug. */
bool kt_given_flag(const kt_arguments *arguments, const char *name);
/* Its value, NULL where it was not given (or given without one). */
const char *kt_given_value(const kt_arguments *arguments, const char *name);
/* The value of its n-th appearance, NULL behind the last. */
const char *kt_given_nth(const kt_arguments *arguments, const char *name, size_t n);

/* The n-th option a command takes, its own first, then the common ones; NULL behind the last. command NULL: those
   that may stand before the command. */
const kt_option *kt_option_nth(const kt_command *command, size_t n);
/* By name (size bytes of it). */
const kt_option *kt_option_find(const kt_command *command, const char *name, size_t size);

#endif
