/* kt_import: a file is a batch, whole or absent; what is refused is named, counted and kept for mending. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/kontor.h"
#include "storage/digest.h"
#include "tests/bookkeeping.h"

#define HEAD "date,voucher,account,amount,text\n"

static kt_book *book;
static char place[512], message[2000], created[500];
static int refusals;
static uint64_t created_at_size;

static const char *file(const char *name, const char *text) {
    const char *path = path_of(name);
    FILE *out = fopen(path, "w");
    if (!out) return path;
    fputs(text, out);
    fclose(out);
    return path;
}

static kt_amount balance_of(const char *account) {
    kt_view *view = NULL;
    kt_balance *rows = NULL;
    size_t count = 0;
    kt_amount sum = 0;
    if (kt_view_open(book, NULL, &view, NULL) == KT_OK && kt_balances(view, NULL, &rows, &count, NULL) == KT_OK)
        for (size_t i = 0; i < count; i++)
            if (kt_str_equal(rows[i].account, kt_str_from(account))) sum += rows[i].balance;
    free(rows);
    kt_view_close(view);
    return sum;
}

static void on_refused(void *context, const kt_error *why) {
    (void)context;
    refusals++;
    snprintf(message, sizeof message, "%s", why->text);
}

static void on_creates(void *context, const kt_account *account) {
    (void)context;
    size_t n = strlen(created);
    snprintf(created + n, sizeof created - n, "%.*s=%s ", (int)account->code.size, account->code.data,
             kt_account_type_name(account->type));
    created_at_size = head_of(book).size;
}

static void setup(void) {
    snprintf(place, sizeof place, "%s", test_dir());
    kt_create_options options = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    kt_error error = {0};
    is_code(kt_book_create(path_of("book"), &options, &error), KT_OK, "a book is made (%s)", error.text);
    is_code(kt_book_open(path_of("book"), NULL, &book, &error), KT_OK, "and opened (%s)", error.text);
    if (!book) exit(done());
    (void)open_accounts(book, "1000 asset");
    (void)open_accounts(book, "2000 asset");
}

static void whole(void) {
    const char *path = file("good.csv", HEAD "2026-01-31,1,1000,12.50,Rent\n2026-01-31,1,2000,-12.5,Rent\n"
                                             "2026-01-31,2,1000,3,\n2026-01-31,2,2000,-3,\n");
    kt_import_result result, again;
    kt_error error = {0};
    is_code(kt_import(book, path, NULL, &result, &error), KT_OK, "a good file is posted (%s)", error.text);
    is_int((long long)result.posted.entries, 2, "with its entries");
    is_int((long long)result.read.lines, 4, "and lines");
    is_int((long long)result.posted.debit, 1550, "control totals: debit");
    is_int((long long)result.posted.credit, 1550, "and credit");
    is_int((long long)result.rejected.entries, 0, "nothing is rejected");
    is_int((long long)result.receipt.entries, 2, "the receipt counts them");
    is_int((long long)strlen(result.receipt.batch_id), 64, "the batch id is a digest");
    is_int((long long)balance_of("1000"), 1550, "the account has it");
    uint64_t size = head_of(book).size;
    is_code(kt_import(book, path, NULL, &again, &error), KT_REPEATED, "the same file again is a repeat (law 5)");
    is_int((long long)again.receipt.first, (long long)result.receipt.first, "and is told where the first one lies");
    is_int((long long)head_of(book).size, (long long)size, "nothing new is stored");
    kt_import_options other = {.id = kt_str_from(result.receipt.batch_id)};
    is_code(kt_import(book, file("other.csv", HEAD "2026-01-31,9,1000,1,\n2026-01-31,9,2000,-1,\n"), &other, &again,
                      &error),
            KT_DUPLICATE, "the same id with other content is refused");
    kt_import_options pointless = {.skip_bad = true, .allow_duplicate_voucher = true};
    is_code(kt_import(book, path, &pointless, &again, &error), KT_REPEATED,
            "what to do with bad entries is not part of the id");
}

static void absent(void) {
    const char *path = file("unknown.csv", HEAD "2026-02-01,10,1000,5,Secret\n2026-02-01,10,2000,-5,Secret\n"
                                                "2026-02-01,11,1000,5,Secret\n2026-02-01,11,3000,-5,Secret\n");
    kt_import_result result;
    kt_error error = {0};
    uint64_t size = head_of(book).size;
    is_code(kt_import(book, path, NULL, &result, &error), KT_UNKNOWN, "an unknown account refuses the file");
    has_text(error.text, "unknown.csv:", "naming the file and line");
    has_text(error.text, "3000", "and the account");
    ok(!strstr(error.text, "Secret"), "but no text of a line (law 9)");
    is_int((long long)head_of(book).size, (long long)size, "nothing of it is stored (law 4)");
    is_int((long long)result.posted.entries, 0, "nor said to be");
    is_int((long long)result.rejected.entries, (long long)result.read.entries, "read = posted + rejected all the same");
    (void)open_accounts(book, "3000 asset");
    is_code(kt_import(book, path, NULL, &result, &error), KT_OK, "the same file again, once the account is open");
    size = head_of(book).size;
    is_code(
        kt_import(book, file("bad.csv", HEAD "2026-02-01,20,1000,5,\n2026-02-01,20,2000,-4,\n"), NULL, &result, &error),
        KT_UNBALANCED, "a lopsided entry refuses the file");
    is_code(kt_import(book, file("bad.csv", HEAD "2026-02-01,20,1000,5.123,\n2026-02-01,20,2000,-5.123,\n"), NULL,
                      &result, &error),
            KT_INVALID, "and an amount with too many decimals");
    is_code(
        kt_import(book, file("bad.csv", HEAD "2026-02-30,20,1000,5,\n2026-02-30,20,2000,-5,\n"), NULL, &result, &error),
        KT_INVALID, "and an impossible date");
    is_code(kt_import(book, file("empty.csv", ""), NULL, &result, &error), KT_INVALID, "and an empty file");
    is_code(kt_import(book, file("x.csv", "{\"date\":1}\n"), NULL, &result, &error), KT_INVALID,
            "and a file of another format");
    is_code(kt_import(book, place, &(kt_import_options){.format = "csv"}, &result, &error), KT_INVALID,
            "and a directory");
    has_text(error.text, "is a directory", "which is said");
    is_code(kt_import(book, path_of("none.csv"), NULL, &result, &error), KT_IO, "and a missing file");
    is_code(kt_import(book, file("x.what", "a\n"), NULL, &result, &error), KT_UNSUPPORTED,
            "and a name that tells no format");
    const char *closed = file("closed.csv", HEAD);
    if (geteuid() != 0) {
        chmod(closed, 0);
        is_code(kt_import(book, closed, NULL, &result, &error), KT_PERMISSION, "and a file that may not be read");
    } else {
        skip(1, "root may read everything");
    }
    is_int((long long)head_of(book).size, (long long)size, "the book is as it was");
}

static char *content(const char *path) {
    static char text[4000];
    FILE *in = fopen(path, "r");
    size_t n = in ? fread(text, 1, sizeof text - 1, in) : 0;
    text[n] = 0;
    if (in) fclose(in);
    return text;
}

static void skipping(void) {
    const char *path = file("mixed.csv", HEAD "2026-03-01,30,1000,5,\n2026-03-01,30,2000,-5,\n"
                                              "2026-03-01,31,1000,7,\n2026-03-01,31,2000,-6,\n"
                                              "2026-03-01,32,1000,x,\n2026-03-01,32,2000,-8,\n"
                                              "2026-03-01,33,1000,1\n2026-03-01,33,2000,-1,\n"
                                              "2026-03-01,34,1000,9,\n2026-03-01,34,2000,-9,\n");
    const char *reject = path_of("mixed.rejects.csv");
    kt_import_options options = {.skip_bad = true, .reject_path = reject, .refused = on_refused};
    kt_import_result result;
    kt_error error = {0};
    refusals = 0;
    options.dry_run = true;
    uint64_t size = head_of(book).size;
    is_code(kt_import(book, path, &options, &result, &error), KT_END, "a dry run does everything");
    is_int((long long)result.posted.entries, 2, "and counts");
    is_int((long long)head_of(book).size, (long long)size, "but stores nothing");
    ok(access(reject, F_OK) != 0, "and writes no file");
    options.dry_run = false;
    refusals = 0;
    is_code(kt_import(book, path, &options, &result, &error), KT_END, "with skip_bad the good entries are posted");
    is_int((long long)result.read.entries, 5, "read");
    is_int((long long)result.posted.entries, 2, "posted");
    is_int((long long)result.rejected.entries, 3, "rejected");
    is_int(refusals, 3, "each is told");
    is_int((long long)result.read.debit, (long long)(result.posted.debit + result.rejected.debit),
           "debit: read = posted + rejected");
    is_int((long long)result.read.credit, (long long)(result.posted.credit + result.rejected.credit), "credit too");
    is_int((long long)result.rejected.credit, 600 + 800 + 100, "as far as the bad ones could be read");
    is_text(content(reject),
            HEAD "2026-03-01,31,1000,7,\n2026-03-01,31,2000,-6,\n2026-03-01,32,1000,x,\n2026-03-01,32,2000,-8,\n"
                 "2026-03-01,33,1000,1\n2026-03-01,33,2000,-1,\n",
            "the reject file reads as the same format");
    struct stat status;
    ok(stat(reject, &status) == 0 && (status.st_mode & 0777) == 0600, "and is nobody else's to read");
    is_code(kt_import(book, file("again.csv", HEAD "2026-03-02,40,1000,5,\n"), &options, &result, &error), KT_EXISTS,
            "a reject file is never written over");
    is_code(kt_import(book, file("mended.csv", HEAD "2026-03-01,31,1000,7,\n2026-03-01,31,2000,-7,\n"), NULL, &result,
                      &error),
            KT_OK, "a mended reject file is a new batch");
    options.reject_path = path_of("all.rejects.csv");
    path = file("allbad.csv", HEAD "2026-03-02,50,1000,5,\n2026-03-02,50,4000,-5,\n");
    size = head_of(book).size;
    is_code(kt_import(book, path, &options, &result, &error), KT_END, "a file of bad entries alone");
    is_int((long long)head_of(book).size, (long long)size, "stores nothing");
    (void)open_accounts(book, "4000 asset");
    is_code(kt_import(book, path, NULL, &result, &error), KT_OK, "and reserves no id");
}

static void creating(void) {
    const char *path = file(
        "new.csv",
        HEAD "2026-04-01,60,5000,5,\n2026-04-01,60,5100,-5,\n2026-04-01,61,5000,1,\n2026-04-01,61,6000,-1,\n");
    kt_type_rule rules[] = {{KT_STR("5"), KT_EXPENSE}, {KT_STR("51"), KT_INCOME}};
    kt_import_options options = {.create_accounts = true, .rules = rules, .rule_count = 2, .creates = on_creates};
    kt_import_result result;
    kt_error error = {0};
    uint64_t size = head_of(book).size;
    created[0] = 0;
    is_code(kt_import(book, path, &options, &result, &error), KT_OK, "unknown accounts are made (%s)", error.text);
    is_text(created, "5000=expense 5100=income 6000=unclassified ", "each told once, the type by the longest prefix");
    is_int((long long)created_at_size, (long long)size, "before anything is stored");
    is_int((long long)result.accounts_created, 3, "and counted");
    size = head_of(book).size;
    created[0] = 0;
    options.dry_run = true;
    is_code(kt_import(book, file("new2.csv", HEAD "2026-04-01,70,7000,5,\n2026-04-01,70,7100,-5,\n"), &options, &result,
                      &error),
            KT_OK, "a dry run lists what it would make");
    is_text(created, "7000=unclassified 7100=unclassified ", "by name");
    is_int((long long)head_of(book).size, (long long)size, "and makes nothing");
}

/* The book's file: its size, when it was changed, and a digest of its bytes. */
typedef struct print {
    struct stat status;
    uint8_t digest[KT_HASH_SIZE];
} print;

