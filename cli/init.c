#define _GNU_SOURCE /* nftw */

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/chart.h"
#include "cli/command.h"
#include "cli/common.h"

/* "MM-DD" */
static kt_code fiscal_start(const char *text, kt_company *company, kt_error *error) {
    if (text == NULL) return KT_OK;
    bool form = strlen(text) == 5 && strspn(text, "0123456789") == 2 && text[2] == '-' &&
                strspn(text + 3, "0123456789") == 2;
    int month = form ? (text[0] - '0') * 10 + text[1] - '0' : 0, day = form ? (text[3] - '0') * 10 + text[4] - '0' : 0;
    if (month < 1 || month > 12 || day < 1 || day > 28)
        return kt_fail(error, KT_USAGE, "--fiscal-year-start %.20s: expected MM-DD, the day from 01 to 28", text);
    company->fiscal_month = (uint8_t)month;
    company->fiscal_day = (uint8_t)day;
    return KT_OK;
}

static kt_code decimals(const char *text, kt_create_options *options, kt_error *error) {
    uint64_t value = 0;
    if (text == NULL) return KT_OK;
    kt_code code = kt_word_number(text, "decimals", &value, error);
    if (code == KT_OK && value > KT_DECIMALS_MAX)
        code = kt_fail(error, KT_USAGE, "--decimals %.20s: expected 0 to %d", text, KT_DECIMALS_MAX);
    options->decimals_given = true;
    options->decimals = (uint8_t)value;
    return code;
}

static kt_code read_options(const kt_arguments *arguments, kt_create_options *options, kt_error *error) {
    kt_company *company = &options->company;
    company->entity = kt_str_from(kt_given_value(arguments, "entity"));
    company->currency = kt_str_from(kt_given_value(arguments, "currency"));
    if (company->entity.size == 0) return kt_fail(error, KT_USAGE, "init needs --entity NAME: whose book it is");
    if (company->currency.size == 0)
        return kt_fail(error, KT_USAGE, "init needs --currency CODE: what the book is kept in");
    company->time_zone = kt_str_from(kt_given_value(arguments, "timezone"));
    company->company_number = kt_str_from(kt_given_value(arguments, "company-number"));
    company->vat_number = kt_str_from(kt_given_value(arguments, "vat-number"));
    company->address = kt_str_from(kt_given_value(arguments, "address"));
    company->calendar = kt_str_from(kt_given_value(arguments, "calendar"));
    options->chart_name = kt_str_from(kt_given_value(arguments, "chart"));
    kt_code code = fiscal_start(kt_given_value(arguments, "fiscal-year-start"), company, error);
    return code != KT_OK ? code : decimals(kt_given_value(arguments, "decimals"), options, error);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about;
    (void)kind;
    /* The directory itself goes by name behind the walk, where it was ours to make. */
    return where->level == 0 ? 0 : remove(path);
}

/* Undoes a book made a moment ago, in a directory that was not there or empty before. */
static void unmake(const char *directory, bool existed) {
    (void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (!existed) (void)rmdir(directory);
}

static kt_code add_chart(kt_book *book, const char *name, const kt_chart *chart, kt_error *error) {
    kt_batch *batch = NULL;
    kt_code code = kt_batch_begin(book, NULL, &batch, NULL, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; code == KT_OK && i < chart->count; i++) {
        code = kt_batch_account(batch, &chart->accounts[i], error);
        if (code != KT_OK) (void)kt_fail_at(error, code, "%s:%zu", name, chart->lines[i]);
    }
    if (code == KT_OK) return kt_batch_commit(batch, NULL, error);
    kt_batch_abort(batch);
    return code;
}

static kt_code say(kt_style style, const kt_book *book, const char *key_file, size_t accounts, kt_error *error) {
    enum { DIRECTORY, ORIGIN, VERIFIER, KEY, ACCOUNTS, COUNT };
    static const kt_column columns[COUNT] = {
        [DIRECTORY] = {"book", "book", KT_CELL_TEXT, false},
        [ORIGIN] = {"origin", "origin", KT_CELL_TEXT, false},
        [VERIFIER] = {"verifier", "verifier key", KT_CELL_TEXT, false},
        [KEY] = {"key_file", "signing key", KT_CELL_TEXT, false},
        [ACCOUNTS] = {"accounts", "accounts", KT_CELL_COUNT, false},
    };
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, true, &out, error);
    if (code != KT_OK) return code;
    kt_out_words(out, DIRECTORY, kt_book_directory(book));
    kt_out_words(out, ORIGIN, kt_book_origin(book));
    kt_out_words(out, VERIFIER, kt_book_verifier(book));
    kt_out_words(out, KEY, key_file);
    kt_out_count(out, ACCOUNTS, accounts);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    kt_say(style,
           "\nBack up the signing key, apart from the book: without it nothing more can be posted.\n"
           "Give the verifier key to whoever is to check the book; it is no secret.\n"
           "Next: %s, then: kontor post FILE --book ",
           accounts == 0 ? "kontor account add" : "kontor account list");
    if (style == KT_STYLE_TABLE) {
        kt_print_safe(stdout, kt_str_from(kt_book_directory(book)));
        putchar('\n');
    }
    return code != KT_OK ? code : closed;
}

