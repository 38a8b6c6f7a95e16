#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/post.h"

enum {
    WHAT,
    FILE_NAME,
    COUNTRY,
    VERSION,
    SOFTWARE,
    COMPANY,
    NUMBER,
    CURRENCY,
    FROM,
    TO,
    ENTRIES,
    ENTRIES_SAID,
    LINES,
    REFUSED,
    DEBIT,
    DEBIT_SAID,
    CREDIT,
    CREDIT_SAID,
    OPENING,
    CLOSING,
    DIFFERENCE,
    ROLLS,
    OUTSIDE,
    TURNED,
    ANALYSES,
    PARTIES,
    TAXES,
    ACCOUNT,
    NAME,
    TYPE,
    DECLARED,
    STATE,
    BATCH,
    FIRST,
    LAST,
    POSTED,
    REJECTED,
    CREATED,
    COUNT
};

typedef struct intake {
    kt_posting_job job;
    kt_saft_report *report;
    bool openings;
} intake;

/* ---- For machines: a row for the file, and a row an account ---- */

static void file_row(kt_out *out, const intake *in, const char *path, kt_code posted, const kt_import_result *result) {
    const kt_saft_report *report = in->report;
    kt_out_words(out, WHAT, "file");
    kt_out_words(out, FILE_NAME, path);
    kt_out_words(out, COUNTRY, report->country);
    kt_out_words(out, VERSION, report->version);
    kt_out_words(out, SOFTWARE, report->software);
    kt_out_words(out, COMPANY, report->company);
    kt_out_words(out, NUMBER, report->company_number);
    kt_out_words(out, CURRENCY, report->currency);
    kt_out_day(out, FROM, report->from);
    kt_out_day(out, TO, report->to);
    kt_out_count(out, ENTRIES, report->entries);
    if (report->says_entries) kt_out_count(out, ENTRIES_SAID, report->entries_said);
    kt_out_count(out, LINES, report->lines);
    kt_out_count(out, REFUSED, report->refused);
    kt_out_amount(out, DEBIT, report->debit, report->decimals);
    if (report->says_debit) kt_out_amount(out, DEBIT_SAID, report->debit_said, report->decimals);
    kt_out_amount(out, CREDIT, report->credit, report->decimals);
    if (report->says_credit) kt_out_amount(out, CREDIT_SAID, report->credit_said, report->decimals);
    kt_out_amount(out, OPENING, report->openings, report->decimals);
    kt_out_amount(out, CLOSING, report->closings, report->decimals);
    kt_out_flag(out, ROLLS, report->not_rolling == 0);
    kt_out_count(out, OUTSIDE, report->outside);
    kt_out_count(out, TURNED, report->turned);
    kt_out_count(out, ANALYSES, report->analyses_left_out);
    kt_out_count(out, PARTIES, report->parties_left_out);
    kt_out_count(out, TAXES, report->taxes_left_out);
    kt_out_words(out, STATE, kt_post_state(&in->job, posted, result));
    kt_out_count(out, POSTED, result->posted.entries);
    kt_out_count(out, REJECTED, result->rejected.entries);
    kt_out_count(out, CREATED, result->accounts_created);
    if (result->receipt.tree_size == 0) return;
    kt_out_words(out, BATCH, result->receipt.batch_id);
    kt_out_count(out, FIRST, result->receipt.first);
    kt_out_count(out, LAST, result->receipt.last);
}