static print print_of_book(void) {
    static char bytes[65536];
    print out = {0};
    kt_sha256 hash;
    kt_sha256_init(&hash);
    FILE *in = fopen(path_of("book/data.mdb"), "rb");
    for (size_t n; in && (n = fread(bytes, 1, sizeof bytes, in)) > 0;) kt_sha256_update(&hash, bytes, n);
    kt_sha256_final(&hash, out.digest);
    if (!in || fstat(fileno(in), &out.status) != 0) diag("the book's file is not read");
    if (in) fclose(in);
    return out;
}

/* More than one transaction would hold. */
static void trying(void) {
    enum { ENTRIES = 60000 };
    const char *path = path_of("large.csv");
    FILE *out = fopen(path, "w");
    if (!out) return;
    fputs(HEAD, out);
    for (unsigned i = 0; i < ENTRIES; i++)
        fprintf(out, "2026-05-05,L%u,1000,1,%0200u\n2026-05-05,L%u,2000,-1,%0200u\n", i, i, i, i + 1);
    fclose(out);
    kt_import_options options = {.dry_run = true};
    kt_import_result result;
    kt_error error = {0};
    print before = print_of_book();
    is_code(kt_import(book, path, &options, &result, &error), KT_OK, "a large file is tried (%s)", error.text);
    print after = print_of_book();
    is_int((long long)result.posted.entries, ENTRIES, "and what would be posted is counted");
    is_int((long long)result.posted.debit, ENTRIES * 100, "and summed");
    ok(before.status.st_size == after.status.st_size && before.status.st_mtim.tv_sec == after.status.st_mtim.tv_sec &&
           before.status.st_mtim.tv_nsec == after.status.st_mtim.tv_nsec,
       "the book's file was not written to");
    is_bytes(after.digest, sizeof after.digest, before.digest, sizeof before.digest, "and has the bytes it had");
}

