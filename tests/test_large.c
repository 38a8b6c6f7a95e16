/* Large entries: a payroll of 100,000 lines is one entry, whatever it takes to keep it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/head.h"
#include "storage/records.h"
#include "tests/bookkeeping.h"

#define LINES 100000

static kt_book *book;

static kt_entry payroll(kt_line *lines, size_t count) {
    for (size_t i = 0; i + 1 < count; i++)
        lines[i] = (kt_line){.amount = 100 + (kt_amount)(i % 1000), .account = KT_STR("5000"), .text = KT_STR("wage")};
    kt_amount sum = 0;
    for (size_t i = 0; i + 1 < count; i++) sum += lines[i].amount;
    lines[count - 1] = (kt_line){.amount = -sum, .account = KT_STR("1000")};
    return (kt_entry){.date = day("2026-01-31"), .voucher = KT_STR("P1"), .lines = lines, .line_count = count};
}

static bool same_lines(const kt_entry_view *read, const kt_line *lines, size_t count) {
    if (read->entry.line_count != count) return false;
    for (size_t i = 0; i < count; i++)
        if (read->entry.lines[i].amount != lines[i].amount ||
            !kt_str_equal(read->entry.lines[i].account, lines[i].account) ||
            !kt_str_equal(read->entry.lines[i].text, lines[i].text))
            return false;
    return true;
}

static uint64_t posted(void) {
    kt_line *lines = calloc(LINES, sizeof *lines);
    kt_entry entry = payroll(lines, LINES);
    uint64_t number = 0;
    kt_batch *batch = begin(book);
    is_code(kt_batch_add(batch, &entry, &number, &said), KT_OK, "an entry of 100,000 lines is added");
    lines[7].amount++;
    entry.voucher = KT_STR("P2");
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_UNBALANCED, "one that is off by a unit is not");
    lines[7].amount--;
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "it is committed");
    is_int((long long)receipt.entries, 1, "as one entry");
    kt_view *view = view_of(book);
    kt_entry_view *read = NULL;
    is_code(kt_entry_read(view, number, &read, &said), KT_OK, "it is read by one number");
    if (read) {
        ok(same_lines(read, lines, LINES), "with every line as it was");
        ok(read->parts > 0 && read->parts == receipt.last - receipt.first - 1,
           "behind %u parts, which are all else in the batch", read->parts);
    }
    kt_entry_view_free(read);
    is_code(kt_entry_read(view, number - 1, &read, &said), KT_NOT_FOUND, "a part is no entry");
    has_text(said.text, "a part of a long entry", "and is called what it is");
    kt_statement *statement = NULL;
    is_code(kt_statement_read(view, KT_STR("5000"), KT_DAY_NONE, KT_DAY_NONE, &statement, &said), KT_OK, "a statement");
    if (statement) {
        is_int((long long)statement->posting_count, LINES - 1, "finds each line");
        const kt_posting *last = &statement->postings[statement->posting_count - 1];
        ok(last->number == number && last->line == LINES - 2 && kt_str_equal(last->voucher, KT_STR("P1")) &&
               last->running == -lines[LINES - 1].amount,
           "to the last, under the entry's number");
    }
    kt_statement_free(statement);
    is_int((long long)head_of(book).entries, 1, "the head counts one entry");
    kt_view_close(view);
    free(lines);
    return number;
}

static kt_code count_lines(void *context, const kt_entry_view *entry, kt_error *error) {
    size_t *count = context;
    (void)error;
    *count += entry->entry.line_count;
    return KT_OK;
}

static void listed_and_reversed(uint64_t number) {
    size_t count = 0;
    kt_view *view = view_of(book);
    kt_journal_filter filter = {.from = KT_DAY_NONE, .to = KT_DAY_NONE, .voucher = KT_STR("P1")};
    is_code(kt_entries(view, &filter, count_lines, &count, &said), KT_OK, "the journal lists it");
    is_int((long long)count, LINES, "once, with all its lines");
    kt_view_close(view);
    uint64_t reversal = 0;
    is_code(reverse(book, number, "2026-02-01", false, &reversal), KT_OK, "it is reversed like any other");
    is_int((long long)balance(book, "5000"), 0, "and nothing is left");
    is_code(reverse(book, number, "2026-02-01", false, &reversal), KT_RULE, "once");
}

/* Accounts with a rule: every line of one of them meets every other. */
static void ruled(void) {
    kt_account till = {.code = KT_STR("5000"),
                       .type = KT_EXPENSE,
                       .rule = KT_RULE_NOT_NEGATIVE,
                       .open_from = KT_DAY_NONE,
                       .closed_from = KT_DAY_NONE};
    is_code(open_account(book, &till), KT_OK, "the account gets a balance rule");
    kt_line *lines = calloc(LINES, sizeof *lines);
    kt_entry entry = payroll(lines, LINES);
    entry.voucher = KT_STR("P3");
    for (size_t i = 0; i < LINES; i++) lines[i].amount = -lines[i].amount;
    kt_batch *batch = begin(book);
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_RULE, "100,000 lines below zero are refused at once");
    for (size_t i = 0; i < LINES; i++) lines[i].amount = -lines[i].amount;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_OK, "and as many above it taken");
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "and committed");
    free(lines);
}