static kt_code print_rows(const intake *in, const char *path, kt_code posted, const kt_import_result *result,
                          kt_error *error) {
    static const kt_column columns[COUNT] = {
        [WHAT] = {"what", NULL, KT_CELL_TEXT, false},
        [FILE_NAME] = {"file", NULL, KT_CELL_TEXT, false},
        [COUNTRY] = {"country", NULL, KT_CELL_TEXT, false},
        [VERSION] = {"version", NULL, KT_CELL_TEXT, false},
        [SOFTWARE] = {"software", NULL, KT_CELL_TEXT, false},
        [COMPANY] = {"company", NULL, KT_CELL_TEXT, false},
        [NUMBER] = {"company_number", NULL, KT_CELL_TEXT, false},
        [CURRENCY] = {"currency", NULL, KT_CELL_TEXT, false},
        [FROM] = {"from", NULL, KT_CELL_TEXT, false},
        [TO] = {"to", NULL, KT_CELL_TEXT, false},
        [ENTRIES] = {"entries", NULL, KT_CELL_COUNT, false},
        [ENTRIES_SAID] = {"entries_said", NULL, KT_CELL_COUNT, false},
        [LINES] = {"lines", NULL, KT_CELL_COUNT, false},
        [REFUSED] = {"refused", NULL, KT_CELL_COUNT, false},
        [DEBIT] = {"debit", NULL, KT_CELL_AMOUNT, false},
        [DEBIT_SAID] = {"debit_said", NULL, KT_CELL_AMOUNT, false},
        [CREDIT] = {"credit", NULL, KT_CELL_AMOUNT, false},
        [CREDIT_SAID] = {"credit_said", NULL, KT_CELL_AMOUNT, false},
        [OPENING] = {"opening", NULL, KT_CELL_AMOUNT, false},
        [CLOSING] = {"closing", NULL, KT_CELL_AMOUNT, false},
        [DIFFERENCE] = {"difference", NULL, KT_CELL_AMOUNT, false},
        [ROLLS] = {"rolls_forward", NULL, KT_CELL_FLAG, false},
        [OUTSIDE] = {"outside_period", NULL, KT_CELL_COUNT, false},
        [TURNED] = {"negative_turned", NULL, KT_CELL_COUNT, false},
        [ANALYSES] = {"analyses_left_out", NULL, KT_CELL_COUNT, false},
        [PARTIES] = {"parties_left_out", NULL, KT_CELL_COUNT, false},
        [TAXES] = {"taxes_left_out", NULL, KT_CELL_COUNT, false},
        [ACCOUNT] = {"account", NULL, KT_CELL_TEXT, false},
        [NAME] = {"name", NULL, KT_CELL_TEXT, false},
        [TYPE] = {"type", NULL, KT_CELL_TEXT, false},
        [DECLARED] = {"declared", NULL, KT_CELL_FLAG, false},
        [STATE] = {"state", NULL, KT_CELL_TEXT, false},
        [BATCH] = {"batch", NULL, KT_CELL_TEXT, false},
        [FIRST] = {"first_record", NULL, KT_CELL_NUMBER, false},
        [LAST] = {"last_record", NULL, KT_CELL_NUMBER, false},
        [POSTED] = {"posted_entries", NULL, KT_CELL_COUNT, false},
        [REJECTED] = {"rejected_entries", NULL, KT_CELL_COUNT, false},
        [CREATED] = {"accounts_created", NULL, KT_CELL_COUNT, false},
    };
    const kt_saft_report *report = in->report;
    kt_out *out;
    kt_code code = kt_out_open(in->job.style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    file_row(out, in, path, posted, result);
    code = kt_out_row(out, error);
    for (size_t i = 0; i < report->account_count && code == KT_OK; i++) {
        const kt_saft_account *account = &report->accounts[i];
        kt_out_words(out, WHAT, "account");
        kt_out_text(out, ACCOUNT, account->code);
        kt_out_text(out, NAME, account->name);
        kt_out_words(out, TYPE, kt_account_type_name(account->type));
        kt_out_flag(out, DECLARED, account->declared);
        kt_out_amount(out, OPENING, account->opening, report->decimals);
        kt_out_amount(out, DEBIT, account->debit, report->decimals);
        kt_out_amount(out, CREDIT, account->credit, report->decimals);
        kt_out_amount(out, CLOSING, account->closing, report->decimals);
        kt_out_amount(out, DIFFERENCE, account->difference, report->decimals);
        kt_out_flag(out, ROLLS, account->difference == 0);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

/* ---- For people ---- */

static void say_file(const kt_saft_report *report) {
    char first[KT_DAY_TEXT], last[KT_DAY_TEXT];
    printf("SAF-T Financial %s", report->country);
    const char *const parts[] = {report->version, report->software, report->company, report->company_number,
                                 report->currency};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i][0] == '\0') continue;
        fputs(i == 0 ? " " : ", ", stdout);
        kt_print_safe(stdout, kt_str_from(parts[i]));
    }
    if (report->from != KT_DAY_NONE && report->to != KT_DAY_NONE)
        printf(", %s to %s", kt_day_format(report->from, first), kt_day_format(report->to, last));
    putchar('\n');
}

static kt_code say_totals(const kt_saft_report *report, kt_error *error) {
    static const kt_column columns[] = {
        {NULL, "", KT_CELL_TEXT, false},
        {NULL, "transactions", KT_CELL_COUNT, false},
        {NULL, "debit", KT_CELL_AMOUNT, false},
        {NULL, "credit", KT_CELL_AMOUNT, false},
    };
    kt_out *out;
    kt_code code = kt_out_open(KT_STYLE_TABLE, columns, 4, false, &out, error);
    if (code != KT_OK) return code;
    kt_out_words(out, 0, "the file says");
    if (report->says_entries) kt_out_count(out, 1, report->entries_said);
    if (report->says_debit) kt_out_amount(out, 2, report->debit_said, report->decimals);
    if (report->says_credit) kt_out_amount(out, 3, report->credit_said, report->decimals);
    code = kt_out_row_people(out, false, error);
    kt_out_words(out, 0, "it holds");
    kt_out_count(out, 1, report->entries);
    kt_out_amount(out, 2, report->debit, report->decimals);
    kt_out_amount(out, 3, report->credit, report->decimals);
    if (code == KT_OK) code = kt_out_row_people(out, false, error);
    kt_code closed = kt_out_close(out, error);
    bool fits = (!report->says_entries || report->entries_said == report->entries) &&
                (!report->says_debit || report->debit_said == report->debit) &&
                (!report->says_credit || report->credit_said == report->credit);
    if (!fits) printf("the file's totals are not those of its transactions\n");
    return code != KT_OK ? code : closed;
}

