/*
 * export_ads: kt_export_ads, three files of the AICPA's Audit Data Standards (General Ledger Standard, July 2015), with
 * the standard's names of columns.
 *
 *   GL_Detail.csv         a row a line of an entry. Journal_ID is the entry's record number (vouchers are unique in
 *                         their series and year alone, and may be missing), Source the series, Effective_Date the valid
 *                         date, Fiscal_Year the year in which its fiscal year ends, Period the month of it (1 to 12, or
 *                         13 where a year begins within a month). Amount is without a sign beside D or C, except for
 *                         minus amounts, which keep side and sign.
 *   Trial_Balance.csv     a row an account and currency: Amount_Beginning before the first day (zero where none was
 *                         given), Amount_Ending on Balance_As_Of_Date, in Amount_Currency, and beside it what of it has
 *                         a book amount, as Amount_..._Reporting. Debit minus credit. Ending less beginning is the sum
 *                         of GL_Detail. No closing entries are thought up: result accounts run on.
 *   Chart_Of_Accounts.csv all accounts on record.
 *
 * Where a line is in another currency than the book's, Amount is in its own, as Amount_Currency says, and
 * Functional_Amount with Functional_Currency_Code is its cost; the standard would have Amount in the functional
 * currency, but then the original could not be told, and this is how kt_format_ads reads it. The columns Voucher,
 * Cost_Centre, Project and Tax_Code are the system's own, as the standard allows. Not written: who entered or approved
 * (law 9).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/exchange/export.h"

static void comma(kt_pen *pen) { kt_pen_put(pen, ",", 1); }

static void field(kt_pen *pen, kt_str text) {
    kt_pen_field(pen, text);
    comma(pen);
}

/* Fiscal_Year and Period of a day, each with its comma. */
static void put_year(kt_exporter *exporter, kt_day day) {
    kt_day first, last;
    int year, month, dom;
    kt_fiscal_year(&exporter->company, day, &first, &last);
    kt_day_to_civil(last, &year, &month, &dom);
    kt_pen_count(&exporter->pen, (uint64_t)year);
    comma(&exporter->pen);
    kt_pen_count(&exporter->pen, (uint64_t)(kt_day_month(day) - kt_day_month(first) + 1));
    comma(&exporter->pen);
}

/* ---- GL_Detail ---------------------------------------------------------------------------------- */

static kt_code begin_detail(kt_exporter *exporter, kt_error *error) {
    (void)error;
    kt_pen_words(
        &exporter->pen,
        "Journal_ID,Journal_ID_Line_Number,JE_Header_Description,JE_Line_Description,Source,Business_Unit_Code,"
        "Effective_Date,Fiscal_Year,Period,GL_Account_Number,Amount,Amount_Credit_Debit_Indicator,"
        "Amount_Currency,Functional_Amount,Functional_Currency_Code,Reference_Number,Segment01,Segment02,"
        "Segment03,Segment04,Segment05,Segment06,Segment07,Segment08,Voucher,Cost_Centre,Project,Tax_Code\n");
    return KT_OK;
}

static void put_amounts(kt_exporter *exporter, const kt_entry_view *view, size_t i) {
    const kt_line *line = &view->entry.lines[i];
    kt_pen *pen = &exporter->pen;
    bool credit = view->entry.minus ? line->amount > 0 : line->amount < 0;
    kt_pen_amount(pen, credit ? -line->amount : line->amount, view->decimals[i]);
    kt_pen_words(pen, credit ? ",C," : ",D,");
    field(pen, kt_exporter_currency(exporter, line->currency));
    if (line->has_cost) kt_pen_amount(pen, credit ? -line->cost : line->cost, view->cost_decimals[i]);
    comma(pen);
    if (line->has_cost) kt_pen_field(pen, kt_exporter_currency(exporter, line->cost_currency));
    comma(pen);
}

