/* A book made by a newer version is refused by saying so, and is afterwards what it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(void) {
    char directory[600];
    kt_error error = {0};
    kt_book *book = NULL;
    kt_create_options options = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    (void)snprintf(directory, sizeof(directory), "%s/book", test_dir());
    is_code(kt_book_create(directory, &options, &error), KT_OK, "a book is made");
    char *before = checkpoint(directory);
    is_code(set_format(directory, 99), KT_OK, "its format is set to one there is not yet");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_NEWER, "a book of a newer format is refused for writing");
    has_text(error.text, directory, "naming the book");
    has_text(error.text, "99", "with what was found");
    has_text(error.text, "newer", "and what to do");
    diag("%s", error.text);
    is_code(kt_book_open(directory, &(kt_open_options){.read_only = true}, &book, &error), KT_NEWER, "and for reading");
    is_code(set_format(directory, 1), KT_OK, "the format is set back");
    char *after = checkpoint(directory);
    ok(before != NULL && after != NULL && strcmp(before, after) == 0, "and the book is what it was");
    free(before);
    free(after);
    return done();
}