static void other_formats(void) {
    kt_import_result result;
    kt_error error = {0};
    kt_amount before = balance_of("1000");
    is_code(
        kt_import(
            book,
            file("a.jsonl",
                 "{\"date\":\"2026-05-01\",\"voucher\":\"80\",\"lines\":[{\"account\":\"1000\",\"amount\":\"1.25\"},"
                 "{\"account\":\"2000\",\"credit\":\"1.25\"}]}\n"),
            NULL, &result, &error),
        KT_OK, "JSON lines (%s)", error.text);
    FILE *out = fopen(path_of("a.msgpack"), "w");
    fputs("\x96\x01\xcd\x50\x04\x03\xa2"
          "81\x06\x92\x96\x01\xa4"
          "1000\x03\xcd\x01\xf4\x04\x02\x96\x01\xa4"
          "2000\x03\xd1\xfe\x0c\x04\x02",
          out);
    fclose(out);
    is_code(kt_import(book, path_of("a.msgpack"), NULL, &result, &error), KT_OK, "msgpack (%s)", error.text);
    is_int((long long)(balance_of("1000") - before), 125 + 500, "both have arrived");
    const char *pipe_path = path_of("pipe.csv");
    mkfifo(pipe_path, 0600);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(pipe_path, O_WRONLY);
        static const char text[] = HEAD "2026-05-01,90,1000,1,\n2026-05-01,90,2000,-1,\n";
        _exit(write(fd, text, sizeof text - 1) < 0);
    }
    is_code(kt_import(book, pipe_path, NULL, &result, &error), KT_OK, "a FIFO is spooled and read (%s)", error.text);
    waitpid(child, NULL, 0);
    int saved = dup(STDIN_FILENO),
        in = open(file("in.csv", HEAD "2026-05-01,91,1000,1,\n2026-05-01,91,2000,-1,\n"), O_RDONLY);
    dup2(in, STDIN_FILENO);
    is_code(kt_import(book, "-", NULL, &result, &error), KT_UNSUPPORTED, "standard input has no name to guess from");
    is_code(kt_import(book, "-", &(kt_import_options){.format = "csv"}, &result, &error), KT_OK,
            "and is read when told (%s)", error.text);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(in);
}

