/* The auditor's tests over many entries: the same answer with any number of threads and walks; digits of amounts; a
   population that is not what the book says it is; and files before they are posted. */
#define KT_SIFT_MOST 500u /* so that the sifted tests walk several times */
#include "engine/audit/tests_sift.c"

#include <stdio.h>

#include "engine/tables.h"
#include "tests/auditing.h"

#define ENTRIES 2400u

/* Entries of one batch each `batch`, 1000 against 4000, by `amount_of` in øre. */
static uint64_t post_many(kt_book *book, unsigned count, unsigned a_batch, kt_amount (*amount_of)(unsigned place)) {
    uint64_t first = 0;
    for (unsigned done_so_far = 0; done_so_far < count;) {
        kt_batch *batch = begin(book);
        for (unsigned i = 0; i < a_batch && done_so_far < count; i++, done_so_far++) {
            char voucher[16];
            uint64_t number = 0;
            kt_amount amount = amount_of(done_so_far);
            kt_line lines[2] = {{.account = KT_STR("1000"), .amount = amount},
                                {.account = KT_STR("4000"), .amount = -amount}};
            snprintf(voucher, sizeof voucher, "%u", 65000 + done_so_far + done_so_far / 1000);
            kt_entry entry = {.date = day("2026-01-01") + (kt_day)(done_so_far % 300),
                              .voucher = kt_str_from(voucher),
                              .text = KT_STR("Sale"),
                              .lines = lines,
                              .line_count = 2};
            if (kt_batch_add(batch, &entry, &number, &said) != KT_OK) diag("%s", said.text);
            if (first == 0) first = number;
        }
        if (kt_batch_commit(batch, &receipt, &said) != KT_OK) diag("%s", said.text);
    }
    return first;
}

static kt_amount grown = 1000000;

static kt_amount growing(unsigned place) {
    if (place == 0) grown = 1000000;
    kt_amount now = grown;
    grown = grown * 101 / 100;
    return now;
}

static kt_amount even(unsigned place) { return 100000 + (kt_amount)place * 700; }

/* Every twentieth ends in 47 before the decimals. */
static kt_amount ending(unsigned place) {
    return place % 20 == 0 ? 1004700 + (kt_amount)place * 100000 : 1000000 + (kt_amount)place * 12345;
}

static bool same_answers(const kt_audit *a, const kt_audit *b) {
    bool same = a->test_count == b->test_count && a->population.debit == b->population.debit;
    for (size_t i = 0; same && i < a->test_count; i++) {
        const kt_audit_test *one = &a->tests[i], *other = &b->tests[i];
        same = one->flagged == other->flagged && one->finding_count == other->finding_count &&
               one->status == other->status && kt_str_equal(one->examined, other->examined) &&
               one->table.chi_square == other->table.chi_square;
        for (size_t k = 0; same && k < one->finding_count; k++)
            same = one->findings[k].entry == other->findings[k].entry &&
                   one->findings[k].other == other->findings[k].other &&
                   kt_str_equal(one->findings[k].why, other->findings[k].why);
        if (!same) diag("%s differs", one->about->name);
    }
    return same;
}

