#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit_ask.h"
#include "cli/audit_show.h"
#include "cli/progress.h"
#include "cli/show.h"

#define WORDS 64u

typedef struct request {
    kt_style style;
    kt_audit_options options;
    const char *tests[WORDS], *files[WORDS], *words[KT_AUDIT_WORDS_MAX + 1];
    size_t file_count;
    kt_progress progress;
} request;

/* A word is a test's name, or else a file. */
static kt_code read_words(const kt_arguments *arguments, request *asked, kt_error *error) {
    for (size_t i = 0; i < arguments->word_count; i++) {
        const char *word = arguments->words[i];
        if (kt_audit_find(kt_str_from(word)) != NULL) asked->tests[asked->options.test_count++] = word;
        else if (strcmp(word, "-") == 0 || access(word, F_OK) == 0) asked->files[asked->file_count++] = word;
        else return kt_fail(error, KT_USAGE, "'%.60s' is no test (kontor audit --list) and no file", word);
    }
    if (asked->file_count != 0 && asked->options.test_count != 0)
        return kt_fail(error, KT_USAGE,
                       "tests look at the book, and files are looked at by themselves: one or the other");
    asked->options.tests = asked->options.test_count == 0 ? NULL : asked->tests;
    return KT_OK;
}

static void on_records(void *context, uint64_t done, uint64_t of) {
    kt_progress_records(&((request *)context)->progress, done, of);
}

static void on_bytes(void *context, uint64_t done, uint64_t of, uint64_t entries) {
    kt_progress_import(&((request *)context)->progress, done, of, entries);
}

/* Findings are no error; that what was examined is not what the book says it is, is one. */
static kt_code judge(const kt_audit *audit, kt_error *error) {
    if (audit->reconciled) return KT_OK;
    return kt_fail(error, KT_DAMAGED, "%s",
                   audit->population.reconciled ? "the accounts do not roll forward"
                                                : "the entries do not add up to the trial balance");
}

static kt_code audit_book(const kt_arguments *arguments, request *asked, kt_error *error) {
    kt_reading reading = {0};
    kt_audit *audit = NULL;
    kt_out *out = NULL;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) {
        kt_progress_begin(&asked->progress, "examining");
        code = kt_audit_run(reading.view, &asked->options, &audit, error);
        kt_progress_end(&asked->progress);
    }
    if (code == KT_OK) code = kt_audit_show_open(asked->style, &out, error);
    if (code == KT_OK) {
        kt_show_title(&reading, "audit tests", asked->options.from, asked->options.to);
        code = kt_audit_show(out, audit, NULL, audit->test_count == 1, error);
        kt_code closed = kt_out_close(out, error);
        if (code == KT_OK) code = closed;
    }
    if (code == KT_OK) code = judge(audit, error);
    kt_audit_free(audit);
    kt_reading_close(&reading);
    return code;
}

static kt_code audit_files(const kt_arguments *arguments, request *asked, kt_error *error) {
    kt_import_options import = {.format = kt_given_value(arguments, "format"),
                                .create_accounts = kt_given_flag(arguments, "create-accounts"),
                                .progress = on_bytes,
                                .context = asked};
    kt_book *book = NULL;
    kt_out *out = NULL;
    kt_code code = kt_open_argument(arguments, false, &book, error);
    if (code == KT_OK) code = kt_audit_show_open(asked->style, &out, error);
    for (size_t i = 0; i < asked->file_count && code == KT_OK; i++) {
        kt_audit *audit = NULL;
        kt_progress_begin(&asked->progress, "examining");
        code = kt_audit_file(book, asked->files[i], &import, &asked->options, &audit, error);
        kt_progress_end(&asked->progress);
        if (code == KT_OK) code = kt_audit_show(out, audit, asked->files[i], false, error);
        if (code == KT_OK) code = judge(audit, error);
        kt_audit_free(audit);
    }
    kt_code closed = kt_out_close(out, code == KT_OK ? error : NULL);
    kt_book_close(book);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    request *asked = calloc(1, sizeof *asked);
    if (asked == NULL) return kt_fail(error, KT_MEMORY, "no memory");
    kt_code code = kt_style_of(arguments, &asked->style, error);
    if (code == KT_OK && kt_given_flag(arguments, "list")) {
        code = kt_audit_show_list(asked->style, error);
        free(asked);
        return code;
    }
    if (code == KT_OK) code = kt_audit_ask(arguments, asked->words, &asked->options, error);
    if (code == KT_OK) code = read_words(arguments, asked, error);
    asked->options.progress = on_records;
    asked->options.context = asked;
    if (code == KT_OK)
        code = asked->file_count != 0 ? audit_files(arguments, asked, error) : audit_book(arguments, asked, error);
    free(asked);
    return code;
}

static const kt_option options[] = {
    {"list", NULL, "say which tests there are, and nothing else", NULL, false, false},
    KT_AUDIT_ASK_OPTIONS("100"),
    {"format", "FORMAT", "of files: csv, ads, json, msgpack, journal, saft", NULL, false, false},
    {"create-accounts", NULL, "of files: take accounts for good that are not on record", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_audit = {
    .name = "audit",
    .words = "[TEST... | FILE...]",
    .most = WORDS,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_TRUST,
    .summary = "run the tests an auditor runs: all, some, or over files before they are posted",
    .about =
        "Each test says what it examined, held against the trial balance, and which entries are to be looked into, and "
        "why.\nMost of them will have an ordinary reason. It exits with 1 only where the population does not add up.",
    .options = options,
    .example = "kontor audit --from 2026 --to 2026",
    .run = run,
};
