#include "cli/audit_ask.h"

#include <stdlib.h>

static kt_code number(const kt_arguments *arguments, const char *option, uint64_t least, uint64_t most, uint64_t *out,
                      kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    *out = 0;
    kt_code code = text == NULL ? KT_OK : kt_word_number(text, option, out, error);
    if (code == KT_OK && text != NULL && (*out < least || *out > most))
        code = kt_fail(error, KT_USAGE, "--%s %.20s: expected %llu to %llu", option, text, (unsigned long long)least,
                       (unsigned long long)most);
    return code;
}

/* "22-6": the hours between which it is night. */
static kt_code read_night(const kt_arguments *arguments, kt_audit_options *options, kt_error *error) {
    const char *text = kt_given_value(arguments, "night");
    if (text == NULL) return KT_OK;
    char *end;
    unsigned long from = strtoul(text, &end, 10), until = *end == '-' ? strtoul(end + 1, &end, 10) : 24;
    if (*text < '0' || *text > '9' || *end != 0 || from > 23 || until > 23 || from == until)
        return kt_fail(error, KT_USAGE, "--night %.20s: expected two hours, as 22-6", text);
    options->night_from = (uint8_t)from;
    options->night_until = (uint8_t)until;
    return KT_OK;
}

static kt_code read_numbers(const kt_arguments *arguments, kt_audit_options *options, kt_error *error) {
    uint64_t limit, threads, backdated, duplicates, account, pair, actor, round, below;
    kt_code code = number(arguments, "limit", 1, 10000000, &limit, error);
    if (code == KT_OK) code = number(arguments, "threads", 1, 16, &threads, error);
    if (code == KT_OK) code = number(arguments, "backdated", 1, 60000, &backdated, error);
    if (code == KT_OK) code = number(arguments, "duplicates", 1, 60000, &duplicates, error);
    if (code == KT_OK) code = number(arguments, "seldom-account", 1, 1000000, &account, error);
    if (code == KT_OK) code = number(arguments, "seldom-pair", 1, 1000000, &pair, error);
    if (code == KT_OK) code = number(arguments, "seldom-user", 1, 1000000, &actor, error);
    if (code == KT_OK) code = number(arguments, "round", 1, 1000000000, &round, error);
    if (code == KT_OK) code = number(arguments, "below", 1, 100, &below, error);
    if (code != KT_OK) return code;
    options->most_findings = limit;
    options->threads = (unsigned)threads;
    options->backdated_days = (uint16_t)backdated;
    options->duplicate_days = (uint16_t)duplicates;
    options->seldom_account = (uint32_t)account;
    options->seldom_pair = (uint32_t)pair;
    options->seldom_actor = (uint32_t)actor;
    options->round_units = (uint32_t)round;
    options->below_percent = (uint8_t)below;
    return read_night(arguments, options, error);
}

static kt_code read_words(const kt_arguments *arguments, const char **words, kt_audit_options *options,
                          kt_error *error) {
    const char *word;
    size_t count = 0;
    for (; (word = kt_given_nth(arguments, "word", count)) != NULL; count++) {
        if (count == KT_AUDIT_WORDS_MAX)
            return kt_fail(error, KT_USAGE, "more than %u times --word", KT_AUDIT_WORDS_MAX);
        words[count] = word;
    }
    words[count] = NULL;
    options->words = count == 0 ? NULL : words;
    return KT_OK;
}

kt_code kt_audit_ask(const kt_arguments *arguments, const char **words, kt_audit_options *out, kt_error *error) {
    kt_code code = kt_option_range(arguments, &out->from, &out->to, error);
    if (code == KT_OK) code = read_numbers(arguments, out, error);
    return code == KT_OK ? read_words(arguments, words, out, error) : code;
}