static void journals(void) {
    kt_import_options options = {.create_accounts = true, .creates = on_creates};
    kt_import_result result;
    kt_error error = {0};
    const char *path = file("main.journal",
                            "include part.inc\n\n2026-06-01 A\n  Assets:Bank  5.00 DKK\n  Income:Sale\n");
    file("part.inc", "2026-06-02 B\n  Assets:Bank  1.00 DKK\n  Strange:Thing\n");
    created[0] = 0;
    is_code(kt_import(book, path, &options, &result, &error), KT_OK, "a journal with an included file (%s)",
            error.text);
    has_text(created, "Assets:Bank=asset", "types come from the top of the tree");
    has_text(created, "Income:Sale=income", "for every name that tells one");
    has_text(created, "Strange:Thing=unclassified", "and not for others");
    is_code(kt_import(book, path, &options, &result, &error), KT_REPEATED, "sent again it is a repeat");
    file("part.inc", "2026-06-02 B\n  Assets:Bank  2.00 DKK\n  Strange:Thing\n");
    is_code(kt_import(book, path, &options, &result, &error), KT_OK, "with another included file it is not (%s)",
            error.text);
}

static void left_out(const kt_import_result *result, unsigned postings, unsigned entries, unsigned automated,
                     const char *law) {
    ok(result->virtual_left_out == postings && result->entries_left_out == entries &&
           result->automated_left_out == automated,
       "%s: %u postings, %u entries, %u rules", law, postings, entries, automated);
}

