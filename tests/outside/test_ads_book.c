/* A real general ledger posted into a book: the lopsided entries are refused by journal id and amount, and the
   trial balance is the one computed by other means. */
#include <stdlib.h>
#include <string.h>

#include "engine/kontor.h"
#include "tests/outside/ads_independent.h"
#include "tests/tap.h"

static ads_counts theirs;
static size_t refused;

static void on_refused(void *context, const kt_error *why) {
    (void)context;
    if (refused < theirs.lopsided_count) {
        const ads_off *lopsided = &theirs.lopsided[refused];
        char off[KT_AMOUNT_TEXT];
        kt_amount_format(lopsided->off < 0 ? -lopsided->off : lopsided->off, 2, 0, off);
        is_code(why->code, KT_UNBALANCED, "a lopsided entry is refused");
        has_text(why->text, lopsided->journal, "by its journal id");
        has_text(why->text, off, "with the amount it is off by");
    }
    refused++;
}

static void compare(kt_book *book) {
    kt_view *view = NULL;
    kt_balance *rows = NULL;
    size_t count = 0, equal = 0, expected = 0;
    kt_error error = {0};
    is_code(kt_view_open(book, NULL, &view, &error), KT_OK, "a view opens");
    is_code(kt_balances(view, NULL, &rows, &count, &error), KT_OK, "a trial balance (%s)", error.text);
    for (size_t k = 0; k < theirs.sum_count; k++) {
        const ads_sum *sum = &theirs.sums[k];
        if (!sum->debit && !sum->credit) continue; /* perhaps only in lopsided entries, or of nothing */
        expected++;
        for (size_t i = 0; i < count; i++)
            equal += kt_str_equal(rows[i].account, kt_str_from(sum->account)) &&
                     kt_str_equal(rows[i].currency, kt_str_from(sum->currency)) && rows[i].debit == sum->debit &&
                     rows[i].credit == sum->credit && rows[i].balance == sum->debit - sum->credit;
    }
    ok(expected > 90, "accounts are compared (%zu)", expected);
    is_int((long long)equal, (long long)expected,
           "every account has the debit, credit and balance computed by other means");
    kt_amount total = 0;
    for (size_t i = 0; i < count; i++) total += rows[i].balance;
    is_int((long long)total, 0, "and they sum to zero");
    free(rows);
    kt_view_close(view);
}

int main(void) {
    char path[4096], directory[1024];
    if (!ads_file(path, sizeof path)) skip_all("the outside cases are not here");
    is_int(ads_count(path, &theirs), 0, "the file is counted by other means");
    snprintf(directory, sizeof directory, "%s/book", test_dir());
    kt_create_options create = {.company = {.entity = KT_STR("Outside"), .currency = KT_STR("USD")}};
    kt_book *book = NULL;
    kt_error error = {0};
    is_code(kt_book_create(directory, &create, &error), KT_OK, "a book is made (%s)", error.text);
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "and opened (%s)", error.text);
    kt_import_options options = {.skip_bad = true, .create_accounts = true, .refused = on_refused};
    kt_import_result result;
    is_code(kt_import(book, path, &options, &result, &error), KT_END, "the ledger is posted but for some entries (%s)",
            error.text);
    is_int((long long)result.read.entries, 13295, "read 13,295");
    is_int((long long)result.posted.entries, 13291, "posted 13,291");
    is_int((long long)result.rejected.entries, 4, "rejected 4");
    is_int((long long)result.posted.lines, (long long)theirs.balanced_lines, "lines posted");
    is_int((long long)result.posted.debit, (long long)result.posted.credit, "debit posted = credit posted");
    compare(book);
    is_code(kt_import(book, path, &options, &result, &error), KT_REPEATED, "sent again, it is stored once (law 5)");
    kt_book_close(book);
    return done();
}