static kt_code make(const char *directory, const kt_create_options *options, const kt_chart *chart, kt_style style,
                    kt_error *error) {
    char key_file[PATH_MAX];
    struct stat about;
    bool existed = stat(directory, &about) == 0;
    kt_book *book = NULL;
    kt_code code = kt_book_create(directory, options, error);
    if (code != KT_OK) return code;
    code = kt_book_open(directory, NULL, &book, error);
    if (code == KT_OK && chart->count > 0) code = add_chart(book, options->chart_name.data, chart, error);
    if (code == KT_OK) {
        int size = snprintf(key_file, sizeof(key_file), "%s/keys/log.key", directory);
        code = say(style, book, size > 0 && size < PATH_MAX ? key_file : "keys/log.key", chart->count, error);
        kt_book_close(book);
        return code;
    }
    kt_book_close(book);
    unmake(directory, existed);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_create_options options = {0};
    kt_chart chart = {0};
    kt_style style;
    const char *directory;
    kt_code code = kt_style_of(arguments, &style, error);
    if (code == KT_OK) code = kt_book_argument(arguments, &directory, error);
    if (code == KT_OK) code = read_options(arguments, &options, error);
    if (code == KT_OK && options.chart_name.size > 0) code = kt_chart_read(options.chart_name.data, &chart, error);
    if (code == KT_OK) code = make(directory, &options, &chart, style, error);
    kt_chart_release(&chart);
    return code;
}

static const kt_option options[] = {
    {"entity", "NAME", "legal name of the company; required", NULL, false, false},
    {"currency", "CODE", "the currency the book is kept in, as DKK; required", NULL, false, false},
    {"decimals", "N", "its decimals, where ISO 4217 does not know it (or to overrule it)", NULL, false, false},
    {"chart", "FILE", "chart of accounts: a CSV file, or the name of one that came along (dk, general)", NULL, false,
     false},
    {"fiscal-year-start", "MM-DD", "first day of the fiscal year; default 01-01", NULL, false, false},
    {"timezone", "ZONE", "where the company is, as Europe/Copenhagen; default UTC", NULL, false, false},
    {"company-number", "NUMBER", "its number in the companies' register", NULL, false, false},
    {"vat-number", "NUMBER", "its VAT number", NULL, false, false},
    {"address", "TEXT", "its address", NULL, false, false},
    {"calendar", "TEXT", "its working days and public holidays, as \"mon-fri dk\"", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_init = {
    .name = "init",
    .words = "",
    .takes = KT_TAKES_BOOK_NEW | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "make a book: directory, signing key, first record, chart of accounts",
    .about = "The directory must not exist or be empty. A chart has the columns code, name, type and perhaps parent,\n"
             "currency, rule (not-negative, not-positive); it is checked whole before anything is made.",
    .options = options,
    .example = "kontor init --book acme --entity \"Acme ApS\" --currency DKK --chart dk --timezone Europe/Copenhagen",
    .run = run,
};
