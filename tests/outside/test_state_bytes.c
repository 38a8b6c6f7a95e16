/* Every byte that a store holds is the one that storage/FORMAT.md says: a program in Python works them all out from the exported
   records alone, and compares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/kontor.h"
#include "engine/tables.h"
#include "storage/store.h"
#include "tests/acting.h"

enum { ACCOUNTS = 12, BATCHES = 75, LONG_LINES = 2500 };

static char book_path[600], log_path[600], dump_path[600];

static void must(kt_code code, const kt_error *error) {
    if (code == KT_OK) return;
    diag("%s", error->text);
    exit(1);
}

static kt_str account_code(uint64_t number, char out[8]) {
    (void)snprintf(out, 8, "%u", 1000 + (unsigned)(number % ACCOUNTS) * 10);
    return kt_str_from(out);
}

/* Entries of all shapes: plain, foreign with and without a rate, dimensions, minus amounts, vouchers of many spellings. */
static kt_code add_entry(kt_batch *batch, uint64_t *random, uint64_t *number, kt_error *error) {
    static const char *const spellings[] = {"%u", "%06u", "INV-2024-%u", "A%03u", "x%uz", ""};
    char codes[2][8], voucher[40];
    kt_amount amount = (kt_amount)(test_random(random) % 1000000);
    if (test_random(random) % 20 == 0) amount *= (kt_amount)1000000000000 * 1000000000;
    bool foreign = test_random(random) % 4 == 0, rate = test_random(random) % 2 == 0;
    kt_dimension pairs[2] = {{KT_DIMENSION_COST_CENTRE, KT_STR("North")}, {7, KT_STR("Größe")}};
    if (test_random(random) % 2) pairs[0].value = KT_STR("South");
    (void)snprintf(voucher, sizeof(voucher), spellings[test_random(random) % 6],
                   (unsigned)(test_random(random) % 3000));
    kt_line lines[2] = {
        {.account = account_code(test_random(random), codes[0]), .amount = amount, .text = KT_STR("a line")},
        {.account = account_code(test_random(random), codes[1]),
         .amount = -amount,
         .dimensions = pairs,
         .dimension_count = (uint8_t)(test_random(random) % 3)}};
    if (foreign) lines[0].currency = test_random(random) % 2 ? KT_STR("USD") : KT_STR("JPY");
    if (foreign && rate) {
        lines[0].has_cost = true;
        lines[0].cost = amount;
    } else if (foreign) lines[1].currency = lines[0].currency;
    kt_entry entry = {.date = 19700 + (kt_day)(test_random(random) % 500),
                      .series = test_random(random) % 3 ? KT_STR("") : KT_STR("S"),
                      .voucher = kt_str_from(voucher),
                      .text = KT_STR("an entry"),
                      .lines = lines,
                      .line_count = 2,
                      .minus = test_random(random) % 10 == 0};
    return kt_batch_add(batch, &entry, number, error);
}

static kt_code add_long(kt_batch *batch, uint64_t *number, kt_error *error) {
    static kt_line lines[2 * LONG_LINES];
    for (size_t i = 0; i < LONG_LINES; i++) {
        lines[2 * i] = (kt_line){
            .account = KT_STR("1000"), .amount = (kt_amount)i, .text = KT_STR("a line of a long till")};
        lines[2 * i + 1] = (kt_line){.account = KT_STR("1010"), .amount = -(kt_amount)i};
    }
    kt_entry entry = {.date = 20000, .voucher = KT_STR("till"), .lines = lines, .line_count = 2 * (size_t)LONG_LINES};
    return kt_batch_add(batch, &entry, number, error);
}

static void make_registers(kt_book *book) {
    kt_error error = {0};
    kt_batch *batch;
    char code[8];
    must(kt_batch_begin(book, NULL, &batch, NULL, &error), &error);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        kt_account account = {.code = account_code(i, code),
                              .name = KT_STR("An account"),
                              .type = (kt_account_type)(i % 6),
                              .open_from = KT_DAY_NONE,
                              .closed_from = KT_DAY_NONE};
        if (i > 6) account.parent = KT_STR("1000");
        must(kt_batch_account(batch, &account, &error), &error);
    }
    must(kt_batch_period_close(batch, 10, &error), &error);
    must(kt_batch_period_reopen(batch, 10, KT_STR("a reason"), &error), &error);
    must(kt_batch_period_close(batch, -10000, &error), &error);
    must(kt_batch_company(batch, 19800, &(kt_company){.address = KT_STR("Strandvejen 1\n2100 København")}, &error),
         &error);
    must(kt_batch_commit(batch, NULL, &error), &error);
}

