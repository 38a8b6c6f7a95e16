/* kt_import of files so large that a second thread makes their digest while entries are read: nothing else differs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/kontor.h"
#include "tests/bookkeeping.h"

#define HEAD "date,voucher,account,amount,text\n"
#define ENTRIES 20000 /* of 120 bytes: more than the MiB below which no thread is begun */

static kt_book *book;
static char place[512], created[400], first_refusal[1300];
static unsigned refusals, progresses;

/* ENTRIES entries, vouchers from `from` on; entry `bad` (0: none) does not balance, and the last line is `last`. */
static const char *large(const char *name, unsigned from, const char *account, unsigned bad, const char *last) {
    const char *path = path_of(name);
    FILE *out = fopen(path, "w");
    if (!out) return path;
    fputs(HEAD, out);
    for (unsigned i = 0; i < ENTRIES; i++)
        fprintf(out, "2026-05-05,V%u,1000,1.00,Entry number %09u\n2026-05-05,V%u,%s,-%s,Entry number %09u\n", from + i,
                i, from + i, account, i + 1 == bad ? "2.00" : "1.00", i);
    fputs(last, out);
    fclose(out);
    return path;
}

static void on_refused(void *context, const kt_error *why) {
    (void)context;
    if (refusals++ == 0) snprintf(first_refusal, sizeof first_refusal, "%s", why->text);
}

static void on_creates(void *context, const kt_account *account) {
    (void)context;
    size_t n = strlen(created);
    snprintf(created + n, sizeof created - n, "%.*s ", (int)account->code.size, account->code.data);
}

static void on_progress(void *context, uint64_t done, uint64_t of, uint64_t entries) {
    (void)context;
    progresses += done <= of && entries > 0;
}

static void setup(void) {
    snprintf(place, sizeof place, "%s", test_dir());
    kt_create_options options = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    kt_error error = {0};
    is_code(kt_book_create(path_of("book"), &options, &error), KT_OK, "a book is made (%s)", error.text);
    is_code(kt_book_open(path_of("book"), NULL, &book, &error), KT_OK, "and opened (%s)", error.text);
    if (!book) exit(done());
}

static void creating(void) {
    kt_import_options options = {.create_accounts = true, .creates = on_creates, .progress = on_progress};
    kt_import_result result;
    kt_error error = {0};
    is_code(kt_import(book, large("a.csv", 1, "2000", 0, ""), &options, &result, &error), KT_OK,
            "a large file with new accounts is posted (%s)", error.text);
    is_text(created, "1000 2000 ", "each told once, in the order of their coming");
    is_int((long long)result.posted.entries, ENTRIES, "all entries are");
    ok(progresses > 2, "and progress was told");
    created[0] = 0;
    uint64_t size = head_of(book).size;
    kt_code code = kt_import(book, large("b.csv", 100001, "3000", 0, "2026-05-05,1,4000,x,\n2026-05-05,2,5000,1,\n"),
                             &options, &result, &error);
    is_code(code, KT_INVALID, "a file whose last lines are bad is refused");
    is_text(created, "3000 ", "behind the accounts that stand before them");
    is_int((long long)head_of(book).size, (long long)size, "and nothing of it is stored");
}

static void repeating(void) {
    kt_import_options plain = {0}, named = {.id = KT_STR("may-2026")},
                      skipping = {.skip_bad = true, .refused = on_refused};
    kt_import_result result, again;
    kt_error error = {0};
    is_code(kt_import(book, path_of("a.csv"), &plain, &again, &error), KT_REPEATED,
            "the same file again is a repeat (law 5)");
    is_int((long long)again.read.entries, 0, "of which nothing is counted");
    is_int((long long)again.receipt.entries, ENTRIES, "but the receipt of the first");
    uint64_t size = head_of(book).size;
    is_code(kt_import(book, large("c.csv", 200001, "2000", ENTRIES - 5, ""), &plain, &result, &error), KT_UNBALANCED,
            "a lopsided entry near the end refuses the file");
    has_text(error.text, "c.csv:39990: ", "by its line");
    is_int((long long)head_of(book).size, (long long)size, "nothing is stored");
    skipping.reject_path = path_of("c.rejected.csv");
    is_code(kt_import(book, path_of("c.csv"), &skipping, &result, &error), KT_END,
            "with skip_bad the others are posted");
    is_int((long long)result.posted.entries, ENTRIES - 1, "all of them");
    is_int(refusals, 1, "and the one is told");
    ok(access(skipping.reject_path, R_OK) == 0, "and written");
    refusals = 0;
    unlink(skipping.reject_path);
    is_code(kt_import(book, path_of("c.csv"), &plain, &again, &error), KT_REPEATED,
            "sent again without it, it is a repeat whatever is wrong with it");
    is_code(kt_import(book, path_of("c.csv"), &skipping, &again, &error), KT_REPEATED, "and with it too");
    is_int(refusals, 0, "no refusal is told then");
    ok(access(skipping.reject_path, F_OK) != 0, "and no file is written");
    is_code(kt_import(book, large("d.csv", 300001, "2000", 0, ""), &named, &result, &error), KT_OK,
            "an id may be given (%s)", error.text);
    is_text(result.receipt.batch_id, "may-2026", "and is the batch's");
    is_code(kt_import(book, path_of("d.csv"), &named, &again, &error), KT_REPEATED, "the same again is a repeat");
    size = head_of(book).size;
    is_code(kt_import(book, large("e.csv", 400001, "2000", 0, ""), &named, &again, &error), KT_DUPLICATE,
            "another file under that id is refused");
    is_code(kt_import(book, large("e.csv", 400001, "2000", 7, ""), &named, &again, &error), KT_DUPLICATE,
            "also where it would be refused for something else");
    is_int((long long)head_of(book).size, (long long)size, "and nothing of it is stored");
}

static void trying(void) {
    kt_import_options dry = {.dry_run = true};
    kt_import_result result;
    kt_error error = {0};
    uint64_t size = head_of(book).size;
    is_code(kt_import(book, large("f.csv", 500001, "2000", 0, ""), &dry, &result, &error), KT_OK,
            "a dry run counts (%s)", error.text);
    is_int((long long)result.posted.debit, (long long)ENTRIES * 100, "what it would post");
    is_int((long long)head_of(book).size, (long long)size, "and stores nothing");
    is_code(kt_import(book, path_of("a.csv"), &dry, &result, &error), KT_REPEATED, "and knows a repeat");
}

int main(void) {
    setup();
    creating();
    repeating();
    trying();
    kt_book_close(book);
    return done();
}