static void conforming(void) {
    kt_book *book = make_danish_book("growing");
    uint64_t first = post_many(book, ENTRIES, 37, growing);
    kt_audit_options one = {.threads = 1}, four = {.threads = 4}, few = {.threads = 3, .most_findings = 5};
    kt_audit *audit = audited(book, &one), *other = audited(book, &four);
    ok(same_answers(audit, other), "one thread and several give the same answers");
    const kt_audit_test *test = test_of(audit, "benford");
    is_int((long long)test->count, ENTRIES, "an amount an entry: the credit is the same sum");
    is_int((long long)test->table.conformity, KT_AUDIT_CLOSE, "what grows by one percent conforms");
    is_int((long long)test->table.mad, 4158239, "by the mean deviation computed elsewhere");
    is_int((long long)test->table.chi_square / 1000000, 4244, "and chi-square");
    is_int((long long)test->table.bins[0].observed, 766, "766 begin with 1");
    is_int((long long)test->status, KT_AUDIT_CLEAR, "so nothing is pointed at");
    test = test_of(audit, "benford2");
    is_int((long long)test->table.conformity, KT_AUDIT_CLOSE, "the first two digits conform too");
    is_int((long long)test->table.mad, 531142, "with the mean deviation computed elsewhere");
    is_int((long long)test->table.bin_count, 90, "in 90 bins");
    kt_audit_free(other);
    other = audited(book, &few);
    bool lowest = true;
    for (size_t i = 0; i < test_of(other, "weekend")->finding_count; i++)
        lowest = lowest && test_of(other, "weekend")->findings[i].entry == test_of(audit, "weekend")->findings[i].entry;
    ok(lowest && test_of(other, "weekend")->finding_count == 5, "of many findings the lowest numbers are kept");
    test = test_of(audit, "vouchers");
    is_int((long long)test->flagged, 2, "numbers missing on both sides of a block's end are found, whatever the walks");
    /* 65999 + 1 and 67000 + 1: behind the thousandth and the two thousandth entry. */
    kt_book_close(book);
    (void)first;
    kt_audit_free(audit);
    kt_audit_free(other);
}

static void not_conforming(void) {
    kt_book *book = make_danish_book("even");
    (void)post_many(book, 1200, 400, even);
    kt_audit *audit = audited(book, NULL);
    const kt_audit_test *test = test_of(audit, "benford");
    is_int((long long)test->table.conformity, KT_AUDIT_NONCONFORMITY, "even amounts do not conform");
    is_int((long long)test->status, KT_AUDIT_FLAGGED, "which is pointed at");
    is_int((long long)test->table.chi_square / 1000000, 417433, "with chi-square as computed elsewhere");
    is_int((long long)test->table.mad, 54346664, "and the mean deviation");
    ok(test->finding_count > 0 && test->findings[0].entry != 0, "by digits that come too often, with an entry");
    is_int((long long)test_of(audit, "benford2")->table.mad, 6075715, "the first two digits likewise");
    kt_audit_free(audit);
    kt_audit_options few = {.to = day("2026-01-01") + 249};
    audit = audited(book, &few);
    test = test_of(audit, "benford");
    is_int((long long)test->count, 1000, "a thousand amounts are enough");
    is_int((long long)test->status, KT_AUDIT_FLAGGED, "and judged");
    kt_audit_free(audit);
    few.to--;
    audit = audited(book, &few);
    test = test_of(audit, "benford");
    ok(test->count < 1000, "fewer are counted");
    is_int((long long)test->status, KT_AUDIT_REFUSED, "and refused");
    is_int((long long)test->table.bin_count, 0, "without a table");
    has_text(test->note.data, "fewer than 1,000", "with the reason");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void endings(void) {
    kt_book *book = make_danish_book("endings");
    uint64_t first = post_many(book, 2000, 500, ending);
    kt_audit *audit = audited(book, NULL);
    points_at(audit, "endings", first, "end in 47", "an ending that repeats, at its first entry");
    is_int((long long)test_of(audit, "endings")->flagged, 1, "and no other");
    is_int((long long)test_of(audit, "endings")->table.bin_count, 100, "with a table of a hundred");
    kt_audit_free(audit);
    kt_book_close(book);
    book = open_book("even");
    audit = audited(book, NULL);
    is_int((long long)test_of(audit, "endings")->flagged, 0, "evenly spread ones are left alone");
    kt_audit_free(audit);
    kt_book_close(book);
}

/* The sums that balances are told from are taken away behind the entries' back. */
static void tampered(void) {
    kt_book *book = make_danish_book("tampered");
    posted(book, "2026-01-05 1 1000 100 text=Sale / 4000 -100\n2026-01-06 2 1000 10 EUR @@ 74 text=Sale / 4000 -74");
    kt_book_close(book);
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    if (kt_store_open(path_of("tampered"), &options, &store, &said) != KT_OK) diag("%s", said.text);
    is_code(kt_txn_begin(store, true, &txn, &said), KT_OK, "somebody reaches into the book");
    is_code(kt_txn_clear(txn, KT_TABLE_RUNS, &said), KT_OK, "and takes the sums away");
    is_code(kt_txn_commit(txn, &said), KT_OK, "with good checksums");
    kt_store_close(store);
    book = open_book("tampered");
    kt_audit *audit = audited(book, NULL);
    ok(!audit->reconciled && !audit->population.reconciled, "the population does not reconcile");
    is_int((long long)audit->population.debit_off, 17400, "by how much is said");
    const kt_audit_test *test = test_of(audit, "completeness");
    is_int((long long)test->status, KT_AUDIT_IMBALANCE, "and accounts do not roll forward");
    is_int((long long)test->flagged, 3, "each in each of its currencies");
    ok(test->finding_count == 3 && kt_str_equal(test->findings[0].account, KT_STR("1000")) &&
           test->findings[0].amount == 10000,
       "by name and amount");
    has_text(test->findings[0].why.data, "no balance", "with the reason");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "w");
    if (file == NULL || fputs(text, file) < 0) diag("%s is not written", name);
    if (file != NULL) fclose(file);
}