static void make_batch(kt_book *book, int which, uint64_t *random) {
    kt_error error = {0};
    kt_batch *batch;
    uint64_t number = 0;
    char id[16];
    (void)snprintf(id, sizeof(id), "batch %d", which);
    kt_batch_options options = {.id = kt_str_from(id), .allow_duplicate_voucher = true, .rejected = 3};
    must(kt_batch_begin(book, &options, &batch, NULL, &error), &error);
    for (uint64_t i = 1 + test_random(random) % (which == 40 ? 700 : 10); i != 0; i--)
        must(add_entry(batch, random, &number, &error), &error);
    if (which == 20) must(add_long(batch, &number, &error), &error);
    must(kt_batch_commit(batch, NULL, &error), &error);
    if (which % 9 != 0) return;
    must(kt_batch_begin(book, NULL, &batch, NULL, &error), &error);
    must(kt_batch_reverse(batch, number, 20100, KT_STR("wrong"), which % 2 == 0, &number, &error), &error);
    must(kt_batch_commit(batch, NULL, &error), &error);
}

/* One batch that brings in actors and gives, changes and takes back what they may. */
static void make_staff(kt_book *book) {
    static const char *const ids[] = {"anna", "bert", "carl", "Ægir Ö."};
    kt_account_range ranges[] = {{KT_STR("1000"), KT_STR("1099")}, {KT_STR("11"), KT_STR("")}};
    kt_str series[] = {KT_STR(""), KT_STR("S"), KT_STR("Æ")};
    kt_limits some = {.amount = 1000000, .accounts = ranges, .account_count = 2, .series = series, .series_count = 3};
    kt_limits large = {.amount = (kt_amount)INT64_MAX * 1000000};
    kt_batch *batch = begin(book);
    for (unsigned i = 0; i < 4; i++)
        must(kt_batch_actor_add(batch, kt_str_from(ids[i]), public_of(ids[i]), &said), &said);
    must(kt_batch_actor_grant(batch, KT_STR("anna"), KT_ROLE_CLERK, &some, &said), &said);
    must(kt_batch_actor_grant(batch, KT_STR("bert"), KT_ROLE_CONTROLLER, &large, &said), &said);
    must(kt_batch_actor_grant(batch, KT_STR("carl"), KT_ROLE_ADMIN, NULL, &said), &said);
    must(kt_batch_actor_grant(batch, KT_STR("carl"), KT_ROLE_AUDITOR, &some, &said), &said);
    must(kt_batch_actor_revoke(batch, KT_STR("carl"), KT_ROLE_AUDITOR, KT_STR("a reason"), &said), &said);
    must(kt_batch_company(batch, 19900, &(kt_company){.retention_years = 5}, &said), &said);
    must(kt_batch_commit(batch, &receipt, &said), &said);
}

static void propose(kt_book *anna, const char *voucher, uint64_t numbers[5]) {
    static kt_line lines[2 * LONG_LINES];
    kt_batch *batch = begin(anna);
    kt_entry entry = {
        .date = 20000, .series = KT_STR("S"), .voucher = kt_str_from(voucher), .lines = lines, .line_count = 2};
    for (unsigned i = 0; i < 4; i++) {
        lines[0] = (kt_line){.account = KT_STR("1000"), .amount = 2000000 + i};
        lines[1] = (kt_line){.account = KT_STR("1010"), .amount = -(kt_amount)(2000000 + i)};
        if (i == 3) lines[0].currency = lines[1].currency = KT_STR("SEK"); /* in which nothing was posted yet */
        must(kt_batch_propose(batch, &entry, &numbers[i], &said), &said);
    }
    for (size_t i = 0; i < LONG_LINES; i++) {
        lines[2 * i] = (kt_line){.account = KT_STR("1000"), .amount = (kt_amount)i, .text = KT_STR("one of many")};
        lines[2 * i + 1] = (kt_line){.account = KT_STR("1010"), .amount = -(kt_amount)i};
    }
    entry.line_count = 2 * (size_t)LONG_LINES;
    must(kt_batch_propose(batch, &entry, &numbers[4], &said), &said);
    must(kt_batch_commit(batch, &receipt, &said), &said);
}

/* Keys come and go, proposals are approved, rejected, withdrawn and left open; the voucher of two of them is the same. */
static void act(kt_book *book) {
    uint64_t proposals[5];
    kt_book *anna = open_as("book", "anna"), *bert = open_as("book", "bert"), *carl = open_as("book", "carl");
    propose(anna, "Q77", proposals);
    is_code(post(anna, "2025-01-31 S#Q78 1000 5 / 1110 -5"), KT_OK, "a clerk posts");
    is_code(decide(bert, proposals[0], true, NULL), KT_OK, "a controller approves");
    kt_batch *batch = NULL;
    kt_batch_options again = {.allow_duplicate_voucher = true};
    must(kt_batch_begin(bert, &again, &batch, NULL, &said), &said);
    must(kt_batch_approve(batch, proposals[1], NULL, &said), &said);
    must(kt_batch_approve(batch, proposals[4], NULL, &said), &said);
    must(kt_batch_reject(batch, proposals[3], KT_STR("in kronor?"), &said), &said);
    must(kt_batch_commit(batch, &receipt, &said), &said);
    is_code(change_log_key(book, "log2"), KT_OK, "the log's key is changed");
    is_code(rotate(anna, "anna", "anna2", NULL), KT_OK, "a key is rotated");
    kt_book *anna2 = open_as("book", "anna2");
    is_code(decide(anna2, proposals[2], false, NULL), KT_OK, "the proposer withdraws, by the next key");
    propose(anna2, "79", proposals);
    is_code(revoke_key(carl, "bert"), KT_OK, "a key is revoked");
    is_code(grant(carl, "anna", KT_ROLE_CLERK, NULL), KT_OK, "a role is given without its limits");
    is_code(withdraw(carl, "bert", KT_ROLE_CONTROLLER), KT_OK, "and one taken back");
    is_code(change_log_key(book, "log3"), KT_OK, "and again");
    kt_book_close(anna);
    kt_book_close(anna2);
    kt_book_close(bert);
    kt_book_close(carl);
}

