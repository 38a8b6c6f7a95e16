#include <inttypes.h>
#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    const char *batch = kt_given_value(arguments, "batch");
    kt_str text = kt_str_from(kt_given_value(arguments, "text"));
    bool negative = kt_given_flag(arguments, "negative");
    uint64_t number = 0, made = 0;
    kt_day date = KT_DAY_NONE;
    char what[240], own_text[240];
    kt_code code = kt_option_day(arguments, "date", &date, error);
    if (code == KT_OK && date == KT_DAY_NONE)
        code = kt_fail(error, KT_USAGE, "reverse needs --date DATE: the day it counts");
    if (code == KT_OK && (batch == NULL) == (arguments->word_count == 0))
        code = kt_fail(error, KT_USAGE, "reverse needs either the number of an entry or --batch ID");
    if (code == KT_OK && batch == NULL) code = kt_word_number(arguments->words[0], "an entry", &number, error);
    if (code == KT_OK && text.size == 0) {
        (void)snprintf(own_text, sizeof(own_text),
                       batch == NULL ? "Reversal of entry %.128s" : "Reversal of batch %.128s",
                       batch == NULL ? arguments->words[0] : batch);
        text = kt_str_from(own_text);
    }
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK)
        code = batch == NULL
                   ? kt_batch_reverse(writing.batch, number, date, text, negative, &made, error)
                   : kt_batch_reverse_batch(writing.batch, kt_str_from(batch), date, text, negative, &made, error);
    if (code == KT_OK) {
        if (batch == NULL)
            (void)snprintf(what, sizeof(what), "entry %" PRIu64 " reversed by entry %" PRIu64, number, made);
        else (void)snprintf(what, sizeof(what), "batch %.128s reversed: %" PRIu64 " entries", batch, made);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"date", "DATE", "the day the reversal counts; required", NULL, false, false},
    {"text", "TEXT", "why; default: Reversal of ...", NULL, false, false},
    {"batch", "ID", "reverse every entry of a batch, as one batch", NULL, false, false},
    {"negative", NULL, "book minus amounts in the same columns, so that turnover is not inflated", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_reverse = {
    .name = "reverse",
    .words = "NUMBER",
    .least = 0,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "reverse an entry, or a wrong batch as a whole",
    .about = "The reversal and what it reverses name each other. Reversing twice is refused.",
    .options = options,
    .example = "kontor reverse 4711 --date 2026-04-01 --text \"booked twice\"",
    .run = run,
};