/* Around the size where an entry becomes a long one: each size is read back as it was. */
static void around_the_bound(void) {
    static char text[KT_TEXT_MAX];
    memset(text, 't', sizeof text);
    kt_line *lines = calloc(40, sizeof *lines);
    kt_batch *batch = begin(book);
    uint64_t numbers[200];
    kt_code code = KT_OK;
    for (size_t i = 0; i < 200 && code == KT_OK; i++) {
        kt_entry entry = payroll(lines, 17);
        entry.voucher = (kt_str){NULL, 0};
        for (size_t k = 0; k < 16; k++) lines[k].text = (kt_str){text, k < 15 ? sizeof text : 3640 + i * 2};
        code = kt_batch_add(batch, &entry, &numbers[i], &said);
    }
    is_code(code, KT_OK, "entries of all sizes around 65,535 bytes");
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "are committed");
    kt_view *view = view_of(book);
    unsigned lost = 0, small = 0;
    for (size_t i = 0; i < 200 && code == KT_OK; i++) {
        kt_entry_view *read = NULL;
        lost += kt_entry_read(view, numbers[i], &read, &said) != KT_OK;
        if (read) {
            small += read->parts == 0;
            lost += read->entry.line_count != 17 || read->entry.lines[15].text.size != 3640 + i * 2;
        }
        kt_entry_view_free(read);
    }
    is_int((long long)lost, 0, "and read back as they were");
    ok(small > 0 && small < 200, "%u of them as one record, the others in parts", small);
    kt_view_close(view);
    free(lines);
}

static long most_memory(void) /* kilobytes, ever */
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 32,000 lines, each with the longest text: more than is kept of one record. */
static void too_large(void) {
    enum { MANY = 32000 };
    static char text[KT_TEXT_MAX];
    memset(text, 'x', sizeof text);
    kt_line *lines = calloc(MANY, sizeof *lines);
    for (size_t i = 0; i < MANY; i++)
        lines[i] = (kt_line){.amount = i % 2 ? 1 : -1, .account = KT_STR("1000"), .text = {text, sizeof text}};
    kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = MANY, .file = "in.csv", .file_line = 17};
    kt_batch *batch = begin(book);
    uint64_t first = 0, second = 0;
    is_code(add(batch, "2026-01-31 - 1000 1 / 2000 -1", &first), KT_OK, "a batch has an entry");
    long before = most_memory();
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_LIMIT, "one of more than 120 MiB is refused");
    has_text(said.text, "in.csv:17: ", "with its place");
    has_text(said.text, "at most 125829120 are kept: split it", "and what to do");
    ok(most_memory() - before < 16384, "before anything is allocated for it (%ld KiB)", most_memory() - before);
    is_code(add(batch, "2026-01-31 - 1000 1 / 2000 -1", &second), KT_OK, "the batch goes on");
    is_int((long long)(second - first), 1, "with the next number");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and is committed");
    is_int((long long)receipt.entries, 2, "with the two good ones");
    is_code(reverse(book, first, "2026-01-31", false, NULL), KT_OK, "which can be reversed");
    is_code(reverse(book, second, "2026-01-31", false, NULL), KT_OK, "like any others");
    free(lines);
}

