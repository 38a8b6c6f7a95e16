/* A book made by a newer version is refused by saying so, and is afterwards what it was; one whose state is older is rebuilt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/genesis.h"
#include "engine/kontor.h"
#include "engine/tables.h"
#include "storage/store.h"
#include "tests/tap.h"

static kt_code set_format(const char *directory, uint8_t format) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    const uint8_t bytes[4] = {format, 0, 0, 0};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_code code = kt_store_open(directory, &options, &store, NULL);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, NULL);
    if (code == KT_OK)
        code = kt_txn_put(txn, KT_TABLE_META, kt_span_of("format", 6), kt_span_of(bytes, sizeof(bytes)), NULL);
    if (code == KT_OK) code = kt_txn_commit(txn, NULL);
    kt_store_close(store);
    return code;
}

static char *checkpoint(const char *directory) {
    kt_book *book = NULL;
    kt_view *view = NULL;
    char *note = NULL;
    size_t size;
    if (kt_book_open(directory, &(kt_open_options){.read_only = true}, &book, NULL) == KT_OK &&
        kt_view_open(book, NULL, &view, NULL) == KT_OK)
        (void)kt_view_checkpoint(view, &note, &size, NULL);
    kt_view_close(view);
    kt_book_close(book);
    return note;
}

/* An account's row as format 1 had it: its third field said whether anything was posted. */
static kt_code put_old_row(const char *directory) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_span row;
    uint8_t old[256];
    kt_code code = kt_store_open(directory, &options, &store, NULL);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, NULL);
    if (code == KT_OK) code = kt_txn_get(txn, KT_TABLE_ACCOUNTS, kt_span_of("1000", 4), &row, NULL);
    if (code == KT_OK) {
        old[0] = 0x9a;                    /* an array of 10 */
        memcpy(old + 1, row.data + 1, 2); /* id and record, a byte each */
        old[3] = 0xc3;                    /* true */
        memcpy(old + 4, row.data + 3, row.size - 3);
        code = kt_txn_put(txn, KT_TABLE_ACCOUNTS, kt_span_of("1000", 4), kt_span_of(old, row.size + 1), NULL);
    }
    if (code == KT_OK) code = kt_txn_commit(txn, NULL);
    kt_store_close(store);
    return code;
}

static void test_older(const char *directory, const char *before) {
    kt_error error = {0};
    kt_book *book = NULL;
    bool equal = true;
    uint64_t records = 0;
    kt_verify_result result = {0};
    is_code(put_old_row(directory), KT_OK, "an account's row is written as format 1 had it");
    is_code(set_format(directory, 1), KT_OK, "and the format set to 1");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OLDER, "a book with older state is refused");
    has_text(error.text, "rebuild", "saying what to do");
    is_code(kt_verify(directory, NULL, &result, &error), KT_OLDER, "by verify too");
    is_code(kt_rebuild(directory, NULL, NULL, &equal, &records, &error), KT_OK, "rebuilding takes it");
    ok(!equal && records != 0, "finds state other than the journal gives, and replaces it");
    is_code(kt_verify(directory, NULL, &result, &error), KT_OK, "then it verifies");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "and opens");
    kt_book_close(book);
    char *after = checkpoint(directory);
    ok(after != NULL && strcmp(before, after) == 0, "with the journal as it was");
    free(after);
    is_code(set_format(directory, 1), KT_OK, "where the format alone is older");
    is_code(kt_rebuild(directory, NULL, NULL, &equal, &records, &error), KT_OK, "rebuilding");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "raises it all the same");
    kt_book_close(book);
}

int main(void) {
    char directory[600];
    kt_error error = {0};
    kt_book *book = NULL;
    kt_create_options options = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    (void)snprintf(directory, sizeof(directory), "%s/book", test_dir());
    is_code(kt_book_create(directory, &options, &error), KT_OK, "a book is made");
    kt_batch *batch = NULL;
    kt_account cash = {.code = KT_STR("1000"), .type = KT_ASSET};
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "it opens");
    (void)kt_batch_begin(book, NULL, &batch, NULL, &error);
    (void)kt_batch_account(batch, &cash, &error);
    is_code(kt_batch_commit(batch, NULL, &error), KT_OK, "with an account");
    kt_book_close(book);
    book = NULL;
    char *before = checkpoint(directory);
    is_code(set_format(directory, 99), KT_OK, "its format is set to one there is not yet");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_NEWER, "a book of a newer format is refused for writing");
    has_text(error.text, directory, "naming the book");
    has_text(error.text, "99", "with what was found");
    has_text(error.text, "newer", "and what to do");
    diag("%s", error.text);
    is_code(kt_book_open(directory, &(kt_open_options){.read_only = true}, &book, &error), KT_NEWER, "and for reading");
    is_code(set_format(directory, 0), KT_OK, "it is set to none");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_DAMAGED, "which is damage");
    has_text(error.text, "format is malformed", "and said to be");
    is_code(set_format(directory, KT_STATE_VERSION), KT_OK, "the format is set back");
    char *after = checkpoint(directory);
    ok(before != NULL && after != NULL && strcmp(before, after) == 0, "and the book is what it was");
    free(after);
    test_older(directory, before);
    free(before);
    return done();
}
