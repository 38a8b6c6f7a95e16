/*
 * file: what of a file could not be posted, before it is imported: read as kt_import reads it, in a batch that is only tried.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/audit/tests_report.h"
#include "storage/bytes.h"

static const kt_audit_about about_file = {
    .name = "file",
    .title = "Entries of a file that do not balance, have one line, or cannot be posted",
    .asks =
        "Reads a file as importing it would, in a batch that is only tried, and tells what would be refused and why.",
    .criterion = "double entry; ISA 240.A45(d): entries without account numbers"};

struct listing {
    kt_reporter *reporter;
    kt_audit_test *test;
    uint64_t most, unbalanced;
    size_t room;
    const kt_import_options *import;
};

static void on_refused(void *context, const kt_error *why) {
    struct listing *listing = context;
    kt_audit_test *test = listing->test;
    test->flagged++;
    listing->unbalanced += why->code == KT_UNBALANCED;
    if (listing->import->refused != NULL) listing->import->refused(listing->import->context, why);
    if (test->finding_count == listing->most) return;
    if (test->finding_count == listing->room) {
        size_t room = listing->room == 0 ? 16 : listing->room * 2;
        kt_audit_finding *grown = realloc(test->findings, room * sizeof *grown);
        if (grown == NULL) {
            listing->reporter->code = KT_MEMORY;
            return;
        }
        test->findings = grown;
        listing->room = room;
    }
    test->findings[test->finding_count++] = (kt_audit_finding){
        .date = KT_DAY_NONE, .why = kt_report_text(listing->reporter, "%s", why->text)};
}

static void on_progress(void *context, uint64_t bytes_done, uint64_t bytes, uint64_t entries) {
    const struct listing *listing = context;
    if (listing->import->progress != NULL)
        listing->import->progress(listing->import->context, bytes_done, bytes, entries);
}

static void on_creates(void *context, const kt_account *account) {
    const struct listing *listing = context;
    if (listing->import->creates != NULL) listing->import->creates(listing->import->context, account);
}

static void tell(struct listing *listing, const kt_import_result *result, const kt_company *company) {
    kt_reporter *reporter = listing->reporter;
    kt_audit_test *test = listing->test;
    kt_audit_population *population = &reporter->audit.population;
    char entries[KT_AMOUNT_TEXT], lines[KT_AMOUNT_TEXT], unbalanced[KT_AMOUNT_TEXT];
    *population = (kt_audit_population){.from = KT_DAY_NONE,
                                        .to = KT_DAY_NONE,
                                        .entries = result->read.entries,
                                        .lines = result->read.lines,
                                        .debit = result->read.debit,
                                        .credit = result->read.credit,
                                        .trial_lines = result->posted.lines + result->rejected.lines,
                                        .trial_debit = result->posted.debit + result->rejected.debit,
                                        .trial_credit = result->posted.credit + result->rejected.credit,
                                        .currency = kt_report_keep(reporter, company->currency),
                                        .decimals = result->decimals};
    population->debit_off = population->debit - population->trial_debit;
    population->credit_off = population->credit - population->trial_credit;
    population->reconciled = population->lines == population->trial_lines && population->debit_off == 0 &&
                             population->credit_off == 0;
    reporter->audit.reconciled = population->reconciled;
    test->count = result->read.entries;
    test->status = test->flagged != 0 ? KT_AUDIT_FLAGGED : KT_AUDIT_CLEAR;
    test->examined = kt_report_text(
        reporter, "%s entries, %s lines of the file; %s do not balance", kt_report_count(result->read.entries, entries),
        kt_report_count(result->read.lines, lines), kt_report_count(listing->unbalanced, unbalanced));
}

static kt_code try_file(kt_book *book, const char *path, struct listing *listing, kt_error *error) {
    kt_import_options import = *listing->import;
    kt_import_result result = {0};
    kt_company company;
    kt_view *view;
    import.dry_run = import.skip_bad = true;
    import.allow_duplicate_voucher = true; /* posted before or not: what it is made of is asked */
    import.id = KT_STR("kontor audit: tried and never posted");
    import.reject_path = NULL;
    import.most_refusals = 0;
    import.refused = on_refused;
    import.progress = on_progress;
    import.creates = on_creates;
    import.context = listing;
    kt_code code = kt_view_open(book, NULL, &view, error);
    if (code != KT_OK) return code;
    code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK) code = kt_import(book, path, &import, &result, error);
    if (code == KT_END) code = KT_OK; /* some were rejected: that is what was asked */
    if (code == KT_OK) tell(listing, &result, &company);
    kt_view_close(view);
    return code;
}

kt_code kt_audit_file(kt_book *book, const char *path, const kt_import_options *import, const kt_audit_options *options,
                      kt_audit **out, kt_error *error) {
    static const kt_import_options nothing;
    kt_reporter *reporter = kt_reporter_new();
    *out = NULL;
    if (reporter == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    struct listing listing = {.reporter = reporter,
                              .most = options == NULL || options->most_findings == 0 ? 100 : options->most_findings,
                              .import = import == NULL ? &nothing : import};
    listing.test = reporter->audit.tests = calloc(1, sizeof *reporter->audit.tests);
    kt_code code = listing.test == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
    if (code == KT_OK) {
        reporter->audit.test_count = 1;
        listing.test->about = &about_file;
        code = try_file(book, path, &listing, error);
    }
    if (code == KT_OK && reporter->code != KT_OK)
        code = kt_fail(error, KT_MEMORY, "out of memory for the findings' texts");
    if (code == KT_OK) *out = &reporter->audit;
    else kt_audit_free(&reporter->audit);
    return code;
}
