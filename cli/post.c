#include "cli/post.h"

#include <stdio.h>
#include <string.h>

/* One byte, or "tab". */
static kt_code one_byte(const kt_arguments *arguments, const char *option, char *out, kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    if (text == NULL) return KT_OK;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) *out = '\t';
    else if (strcmp(text, "space") == 0) *out = ' ';
    else if (strlen(text) == 1 && (unsigned char)text[0] < 0x80) *out = text[0];
    else return kt_fail(error, KT_USAGE, "--%s %.20s: expected one character, or tab", option, text);
    return KT_OK;
}

static kt_code read_how(const kt_arguments *arguments, kt_posting_job *job, kt_error *error) {
    kt_format_options *how = &job->import.how;
    const char *keep = kt_given_value(arguments, "virtual"), *symbol;
    how->date_format = kt_given_value(arguments, "date-format");
    how->encoding = kt_given_value(arguments, "encoding");
    how->virtual_keep = keep != NULL && strcmp(keep, "keep") == 0;
    kt_code code = one_byte(arguments, "decimal", &how->decimal, error);
    if (code == KT_OK) code = one_byte(arguments, "group", &how->group, error);
    if (code == KT_OK) code = one_byte(arguments, "delimiter", &how->delimiter, error);
    for (size_t n = 0; code == KT_OK && (symbol = kt_given_nth(arguments, "symbol", n)) != NULL; n++) {
        const char *equals = strchr(symbol, '=');
        if (n == KT_SYMBOLS_MAX) code = kt_fail(error, KT_USAGE, "more than %d times --symbol", KT_SYMBOLS_MAX);
        else if (equals == NULL || equals == symbol || equals[1] == '\0')
            code = kt_fail(error, KT_USAGE, "--symbol %.40s: expected a symbol and a code, as '$=USD'", symbol);
        else job->symbols[n] = symbol;
    }
    how->symbols = job->symbols[0] == NULL ? NULL : job->symbols;
    return code;
}

static kt_code read_options(const kt_arguments *arguments, kt_posting_job *job, kt_error *error) {
    kt_import_options *import = &job->import;
    const char *rules = kt_given_value(arguments, "create-accounts");
    job->files = arguments->word_count;
    job->rejects = kt_given_value(arguments, "rejects");
    import->format = kt_given_value(arguments, "format");
    import->id = kt_str_from(kt_given_value(arguments, "id"));
    import->skip_bad = kt_given_flag(arguments, "skip-bad");
    import->dry_run = kt_given_flag(arguments, "dry-run");
    import->allow_duplicate_voucher = kt_given_flag(arguments, "allow-duplicate-voucher");
    import->create_accounts = kt_given_flag(arguments, "create-accounts");
    import->rounding_account = kt_str_from(kt_given_value(arguments, "rounding-account"));
    if (job->files > 1 && import->id.size > 0)
        return kt_fail(error, KT_USAGE, "--id names one batch, and each of the %zu files is one", job->files);
    if (job->files > 1 && job->rejects != NULL)
        return kt_fail(error, KT_USAGE, "--rejects names one file; post the %zu files one by one", job->files);
    if (job->rejects != NULL && !import->skip_bad) return kt_fail(error, KT_USAGE, "--rejects goes with --skip-bad");
    for (size_t i = 0; i < job->files; i++)
        if (strcmp(arguments->words[i], "-") == 0 && import->format == NULL)
            return kt_fail(error, KT_USAGE, "standard input has no name to guess the format from: give --format");
    kt_code code = read_how(arguments, job, error);
    if (code == KT_OK && rules != NULL) {
        code = kt_rules_read(rules, &job->rules, error);
        import->rules = job->rules.rules;
        import->rule_count = job->rules.count;
    }
    return code;
}

/* Names what is stored already when one of several files is refused. */
static void tell_posted(const kt_arguments *arguments, size_t count) {
    if (arguments->word_count < 2) return;
    if (count == 0) fputs("no file was posted\n", stderr);
    else fputs("posted before the refusal:\n", stderr);
    for (size_t i = 0; i < count; i++) fprintf(stderr, "  %s\n", arguments->words[i]);
    if (count + 1 < arguments->word_count) fputs("not looked at:\n", stderr);
    for (size_t i = count + 1; i < arguments->word_count; i++) fprintf(stderr, "  %s\n", arguments->words[i]);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_posting_job job = {0};
    kt_code code = kt_style_of(arguments, &job.style, error);
    if (code == KT_OK) code = read_options(arguments, &job, error);
    if (code == KT_OK) code = kt_open_argument(arguments, false, &job.book, error);
    if (code == KT_OK && job.style != KT_STYLE_TABLE) code = kt_post_open_rows(job.style, &job.out, error);
    for (size_t i = 0; code == KT_OK && i < job.files; i++) {
        code = kt_post_file(&job, arguments->words[i], error);
        if (code != KT_OK) tell_posted(arguments, i);
    }
    kt_code closed = kt_out_close(job.out, code == KT_OK ? error : NULL);
    if (code == KT_OK) code = closed;
    kt_rules_release(&job.rules);
    kt_book_close(job.book);
    if (code == KT_OK && job.part) {
        if (error != NULL) error->text[0] = '\0'; /* each refusal was said where it happened */
        return KT_END;
    }
    return code;
}

static const kt_option options[] = {
    {"format", "NAME", "csv, ads, json, msgpack or journal; default: by the file's name",
     "csv ads json msgpack journal", false, false},
    {"id", "KEY", "the batch's id; default: a digest of the bytes and of the options that matter", NULL, false, false},
    {"skip-bad", NULL, "post the good entries, list the bad ones and write them to a file", NULL, false, false},
    {"rejects", "FILE", "that file; default: FILE.rejected.<ending> beside the input", NULL, false, false},
    {"dry-run", NULL, "check everything, store nothing", NULL, false, false},
    {"create-accounts", "RULES.csv", "open unknown accounts, listed first; the type by prefix,type rows", NULL, true,
     false},
    {"allow-duplicate-voucher", NULL, "take a voucher that was used before in its series and year", NULL, false, false},
    {"rounding-account", "CODE", "takes what exchange rates leave over", NULL, false, false},
    {"decimal", "C", "decimal sign; default .", NULL, false, false},
    {"group", "C", "sign between thousands; default none", NULL, false, false},
    {"delimiter", "C", "between fields; default , (or tab)", NULL, false, false},
    {"date-format", "FORMAT", "as %d.%m.%Y; default %Y-%m-%d", NULL, false, false},
    {"encoding", "NAME", "windows-1252 or iso-8859-1; default UTF-8", "utf-8 windows-1252 iso-8859-1", false, false},
    {"virtual", "keep", "journal: keep balanced [virtual] postings", "keep", false, false},
    {"symbol", "S=CODE", "journal: a symbol and its currency, as '$=USD'; may be repeated", NULL, false, true},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_post = {
    .name = "post",
    .words = "FILE...",
    .least = 1,
    .most = 100000,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "post files of entries, each one batch: whole or absent",
    .about = "- is standard input (with --format). A file posted before is recognized and stored once. With several\n"
             "files the first refusal stops; those before it stay posted and are named.",
    .options = options,
    .example = "kontor post januar.csv --decimal , --group . --delimiter \";\" --date-format %d-%m-%Y",
    .run = run,
};