/* The root of leaves [begin, end) of the book, by the definition of RFC 6962, from the stored records. */
static kt_code subtree(void *context, uint64_t first, uint64_t end, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    kt_tree tree;
    kt_code code = KT_OK;
    kt_tree_init(&tree);
    for (uint64_t number = first; number < end && code == KT_OK; number++) {
        kt_span record;
        uint8_t leaf[KT_HASH_SIZE];
        code = kt_records_read(context, number, &record, error);
        if (code != KT_OK) break;
        kt_leaf_hash(record.data, record.size, leaf);
        kt_tree_add(&tree, leaf, NULL, NULL);
    }
    kt_tree_root(&tree, out);
    return code;
}

/* One inclusion proof, of the head, covers the entry: the head lists the leaf hash of each part. */
static void proved(uint64_t number) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store;
    kt_txn *txn;
    kt_records *records;
    kt_log_head head;
    kt_span record;
    kt_envelope envelope;
    kt_long whole;
    uint8_t leaf[KT_HASH_SIZE], proof[KT_PROOF_MAX * KT_HASH_SIZE];
    size_t count;
    if (kt_store_open(path_of("book"), &options, &store, &said) != KT_OK ||
        kt_txn_begin(store, false, &txn, &said) != KT_OK || kt_log_head_read(txn, &head, &said) != KT_OK ||
        kt_records_open(txn, head.tree.size, &records, &said) != KT_OK)
        exit(1);
    (void)kt_records_read(records, number, &record, &said);
    kt_leaf_hash(record.data, record.size, leaf);
    is_code(kt_tree_prove_inclusion(number, head.tree.size, subtree, records, proof, &count, &said), KT_OK,
            "one proof of a large entry");
    is_code(kt_tree_check_inclusion(leaf, number, head.tree.size, proof, count, head.root, &said), KT_OK,
            "holds against the signed root");
    proof[0] ^= 1;
    is_code(kt_tree_check_inclusion(leaf, number, head.tree.size, proof, count, head.root, &said), KT_DAMAGED,
            "an altered one does not");
    (void)kt_records_read(records, number, &record, &said);
    (void)kt_envelope_read(record, &envelope, &said);
    is_code(kt_long_read(envelope.body, &whole, &said), KT_OK, "what it proves is the head of the parts");
    int wrong = 0;
    size_t bytes = (size_t)whole.parts * KT_HASH_SIZE;
    uint8_t *listed = malloc(bytes + 1); /* reading on moves what the head borrows */
    if (listed == NULL) exit(1);
    memcpy(listed, whole.hashes, bytes);
    for (uint32_t i = 0; i < whole.parts; i++) {
        uint8_t hash[KT_HASH_SIZE];
        (void)kt_records_read(records, number - whole.parts + i, &record, &said);
        kt_leaf_hash(record.data, record.size, hash);
        wrong += memcmp(listed + (size_t)i * KT_HASH_SIZE, hash, KT_HASH_SIZE) != 0;
    }
    is_int(wrong, 0, "which lists the leaf hash of each of its %u parts", whole.parts);
    free(listed);
    kt_records_close(records);
    kt_txn_abort(txn);
    kt_store_close(store);
}

int main(void) {
    kt_book *small = book = make_book("small");
    too_large(); /* first: memory once taken hides what is taken later */
    kt_book_close(small);
    is_sound("small", "the book verifies");
    book = make_book("book");
    uint64_t number = posted();
    listed_and_reversed(number);
    ruled();
    around_the_bound();
    kt_book_close(book);
    proved(number);
    is_sound("book", "the book verifies");
    return done();
}