static void files(void) {
    kt_book *book = make_danish_book("files");
    kt_audit *audit = NULL;
    write_file("bad.csv", "date,voucher,account,amount,text\n"
                          "2026-01-05,1,1000,100.00,Sale\n2026-01-05,1,4000,-100.00,Sale\n"
                          "2026-01-06,2,1000,100.00,Sale\n2026-01-06,2,4000,-99.00,Sale\n"
                          "2026-01-07,3,1000,50.00,Sale\n"
                          "2026-01-08,4,1000,7.00,Sale\n2026-01-08,4,9999,-7.00,Sale\n");
    kt_head before = head_of(book);
    is_code(kt_audit_file(book, path_of("bad.csv"), NULL, NULL, &audit, &said), KT_OK, "a file is looked at");
    const kt_audit_test *test = test_of(audit, "file");
    is_int((long long)test->count, 4, "its entries are counted");
    is_int((long long)test->flagged, 3, "and what could not be posted");
    has_text(test->examined.data, "2 do not balance", "two do not balance");
    ok(test->finding_count == 3, "all are kept");
    has_text(test->findings[0].why.data, "bad.csv:4", "with file and line");
    has_text(test->findings[0].why.data, "off by 1.00", "and by how much");
    has_text(test->findings[1].why.data, "bad.csv:6", "one line alone does not balance");
    has_text(test->findings[2].why.data, "9999", "an unknown account is named");
    is_int((long long)audit->population.entries, 4, "the file is the population");
    is_int((long long)audit->population.debit, 25700, "with its sums");
    ok(audit->reconciled, "and is what would be posted and what would not");
    kt_head after = head_of(book);
    is_int((long long)after.size, (long long)before.size, "nothing is stored");
    kt_audit_free(audit);
    kt_audit_options one = {.most_findings = 1};
    is_code(kt_audit_file(book, path_of("bad.csv"), NULL, &one, &audit, &said), KT_OK, "as often as one likes");
    is_int((long long)test_of(audit, "file")->finding_count, 1, "keeping so many findings");
    is_int((long long)test_of(audit, "file")->flagged, 3, "and counting all");
    kt_audit_free(audit);
    write_file("good.csv", "date,voucher,account,amount\n2026-01-05,1,1000,100.00\n2026-01-05,1,4000,-100.00\n");
    kt_import_result result = {0};
    is_code(kt_import(book, path_of("good.csv"), NULL, &result, &said), KT_OK, "a good file is posted");
    is_code(kt_audit_file(book, path_of("good.csv"), NULL, NULL, &audit, &said), KT_OK, "and looked at afterwards");
    is_int((long long)test_of(audit, "file")->status, KT_AUDIT_CLEAR, "there is nothing to say of it");
    kt_audit_free(audit);
    is_code(kt_audit_file(book, path_of("none.csv"), NULL, NULL, &audit, &said), KT_IO, "a file that is not there");
    ok(audit == NULL, "gives nothing");
    kt_book_close(book);
}

int main(void) {
    conforming();
    not_conforming();
    endings();
    tampered();
    files();
    return done();
}