static void make_book_of_all(uint64_t *random) {
    kt_error error = {0};
    kt_book *book;
    kt_view *view;
    kt_create_options options = {
        .company = {.entity = KT_STR("Bytes & Co"), .currency = KT_STR("EUR"), .fiscal_month = 4, .fiscal_day = 6}};
    must(kt_book_create(book_path, &options, &error), &error);
    must(kt_book_open(book_path, NULL, &book, &error), &error);
    make_registers(book);
    make_staff(book);
    for (int i = 0; i < BATCHES; i++) {
        make_batch(book, i, random);
        if (i == 30) act(book);
    }
    must(kt_view_open(book, NULL, &view, &error), &error);
    must(kt_export_tlog(view, log_path, false, &error), &error);
    kt_view_close(view);
    kt_book_close(book);
}

static void put_hex(FILE *out, kt_span bytes) {
    for (size_t i = 0; i < bytes.size; i++) (void)fprintf(out, "%02x", bytes.data[i]);
}

static void dump_store(void) {
    kt_error error = {0};
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store;
    kt_txn *txn;
    kt_cursor *cursor;
    kt_span key, value;
    FILE *out = fopen(dump_path, "w");
    must(kt_store_open(book_path, &options, &store, &error), &error);
    must(kt_txn_begin(store, false, &txn, &error), &error);
    for (kt_table table = 0; table < KT_TABLE_COUNT && out != NULL; table++) {
        must(kt_cursor_open(txn, table, &cursor, &error), &error);
        kt_cursor_raw(cursor, true);
        for (kt_code code = kt_cursor_first(cursor, &key, &value, &error); code == KT_OK;
             code = kt_cursor_next(cursor, &key, &value, &error)) {
            (void)fprintf(out, "%s ", kt_table_names[table]);
            put_hex(out, key);
            (void)fputc(' ', out);
            put_hex(out, value);
            (void)fputc('\n', out);
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_store_close(store);
    if (out == NULL || fclose(out) != 0) diag("%s: cannot be written", dump_path);
}

/* The reader's exit status; what it says is shown. */
static int run_reader(const char *python, const char *reader, const char *dump) {
    char command[2000], shown[400];
    (void)snprintf(command, sizeof(command), "PYTHONDONTWRITEBYTECODE=1 %s tests/outside/%s %s '%s' 2>&1", python,
                   reader, dump, log_path);
    (void)fflush(NULL);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) return -1;
    for (int line = 0; fgets(shown, sizeof(shown), pipe) != NULL; line++)
        if (line < 12) {
            shown[strcspn(shown, "\n")] = 0;
            diag("%s", shown);
        }
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void) {
    const char *python = NULL, *const candidates[] = {"/usr/bin/python3", "python3"};
    char probe[700];
    uint64_t random = test_seed();
    for (size_t i = 0; i < 2 && python == NULL; i++) {
        (void)snprintf(probe, sizeof(probe), "%s -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null",
                       candidates[i]);
        if (system(probe) == 0) python = candidates[i];
    }
    if (python == NULL) skip_all("no python3 of 3.8 or later here (apt-get install python3)");
    (void)snprintf(book_path, sizeof(book_path), "%s/book", test_dir());
    (void)snprintf(log_path, sizeof(log_path), "%s/log", test_dir());
    (void)snprintf(dump_path, sizeof(dump_path), "%s/dump", test_dir());
    make_book_of_all(&random);
    dump_store();
    is_int(run_reader(python, "read_book.py", ""), 0, "all of the records holds as FORMAT.md says");
    is_int(run_reader(python, "read_state.py", dump_path), 0,
           "every stored byte is the one that FORMAT.md says, worked out in Python from the records");
    (void)snprintf(probe, sizeof(probe), "sed -i '$ { s/0$/1/; t; s/.$/0/ }' '%s'", dump_path);
    if (system(probe) == 0)
        is_int(run_reader(python, "read_state.py", dump_path), 1, "and one byte of another value is found");
    return done();
}
