#include <stdio.h>
#include <string.h>

#include "cli/common.h"

/* What a shell asks when somebody presses the tabulator: the words typed so far, the last one unfinished. Answers with
   candidates, one a line; ":file" and ":dir" leave it to the shell. It reads no book. */

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static void offer_words(const char *words, const char *typed) {
    for (const char *word = words; *word != '\0'; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        if (strlen(typed) <= size && strncmp(word, typed, strlen(typed)) == 0) printf("%.*s\n", (int)size, word);
        word += size;
    }
}

static void offer_value(const kt_option *option, const char *typed) {
    if (option->words != NULL) offer_words(option->words, typed);
    else if (strcmp(option->argument, "DIR") == 0) puts(":dir");
    else if (strstr(option->argument, "FILE") != NULL || strstr(option->argument, ".csv") != NULL ||
             strcmp(option->argument, "PATH") == 0)
        puts(":file");
}

static void offer_commands(const char *typed) {
    const char *last = "";
    for (const kt_command *const *at = kt_commands; *at != NULL; at++) {
        if ((*at)->group != KT_GROUP_HIDDEN && begins((*at)->name, typed) && strcmp(last, (*at)->name) != 0)
            puts((*at)->name);
        last = (*at)->name;
    }
}

static void offer_verbs(const char *name, const char *typed) {
    for (const kt_command *const *at = kt_commands; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0 && begins((*at)->verb, typed)) puts((*at)->verb);
}

static void offer_options(const kt_command *command, const char *typed) {
    const kt_option *option;
    char name[80];
    for (size_t n = 0; (option = kt_option_nth(command, n)) != NULL; n++) {
        (void)snprintf(name, sizeof(name), "--%s", option->name);
        if (begins(name, typed)) puts(name);
    }
}

/* The option whose value comes next, NULL where none does. A lone "=" is how bash parts --name=value. */
static const kt_option *open_option(const kt_command *command, const char *const *words, size_t count) {
    size_t at = count;
    if (at > 0 && strcmp(words[at - 1], "=") == 0) at--;
    if (at == 0 || !begins(words[at - 1], "--")) return NULL;
    const kt_option *option = kt_option_find(command, words[at - 1] + 2, strlen(words[at - 1] + 2));
    if (option == NULL || option->argument == NULL || (option->value_optional && at == count)) return NULL;
    return option;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    (void)error;
    const kt_command *command = NULL;
    const char *family = NULL;
    size_t count = arguments->word_count == 0 ? 0 : arguments->word_count - 1;
    const char *typed = arguments->word_count == 0 ? "" : arguments->words[count];
    for (size_t i = 0; i < count && command == NULL; i++) {
        const char *word = arguments->words[i];
        if (word[0] == '-' || open_option(NULL, arguments->words, i) != NULL || strcmp(word, "=") == 0) continue;
        if (family != NULL) {
            command = kt_command_find_verb(family, word);
            continue;
        }
        const kt_command *found = kt_command_find(word);
        if (found != NULL && found->verb != NULL) family = found->name;
        else command = found;
    }
    /* "--name=" has the sign itself as the unfinished word. */
    bool sign = strcmp(typed, "=") == 0;
    const kt_option *option = open_option(command, arguments->words, sign ? count + 1 : count);
    if (sign) typed = "";
    if (option != NULL) offer_value(option, typed);
    else if (typed[0] == '-') offer_options(command, typed);
    else if (command == NULL && family == NULL) offer_commands(typed);
    else if (command == NULL) offer_verbs(family, typed);
    else if (strstr(command->words, "FILE") != NULL) puts(":file");
    else if (strstr(command->words, "DIR") != NULL || strstr(command->words, "DEST") != NULL) puts(":dir");
    return KT_OK;
}

const kt_command kt_command_complete = {
    .name = "complete",
    .words = "[WORD...]",
    .most = 1000,
    .group = KT_GROUP_HIDDEN,
    .summary = "print what could stand next; shells ask this",
    .example = "kontor complete -- balance --b",
    .run = run,
};