static kt_code put_detail(kt_exporter *exporter, const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_entry *entry = &view->entry;
    const kt_line *line = &entry->lines[i];
    kt_pen *pen = &exporter->pen;
    if (line->has_cost && line->amount == 0)
        return kt_exporter_refuse(view, i, "has a cost for an amount of zero, which GL_Detail cannot say; export json",
                                  error);
    kt_pen_count(pen, view->number);
    comma(pen);
    kt_pen_count(pen, i + 1);
    comma(pen);
    field(pen, entry->text);
    field(pen, line->text);
    field(pen, entry->series);
    field(pen, kt_exporter_dimension(line, KT_DIMENSION_DEPARTMENT));
    kt_pen_day(pen, entry->date);
    comma(pen);
    put_year(exporter, entry->date);
    field(pen, line->account);
    put_amounts(exporter, view, i);
    field(pen, line->ref.size ? line->ref : entry->ref);
    for (uint8_t d = KT_DIMENSION_PROJECT + 1; d <= KT_DIMENSIONS_MAX; d++) field(pen, kt_exporter_dimension(line, d));
    field(pen, entry->voucher);
    field(pen, kt_exporter_dimension(line, KT_DIMENSION_COST_CENTRE));
    field(pen, kt_exporter_dimension(line, KT_DIMENSION_PROJECT));
    kt_pen_field(pen, line->tax_code);
    kt_pen_put(pen, "\n", 1);
    return KT_OK;
}

static kt_code put_entry(kt_exporter *exporter, const kt_entry_view *view, kt_error *error) {
    kt_code code = KT_OK;
    bool refs = false;
    for (size_t i = 0; i < view->entry.line_count && code == KT_OK; i++) {
        code = put_detail(exporter, view, i, error);
        refs = refs || (view->entry.ref.size && view->entry.lines[i].ref.size &&
                        !kt_str_equal(view->entry.ref, view->entry.lines[i].ref));
    }
    exporter->result.texts_left_out += refs;
    exporter->result.reverses_left_out += view->entry.reverses != 0;
    return code;
}

const kt_export_format kt_export_gl_detail = {"ads", begin_detail, put_entry};

/* ---- Trial_Balance and Chart_Of_Accounts -------------------------------------------------------- */

static void put_balance(kt_exporter *exporter, const kt_balance *before, const kt_balance *after, kt_day at) {
    kt_pen *pen = &exporter->pen;
    field(pen, after->account);
    put_year(exporter, at);
    kt_pen_day(pen, at);
    comma(pen);
    kt_pen_amount(pen, before ? before->balance : 0, after->decimals);
    comma(pen);
    kt_pen_amount(pen, after->balance, after->decimals);
    comma(pen);
    field(pen, after->currency);
    kt_pen_amount(pen, before ? before->book_balance : 0, after->book_decimals);
    comma(pen);
    kt_pen_amount(pen, after->book_balance, after->book_decimals);
    comma(pen);
    kt_pen_field(pen, exporter->company.currency);
    kt_pen_put(pen, "\n", 1);
}

static kt_code put_trial_balance(kt_exporter *exporter, const kt_export_options *options, kt_error *error) {
    kt_balance_query query = {.from = KT_DAY_NONE, .to = options ? options->to : KT_DAY_NONE};
    kt_balance *before = NULL, *after = NULL;
    size_t before_count = 0, after_count = 0, b = 0;
    kt_head head;
    kt_code code = kt_view_head(exporter->view, &head, error);
    if (code == KT_OK) code = kt_balances(exporter->view, &query, &after, &after_count, error);
    kt_day at = query.to == KT_DAY_NONE ? head.last_day : query.to;
    if (code == KT_OK && options && options->from != KT_DAY_NONE && options->from > KT_DAY_MIN) {
        query.to = options->from - 1;
        code = kt_balances(exporter->view, &query, &before, &before_count, error);
    }
    kt_pen_words(&exporter->pen,
                 "GL_Account_Number,Fiscal_Year,Period,Balance_As_Of_Date,Amount_Beginning,Amount_Ending,"
                 "Amount_Currency,Amount_Beginning_Reporting,Amount_Ending_Reporting,"
                 "Amount_Reporting_Currency\n");
    for (size_t i = 0; i < after_count && code == KT_OK; i++) {
        /* Both are in one order, and what was there before is there after. */
        bool same = b < before_count && kt_str_equal(before[b].account, after[i].account) &&
                    kt_str_equal(before[b].currency, after[i].currency);
        put_balance(exporter, same ? &before[b] : NULL, &after[i], at);
        b += same;
    }
    free(before);
    free(after);
    return code;
}

static kt_code put_accounts(kt_exporter *exporter, kt_error *error) {
    static const char *const types[] = {"", "Assets", "Liabilities", "Equity", "Revenue", "Expenses"};
    kt_account *accounts;
    size_t count;
    kt_pen *pen = &exporter->pen;
    kt_code code = kt_view_accounts(exporter->view, &accounts, &count, error);
    if (code != KT_OK) return code;
    kt_pen_words(pen, "GL_Account_Number,GL_Account_Name,Account_Type,Parent_GL_Account_Number\n");
    for (size_t i = 0; i < count; i++) {
        field(pen, accounts[i].code);
        field(pen, accounts[i].name);
        kt_pen_words(pen, accounts[i].type <= KT_EXPENSE ? types[accounts[i].type] : "");
        comma(pen);
        kt_pen_field(pen, accounts[i].parent);
        kt_pen_put(pen, "\n", 1);
    }
    free(accounts);
    return KT_OK;
}