static kt_code say_accounts(const kt_saft_report *report, kt_error *error) {
    static const kt_column columns[] = {
        {NULL, "account", KT_CELL_TEXT, false},      {NULL, "name", KT_CELL_PROSE, false},
        {NULL, "opening", KT_CELL_AMOUNT, false},    {NULL, "debit", KT_CELL_AMOUNT, false},
        {NULL, "credit", KT_CELL_AMOUNT, false},     {NULL, "closing", KT_CELL_AMOUNT, false},
        {NULL, "difference", KT_CELL_AMOUNT, false},
    };
    kt_out *out;
    printf("%zu of %zu accounts roll forward from opening to closing balance",
           report->account_count - report->not_rolling, report->account_count);
    puts(report->not_rolling == 0 ? "" : "; these do not:");
    if (report->not_rolling == 0) return KT_OK;
    kt_code code = kt_out_open(KT_STYLE_TABLE, columns, 7, false, &out, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; i < report->account_count && code == KT_OK; i++) {
        const kt_saft_account *account = &report->accounts[i];
        if (account->difference == 0) continue;
        kt_out_text(out, 0, account->code);
        kt_out_text(out, 1, account->name);
        kt_out_amount(out, 2, account->opening, report->decimals);
        kt_out_amount(out, 3, account->debit, report->decimals);
        kt_out_amount(out, 4, account->credit, report->decimals);
        kt_out_amount(out, 5, account->closing, report->decimals);
        kt_out_amount(out, 6, account->difference, report->decimals);
        code = kt_out_row_people(out, false, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static void say_count(uint64_t count, const char *one, const char *many) {
    if (count > 0) printf("%" PRIu64 " %s\n", count, count == 1 ? one : many);
}

static void say_dimensions(const kt_saft_report *report) {
    static const char *const names[] = {"", "cost centre", "department", "project"};
    bool any = false;
    for (unsigned d = 1; d <= KT_DIMENSIONS_MAX; d++) {
        if (report->analyses[d][0] == '\0') continue;
        fputs(any ? ", " : "analysis types: ", stdout);
        any = true;
        kt_print_safe(stdout, kt_str_from(report->analyses[d]));
        if (d <= KT_DIMENSION_PROJECT) printf(" is the %s", names[d]);
        else printf(" is dimension %u", d);
    }
    if (any) putchar('\n');
}

static kt_code say_report(const kt_saft_report *report, bool openings, kt_error *error) {
    char amount[KT_AMOUNT_TEXT];
    say_file(report);
    kt_code code = say_totals(report, error);
    if (code == KT_OK) code = say_accounts(report, error);
    if (code != KT_OK) return code;
    if (report->openings != 0)
        printf("the opening balances add up to %s instead of zero\n",
               (kt_amount_format(report->openings, report->decimals, ',', amount), amount));
    if (report->closings != 0)
        printf("the closing balances add up to %s instead of zero\n",
               (kt_amount_format(report->closings, report->decimals, ',', amount), amount));
    if (report->not_declared > 0)
        printf("%zu accounts are posted to, and stand not among the file's accounts\n", report->not_declared);
    say_dimensions(report);
    say_count(report->refused, "transaction cannot be posted", "transactions cannot be posted");
    say_count(report->outside, "transaction is dated outside the file's period",
              "transactions are dated outside the file's period");
    say_count(report->turned, "line has an amount below zero: taken for one of the other side",
              "lines have an amount below zero: taken for ones of the other side");
    say_count(report->analyses_left_out, "line has an analysis that is left out",
              "lines have analyses that are left out");
    say_count(report->parties_left_out, "line names a customer or supplier, which is left out",
              "lines name customers or suppliers, which are left out");
    say_count(report->taxes_left_out, "line has tax figures, of which the code alone is kept",
              "lines have tax figures, of which the codes alone are kept");
    if (!openings) puts("opening balances are not posted (--openings)");
    return KT_OK;
}

/* ---- Running ---- */

static kt_code read_options(const kt_arguments *arguments, intake *in, kt_error *error) {
    kt_import_options *import = &in->job.import;
    const char *rules = kt_given_value(arguments, "create-accounts"), *openings = kt_given_value(arguments, "openings");
    in->job.files = 1;
    in->job.rejects = kt_given_value(arguments, "rejects");
    in->openings = kt_given_flag(arguments, "openings");
    import->format = "saft";
    import->how.openings = !in->openings ? NULL : openings == NULL ? "" : openings;
    import->id = kt_str_from(kt_given_value(arguments, "id"));
    import->skip_bad = kt_given_flag(arguments, "skip-bad");
    import->dry_run = kt_given_flag(arguments, "dry-run");
    import->allow_duplicate_voucher = kt_given_flag(arguments, "allow-duplicate-voucher");
    import->create_accounts = kt_given_flag(arguments, "create-accounts");
    import->rounding_account = kt_str_from(kt_given_value(arguments, "rounding-account"));
    if (strcmp(arguments->words[0], "-") == 0)
        return kt_fail(error, KT_USAGE,
                       "import saft reads its file more than once: expected a file, not standard input");
    if (in->job.rejects != NULL && !import->skip_bad) return kt_fail(error, KT_USAGE, "--rejects goes with --skip-bad");
    if (rules == NULL) return KT_OK;
    kt_code code = kt_rules_read(rules, &in->job.rules, error);
    import->rules = in->job.rules.rules;
    import->rule_count = in->job.rules.count;
    return code;
}

static kt_code open_book(const kt_arguments *arguments, intake *in, kt_error *error) {
    kt_view *view = NULL;
    kt_company company;
    kt_code code = kt_open_argument(arguments, false, &in->job.book, error);
    if (code == KT_OK) code = kt_view_open(in->job.book, NULL, &view, error);
    if (code == KT_OK) code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK)
        (void)snprintf(in->job.currency, sizeof(in->job.currency), "%.*s", (int)company.currency.size,
                       company.currency.data);
    kt_view_close(view);
    return code;
}

static kt_code post(intake *in, const char *path, kt_error *error) {
    kt_import_result result = {0};
    uint64_t ms = 0;
    kt_code code, printed = KT_OK;
    if (in->report->currency[0] != '\0' && strcmp(in->report->currency, in->job.currency) != 0)
        kt_warn("the file's amounts are in %s and the book's in %s, in which they will have no value",
                in->report->currency, in->job.currency);
    if (in->job.style == KT_STYLE_TABLE) printed = say_report(in->report, in->openings, error);
    if (printed != KT_OK) return printed;
    code = kt_post_import(&in->job, path, &result, &ms, error);
    bool done = code == KT_OK || code == KT_END || code == KT_REPEATED;
    if (in->job.style != KT_STYLE_TABLE) printed = print_rows(in, path, code, &result, done ? error : NULL);
    else if (done) printed = kt_post_tell(&in->job, path, code, &result, ms, error);
    if (code != KT_OK && code != KT_REPEATED) return code;
    return printed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    intake in = {0};
    const char *path = arguments->words[0];
    kt_code code = kt_style_of(arguments, &in.job.style, error);
    if (code == KT_OK) code = read_options(arguments, &in, error);
    if (code == KT_OK) code = open_book(arguments, &in, error);
    if (code == KT_OK) code = kt_saft_examine(path, NULL, NULL, &in.report, error);
    if (code == KT_OK) code = post(&in, path, error);
    if (code == KT_END && error != NULL) error->text[0] = '\0'; /* each refusal was said where it happened */
    kt_saft_report_free(in.report);
    kt_rules_release(&in.job.rules);
    kt_book_close(in.job.book);
    return code;
}

static const kt_option options[] = {
    {"create-accounts", "RULES.csv",
     "open unknown accounts, listed first; the type by prefix,type rows, else as the file says", NULL, true, false},
    {"openings", "ACCOUNT",
     "post the opening balances as one entry on the day before the period; ACCOUNT takes what they are off by", NULL,
     true, false},
    {"skip-bad", NULL, "post the good transactions, list the bad ones and write them to a file", NULL, false, false},
    {"rejects", "FILE", "that file; default: FILE.rejected.<ending> beside the input", NULL, false, false},
    {"dry-run", NULL, "report and check everything, store nothing", NULL, false, false},
    {"id", "KEY", "the batch's id; default: a digest of the bytes and of the options that matter", NULL, false, false},
    {"allow-duplicate-voucher", NULL, "take a TransactionID that stands twice in a journal and year", NULL, false,
     false},
    {"rounding-account", "CODE", "takes what exchange rates leave over", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_import_saft = {
    .name = "import",
    .verb = "saft",
    .words = "FILE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "post a SAF-T Financial file (Norway, Denmark), and report whether it holds together",
    .about =
        "Before anything is posted the file is held against itself: its totals, every account's way from opening to\n"
        "closing balance, the sum of all openings. Opening balances are only reported unless --openings is given.\n"
        "JSON and CSV: a row for the file, and a row for each of its accounts.",
    .options = options,
    .example = "kontor import saft 2017.xml --create-accounts --openings=2050",
    .run = run,
};
