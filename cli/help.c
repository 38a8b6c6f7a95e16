#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "engine/kontor.h"

static int print_name(const kt_command *command) {
    return printf("%s%s%s", command->name, command->verb == NULL ? "" : " ",
                  command->verb == NULL ? "" : command->verb);
}

static void pad(int used, int to) { printf("%*s", used < to ? to - used : 2, ""); }

void kt_help_overview(void) {
    static const char *const titles[KT_GROUP_COUNT] = {
        [KT_GROUP_POSTING] = "Post",
        [KT_GROUP_READING] = "Read the books",
        [KT_GROUP_REGISTERS] = "Accounts, months, the company",
        [KT_GROUP_TRUST] = "Check and prove (for auditors)",
        [KT_GROUP_KEEPING] = "Keep the book (for administrators)",
        [KT_GROUP_OTHER] = "More",
    };
    printf("kontor %s: a company's books in one signed, append-only journal\n\n"
           "Usage: kontor COMMAND [words] [options] --book DIR     (or KONTOR_BOOK=DIR)\n",
           KT_VERSION);
    for (int group = 0; group < KT_GROUP_COUNT; group++) {
        printf("\n%s\n", titles[group]);
        for (const kt_command *const *at = kt_commands; *at != NULL; at++) {
            if ((int)(*at)->group != group) continue;
            printf("  ");
            pad(print_name(*at), 18);
            printf("%s\n", (*at)->summary);
        }
    }
    printf("\nkontor COMMAND --help says more, with an example. Start with:\n  %s\n", kt_command_init.example);
}

static void print_options(const kt_command *command) {
    const kt_option *option;
    printf("\nOptions\n");
    for (size_t n = 0; (option = kt_option_nth(command, n)) != NULL; n++) {
        int used = printf("  --%s", option->name);
        if (option->argument != NULL && option->value_optional) used += printf("[=%s]", option->argument);
        else if (option->argument != NULL) used += printf(" %s", option->argument);
        pad(used, 34);
        printf("%s\n", option->help);
    }
}

void kt_help_command(const kt_command *command) {
    printf("kontor ");
    print_name(command);
    printf(": %s\n\nUsage: kontor ", command->summary);
    print_name(command);
    printf("%s%s [options]\n", command->words[0] == '\0' ? "" : " ", command->words);
    if (command->about != NULL) printf("\n%s\n", command->about);
    print_options(command);
    printf("\nExample\n  %s\n", command->example);
}

void kt_help_family(const char *name) {
    printf("Usage: kontor %s VERB [words] [options]\n\n", name);
    for (const kt_command *const *at = kt_commands; *at != NULL; at++) {
        if (strcmp((*at)->name, name) != 0) continue;
        int used = printf("  %s%s%s", (*at)->verb, (*at)->words[0] == '\0' ? "" : " ", (*at)->words);
        pad(used, 24);
        printf("%s\n", (*at)->summary);
    }
    printf("\nExample\n");
    for (const kt_command *const *at = kt_commands; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0) printf("  %s\n", (*at)->example);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    if (arguments->word_count == 0) {
        kt_help_overview();
        return KT_OK;
    }
    const kt_command *command = kt_command_find(arguments->words[0]);
    if (command == NULL) return kt_fail(error, KT_USAGE, "there is no command %.60s", arguments->words[0]);
    if (command->verb == NULL) {
        kt_help_command(command);
        return KT_OK;
    }
    if (arguments->word_count == 1) {
        kt_help_family(command->name);
        return KT_OK;
    }
    command = kt_command_find_verb(arguments->words[0], arguments->words[1]);
    if (command == NULL) return kt_fail(error, KT_USAGE, "%s knows no %.60s", arguments->words[0], arguments->words[1]);
    kt_help_command(command);
    return KT_OK;
}

const kt_command kt_command_help = {
    .name = "help",
    .words = "[COMMAND [VERB]]",
    .most = 2,
    .group = KT_GROUP_OTHER,
    .summary = "print this overview, or what a command takes",
    .example = "kontor help period close",
    .run = run,
};

static kt_code run_version(const kt_arguments *arguments, kt_error *error) {
    (void)arguments;
    (void)error;
    printf("kontor %s\n", KT_VERSION);
    return KT_OK;
}

const kt_command kt_command_version = {
    .name = "version",
    .words = "",
    .group = KT_GROUP_OTHER,
    .summary = "print the version",
    .example = "kontor version",
    .run = run_version,
};