/* ---- Files -------------------------------------------------------------------------------------- */

typedef struct file {
    int directory, fd;
    const char *path; /* of the directory */
    const char *name;
} file;

static kt_code to_file(void *context, const char *data, size_t size, kt_error *error) {
    const file *to = context;
    while (size > 0) {
        ssize_t written = write(to->fd, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0)
            return kt_fail_errno(error, written < 0 ? errno : EIO, "%s/%s: cannot write", to->path, to->name);
        data += written;
        size -= (size_t)written;
    }
    return KT_OK;
}

static kt_code open_file(file *to, const char *name, kt_error *error) {
    to->name = name;
    to->fd = openat(to->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to->fd < 0) return kt_fail_errno(error, errno, "%s/%s: cannot create", to->path, name);
    return KT_OK;
}

static kt_code close_file(file *to, kt_code code, kt_error *error) {
    if (to->fd < 0) return code;
    if (code == KT_OK && fsync(to->fd) != 0)
        code = kt_fail_errno(error, errno, "%s/%s: cannot sync", to->path, to->name);
    if (close(to->fd) != 0 && code == KT_OK)
        code = kt_fail_errno(error, errno, "%s/%s: cannot close", to->path, to->name);
    to->fd = -1;
    return code;
}

/* The directory, new or empty. */
static kt_code open_directory(const char *path, int *out, kt_error *error) {
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return kt_fail_errno(error, errno, "%s: cannot create the directory", path);
    *out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out < 0 && errno == ENOTDIR) return kt_fail(error, KT_EXISTS, "%s: is there, and no directory", path);
    if (*out < 0) return kt_fail_errno(error, errno, "%s: cannot open the directory", path);
    int second = openat(*out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = second < 0 ? NULL : fdopendir(second);
    if (!list) {
        kt_code code = kt_fail_errno(error, errno, "%s: cannot read the directory", path);
        if (second >= 0) close(second);
        return code;
    }
    const struct dirent *entry;
    do entry = readdir(list);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    closedir(list);
    return entry ? kt_fail(error, KT_EXISTS, "%s: is not empty; expected a new or an empty directory", path) : KT_OK;
}

static kt_code write_files(kt_exporter *exporter, const kt_export_options *options, file *to, kt_error *error) {
    kt_code code = open_file(to, "GL_Detail.csv", error);
    if (code == KT_OK) code = kt_exporter_walk(exporter, &kt_export_gl_detail, options, to_file, to, error);
    code = close_file(to, code, error);
    if (code == KT_OK) code = open_file(to, "Trial_Balance.csv", error);
    if (code != KT_OK) return code;
    kt_pen_init(&exporter->pen, to_file, to);
    code = put_trial_balance(exporter, options, error);
    if (code == KT_OK) code = kt_pen_finish(&exporter->pen, error);
    code = close_file(to, code, error);
    if (code == KT_OK) code = open_file(to, "Chart_Of_Accounts.csv", error);
    if (code != KT_OK) return code;
    kt_pen_init(&exporter->pen, to_file, to);
    code = put_accounts(exporter, error);
    if (code == KT_OK) code = kt_pen_finish(&exporter->pen, error);
    return close_file(to, code, error);
}

kt_code kt_export_ads(kt_view *view, const char *directory, const kt_export_options *options, kt_export_result *result,
                      kt_error *error) {
    kt_exporter *exporter;
    file to = {.directory = -1, .fd = -1, .path = directory};
    kt_code code = kt_exporter_open(view, &exporter, error);
    if (code != KT_OK) return code;
    code = kt_exporter_walk(exporter, &kt_export_gl_detail, options, NULL, NULL, error);
    if (code == KT_OK) code = open_directory(directory, &to.directory, error);
    if (code == KT_OK) code = write_files(exporter, options, &to, error);
    if (code == KT_OK && fsync(to.directory) != 0)
        code = kt_fail_errno(error, errno, "%s: cannot sync the directory", directory);
    if (to.directory >= 0) close(to.directory);
    if (result) *result = exporter->result;
    free(exporter);
    return code;
}
