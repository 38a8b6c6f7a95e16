#include "cli/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/passphrase.h"

static const kt_option book_options[] = {
    {"book", "DIR", "the book's directory (or KONTOR_BOOK)", NULL, false, false},
    {"entity", "NAME", "refuse the book of any other entity", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};
static const kt_option key_options[] = {
    {"key", "FILE", "who acts: a signing key (or KONTOR_KEY; default: the book's own)", NULL, false, false},
    KT_PASSPHRASE_OPTION,
    {NULL, NULL, NULL, NULL, false, false},
};
static const kt_option style_options[] = {
    {"json", NULL, "print one JSON array of objects, amounts as decimal strings", NULL, false, false},
    {"csv", NULL, "print CSV (RFC 4180) with a header row", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};
static const kt_option help_options[] = {
    {"help", NULL, "print this", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};
static const kt_option version_options[] = {
    {"version", NULL, "print the version", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_option *kt_option_nth(const kt_command *command, size_t n) {
    const kt_option *lists[6];
    size_t count = 0;
    if (command == NULL) {
        lists[count++] = book_options;
        lists[count++] = key_options;
        lists[count++] = style_options;
        lists[count++] = version_options;
    } else {
        if (command->options != NULL) lists[count++] = command->options;
        if ((command->takes & (KT_TAKES_BOOK | KT_TAKES_BOOK_NEW)) != 0) lists[count++] = book_options;
        if ((command->takes & KT_TAKES_KEY) != 0) lists[count++] = key_options;
        if ((command->takes & KT_TAKES_STYLE) != 0) lists[count++] = style_options;
    }
    lists[count++] = help_options;
    for (size_t i = 0; i < count; i++) {
        for (const kt_option *option = lists[i]; option->name != NULL; option++) {
            /* init's own --entity says what the book will be, so there is none to compare with. */
            if (lists[i] == book_options && option == &book_options[1] && command != NULL &&
                (command->takes & KT_TAKES_BOOK_NEW) != 0)
                continue;
            if (n == 0) return option;
            n--;
        }
    }
    return NULL;
}

const kt_option *kt_option_find(const kt_command *command, const char *name, size_t size) {
    const kt_option *option;
    for (size_t n = 0; (option = kt_option_nth(command, n)) != NULL; n++)
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0) return option;
    return NULL;
}

/* Edits (insert, drop, change) from one word to another, for "did you mean"; bounded by small names. */
static size_t distance(const char *a, size_t a_size, const char *b) {
    enum { MOST = 32 };
    size_t b_size = strlen(b), row[MOST + 1];
    if (a_size > MOST || b_size > MOST) return MOST;
    for (size_t j = 0; j <= b_size; j++) row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[b_size];
}

static kt_code unknown_option(const kt_command *command, const char *name, size_t size, kt_error *error) {
    const char *near = NULL;
    size_t least = 3;
    const kt_option *option;
    for (size_t n = 0; (option = kt_option_nth(command, n)) != NULL; n++) {
        size_t edits = distance(name, size, option->name);
        if (edits < least) {
            least = edits;
            near = option->name;
        }
    }
    int shown = size > 60 ? 60 : (int)size;
    const char *whose = command == NULL ? "kontor" : command->name, *verb = "", *space = "";
    if (command != NULL && command->verb != NULL) {
        verb = command->verb;
        space = " ";
    }
    if (near != NULL)
        return kt_fail(error, KT_USAGE, "%s%s%s has no option --%.*s; did you mean --%s?", whose, space, verb, shown,
                       name, near);
    return kt_fail(error, KT_USAGE, "%s%s%s has no option --%.*s", whose, space, verb, shown, name);
}

static kt_code unknown_command(const char *name, kt_error *error) {
    const char *near = NULL;
    size_t least = 3;
    for (const kt_command *const *at = kt_commands; *at != NULL; at++) {
        size_t edits = distance(name, strlen(name), (*at)->name);
        if ((*at)->group != KT_GROUP_HIDDEN && edits < least) {
            least = edits;
            near = (*at)->name;
        }
    }
    if (near != NULL) return kt_fail(error, KT_USAGE, "there is no command %.60s; did you mean %s?", name, near);
    return kt_fail(error, KT_USAGE, "there is no command %.60s", name);
}

static kt_code add_given(kt_arguments *out, const kt_option *option, const char *value, kt_error *error) {
    if (!option->repeats && (value != NULL || option->value_optional))
        for (size_t i = 0; i < out->given_count; i++)
            if (strcmp(out->given[i].option->name, option->name) == 0)
                return kt_fail(error, KT_USAGE, "--%s is given twice", option->name);
    if (strcmp(option->name, "help") == 0) out->help = true;
    out->given[out->given_count++] = (kt_given){option, value};
    return KT_OK;
}

/* Reads the option at argv[*at] and moves *at to the last word it used. */
static kt_code take_option(int argc, char **argv, int *at, kt_arguments *out, kt_error *error) {
    const char *name = argv[*at] + 2;
    size_t size = strcspn(name, "=");
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    const kt_option *option = kt_option_find(out->command, name, size);
    if (option == NULL) return unknown_option(out->command, name, size, error);
    if (option->argument == NULL) {
        if (value != NULL) return kt_fail(error, KT_USAGE, "--%s takes no value", option->name);
    } else if (value == NULL && !option->value_optional) {
        if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
            return kt_fail(error, KT_USAGE, "--%s needs a value: %s", option->name, option->argument);
        value = argv[++*at];
    }
    return add_given(out, option, value, error);
}

/* The word at argv[*at] names a command; with verbs, the next one the verb. */
static kt_code take_command(int argc, char **argv, int *at, kt_arguments *out, kt_error *error) {
    const char *name = argv[*at];
    const kt_command *command = kt_command_find(name);
    if (command == NULL) return unknown_command(name, error);
    if (command->verb == NULL) {
        out->command = command;
        return KT_OK;
    }
    const char *verb = *at + 1 < argc ? argv[*at + 1] : "--";
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
        out->family = command->name;
        out->help = true;
        *at = argc;
        return KT_OK;
    }
    out->command = kt_command_find_verb(name, verb);
    if (out->command != NULL) {
        ++*at;
        return KT_OK;
    }
    out->family = command->name;
    char list[200] = "";
    size_t used = 0;
    for (const kt_command *const *each = kt_commands; *each != NULL; each++) {
        if (strcmp((*each)->name, name) != 0) continue;
        size_t size = strlen((*each)->verb);
        if (used + size + 3 > sizeof(list)) break;
        if (used > 0) {
            memcpy(list + used, ", ", 3);
            used += 2;
        }
        memcpy(list + used, (*each)->verb, size + 1);
        used += size;
    }
    if (strncmp(verb, "-", 1) == 0) return kt_fail(error, KT_USAGE, "%s what? There is: %s", name, list);
    return kt_fail(error, KT_USAGE, "%s knows no %.60s; there is: %s", name, verb, list);
}

/* What stood before the command was read by the common table; the command must have it too. */
static kt_code check_early(kt_arguments *out, size_t early, kt_error *error) {
    for (size_t i = 0; i < early; i++) {
        const char *name = out->given[i].option->name;
        const kt_option *own = kt_option_find(out->command, name, strlen(name));
        const char *argument = out->given[i].option->argument;
        if (own != NULL && own != out->given[i].option && argument != NULL && strcmp(own->argument, argument) != 0)
            return kt_fail(error, KT_USAGE, "--%s means something else to %s: give it behind the command", name,
                           out->command->name);
        if (own != NULL) out->given[i].option = own;
        else if (strcmp(name, "json") == 0 || strcmp(name, "csv") == 0)
            return unknown_option(out->command, name, strlen(name), error);
    }
    return KT_OK;
}

static kt_code check_words(const kt_arguments *out, kt_error *error) {
    const kt_command *command = out->command;
    if (command == NULL || out->help) return KT_OK;
    const char *verb = command->verb == NULL ? "" : command->verb, *space = command->verb == NULL ? "" : " ";
    if (out->word_count < command->least)
        return kt_fail(error, KT_USAGE, "%s%s%s needs %s", command->name, space, verb, command->words);
    if (out->word_count > command->most)
        return kt_fail(error, KT_USAGE, "%s%s%s: one word too many: %.100s", command->name, space, verb,
                       out->words[command->most]);
    for (size_t i = 0; i < out->given_count; i++) {
        const kt_option *option = out->given[i].option;
        const char *value = out->given[i].value;
        if (option->words == NULL || value == NULL) continue;
        size_t size = strlen(value);
        bool found = false;
        for (const char *word = option->words; !found && *word != '\0'; word += strspn(word, " ")) {
            size_t length = strcspn(word, " ");
            found = length == size && memcmp(word, value, size) == 0;
            word += length;
        }
        if (!found)
            return kt_fail(error, KT_USAGE, "--%s %.60s: expected one of: %s", option->name, value, option->words);
    }
    return KT_OK;
}

kt_code kt_arguments_parse(int argc, char **argv, kt_arguments *out, kt_error *error) {
    *out = (kt_arguments){0};
    size_t most = argc > 0 ? (size_t)argc : 1;
    out->given = calloc(most, sizeof(*out->given));
    out->words = calloc(most, sizeof(*out->words));
    if (out->given == NULL || out->words == NULL) return kt_fail(error, KT_MEMORY, "no memory for %zu arguments", most);
    bool options = true;
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];
        kt_code code = KT_OK;
        if (options && strcmp(word, "--") == 0) {
            options = false;
        } else if (options && strncmp(word, "--", 2) == 0) {
            code = take_option(argc, argv, &at, out, error);
        } else if (options && strcmp(word, "-h") == 0) {
            out->help = true;
        } else if (out->command == NULL) {
            size_t early = out->given_count;
            code = take_command(argc, argv, &at, out, error);
            if (code == KT_OK && out->command != NULL) code = check_early(out, early, error);
        } else if (options && word[0] == '-' && word[1] != '\0' && (word[1] < '0' || word[1] > '9')) {
            code = kt_fail(error, KT_USAGE, "there is no option %.60s; options are long, as --help", word);
        } else {
            out->words[out->word_count++] = word;
        }
        if (code != KT_OK) return code;
    }
    if (out->command == NULL && out->family == NULL) out->version = kt_given_flag(out, "version");
    return check_words(out, error);
}

void kt_arguments_release(kt_arguments *arguments) {
    free(arguments->given);
    free(arguments->words);
    *arguments = (kt_arguments){0};
}

const char *kt_given_nth(const kt_arguments *arguments, const char *name, size_t n) {
    for (size_t i = 0; i < arguments->given_count; i++)
        if (strcmp(arguments->given[i].option->name, name) == 0 && n-- == 0) return arguments->given[i].value;
    return NULL;
}

const char *kt_given_value(const kt_arguments *arguments, const char *name) {
    assert(arguments->command == NULL || kt_option_find(arguments->command, name, strlen(name)) != NULL);
    return kt_given_nth(arguments, name, 0);
}

bool kt_given_flag(const kt_arguments *arguments, const char *name) {
    assert(arguments->command == NULL || kt_option_find(arguments->command, name, strlen(name)) != NULL);
    for (size_t i = 0; i < arguments->given_count; i++)
        if (strcmp(arguments->given[i].option->name, name) == 0) return true;
    return false;
}
