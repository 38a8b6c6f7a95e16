#include "cli/post.h"

#include <stdio.h>
#include <string.h>

#include "cli/passphrase.h"

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
    const char *virtuals = kt_given_value(arguments, "virtual"), *symbol;
    how->date_format = kt_given_value(arguments, "date-format");
    how->encoding = kt_given_value(arguments, "encoding");
    if (virtuals != NULL) how->virtual_postings = strcmp(virtuals, "drop") == 0 ? KT_VIRTUAL_DROP : KT_VIRTUAL_KEEP;
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

static kt_code read_currency(kt_posting_job *job, kt_error *error) {
    kt_view *view = NULL;
    kt_company company;
    kt_code code = kt_view_open(job->book, NULL, &view, error);
    if (code == KT_OK) code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK)
        (void)snprintf(job->currency, sizeof(job->currency), "%.*s", (int)company.currency.size, company.currency.data);
    kt_view_close(view);
    return code;
}

/* Whose key signs: --key or KONTOR_KEY, else the book's own, where the book is at hand. */
static kt_code open_socket(const kt_arguments *arguments, const char *path, kt_posting_job *job, kt_error *error) {
    kt_remote_options options = {.key_file = kt_key_argument(arguments),
                                 .passphrase = kt_passphrase_ask,
                                 .context = kt_passphrase_context(arguments),
                                 .entity = kt_str_from(kt_given_value(arguments, "entity"))};
    char own[4096];
    const char *directory;
    if (options.key_file == NULL) {
        if (kt_book_argument(arguments, &directory, NULL) != KT_OK ||
            snprintf(own, sizeof(own), "%s/keys/log.key", directory) >= (int)sizeof(own))
            return kt_fail(error, KT_USAGE, "whose key signs? Give --key FILE or set KONTOR_KEY");
        options.key_file = own;
    }
    kt_code code = kt_passphrase_check(arguments, error);
    if (code == KT_OK) code = kt_remote_open(path, &options, &job->remote, error);
    if (code != KT_OK) return code;
    kt_str currency = kt_remote_currency(job->remote);
    (void)snprintf(job->currency, sizeof(job->currency), "%.*s", (int)currency.size, currency.data);
    return KT_OK;
}

static kt_code open_target(const kt_arguments *arguments, kt_posting_job *job, kt_error *error) {
    const char *path = kt_given_value(arguments, "socket");
    if (path != NULL) return open_socket(arguments, path, job, error);
    kt_code code = kt_open_argument(arguments, false, &job->book, error);
    return code == KT_OK ? read_currency(job, error) : code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_posting_job job = {0};
    kt_code code = kt_style_of(arguments, &job.style, error);
    if (code == KT_OK) code = read_options(arguments, &job, error);
    job.import.propose = arguments->command == &kt_command_propose ? KT_PROPOSE_ALL : KT_PROPOSE_BEYOND;
    if (code == KT_OK) code = open_target(arguments, &job, error);
    if (code == KT_OK && job.style != KT_STYLE_TABLE) code = kt_post_open_rows(job.style, &job.out, error);
    for (size_t i = 0; code == KT_OK && i < job.files; i++) {
        code = kt_post_file(&job, arguments->words[i], error);
        if (code != KT_OK) tell_posted(arguments, i);
    }
    kt_code closed = kt_out_close(job.out, code == KT_OK ? error : NULL);
    if (code == KT_OK) code = closed;
    kt_rules_release(&job.rules);
    kt_remote_close(job.remote);
    kt_book_close(job.book);
    if (code == KT_OK && job.part) {
        if (error != NULL) error->text[0] = '\0'; /* each refusal was said where it happened */
        return KT_END;
    }
    return code;
}

static const kt_option options[] = {
    {"socket", "PATH", "post through a server (kontor serve) that keeps the book open", NULL, false, false},
    {"format", "NAME", "csv, ads, json, msgpack, journal or saft; default: by the file's name",
     "csv ads json msgpack journal saft", false, false},
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
    {"virtual", "keep|drop", "journal: post balanced [virtual] postings, or leave all virtual ones out", "keep drop",
     false, false},
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
    .about =
        "- is standard input (with --format). A file posted before is recognized and stored once. With several\n"
        "files the first refusal stops; those before it stay posted and are named. An entry beyond the actor's limits\n"
        "stands proposed and moves nothing until another approves it (kontor proposals, kontor approve); the exit\n"
        "status is 3 then.",
    .options = options,
    .example = "kontor post januar.csv --decimal , --group . --delimiter \";\" --date-format %d-%m-%Y",
    .run = run,
};

const kt_command kt_command_propose = {
    .name = "propose",
    .words = "FILE...",
    .least = 1,
    .most = 100000,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "propose files of entries, for another to approve",
    .about = "As post, but every entry stands proposed and moves nothing until another approves it (kontor proposals,\n"
             "kontor approve), also what lies within the actor's limits.",
    .options = options,
    .example = "kontor propose januar.csv --key anna.key",
    .run = run,
};