/* What a journal's virtual postings come to is told, never left unsaid. */
static void virtual_postings(void) {
    kt_import_options options = {.create_accounts = true, .creates = on_creates}, other;
    kt_import_result result;
    kt_error error = {0};
    const char *path = file("virtual.journal", "= /^Income/\n  (Tithe)  0.1\n\n"
                                               "2026-06-03 A\n  Assets:Bank  5.00 DKK\n  Income:Sale\n"
                                               "  (Budget:Food)  -5.00 DKK\n  [Budget:A]  1.000 XAU\n  [Budget:B]\n\n"
                                               "2026-06-04 B\n  (Budget:Food)  1.00 DKK\n");
    uint64_t size = head_of(book).size;
    kt_amount before = balance_of("Assets:Bank");
    is_code(kt_import(book, path, &options, &result, &error), KT_UNSUPPORTED,
            "virtual postings are refused unless told");
    has_text(error.text, "--virtual drop", "saying what can be told");
    options.how.virtual_postings = KT_VIRTUAL_KEEP;
    is_code(kt_import(book, path, &options, &result, &error), KT_UNSUPPORTED, "unbalanced ones are never kept");
    is_int((long long)head_of(book).size, (long long)size, "nothing is stored");
    options.how.virtual_postings = KT_VIRTUAL_DROP;
    created[0] = 0;
    is_code(kt_import(book, path, &options, &result, &error), KT_OK, "left out, the rest is posted (%s)", error.text);
    left_out(&result, 4, 1, 1, "and what is left out is counted");
    is_int((long long)result.read.entries, 1, "in no total");
    is_int((long long)result.accounts_created + (long long)result.currencies_declared, 0,
           "no account or currency is made for it (%s)", created);
    is_int((long long)(balance_of("Assets:Bank") - before), 500, "real postings are posted");
    is_code(kt_import(book, path, &options, &result, &error), KT_REPEATED, "sent again it is a repeat");
    left_out(&result, 0, 0, 0, "of which nothing was read");
    path = file("kept.journal", "2026-06-05 A\n  Assets:Bank  5.00 DKK\n  Income:Sale\n  [Assets:Bank]  1.00 DKK\n"
                                "  [Income:Sale]\n");
    kt_import_result kept;
    other = options;
    other.how.virtual_postings = KT_VIRTUAL_KEEP;
    is_code(kt_import(book, path, &options, &result, &error), KT_OK, "a journal with its virtual postings left out");
    is_code(kt_import(book, path, &other, &kept, &error), KT_OK, "is another batch than with them kept");
    ok(strcmp(result.receipt.batch_id, kept.receipt.batch_id) != 0, "with another id");
    left_out(&kept, 0, 0, 0, "of which nothing is left out");
    path = file("part.journal", "2026-06-06 A\n  Assets:Bank  5.00 DKK\n  Nowhere\n  (Budget:Food)  1 DKK\n\n"
                                "2026-06-07 B\n  Assets:Bank  5.00 DKK\n  Income:Sale\n  (Budget:Food)  1 DKK\n");
    options.skip_bad = true;
    options.create_accounts = false;
    is_code(kt_import(book, path, &options, &result, &error), KT_END, "of a file that is rejected in part");
    left_out(&result, 1, 0, 0, "what is left out of the posted part is counted");
}

int main(void) {
    setup();
    whole();
    absent();
    skipping();
    creating();
    trying();
    other_formats();
    journals();
    virtual_postings();
    kt_book_close(book);
    return done();
}
