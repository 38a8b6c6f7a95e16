/* The store: what is put is read, damage names table and key, a transaction is whole or absent. */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/storing.h"

static kt_span span(const char *text) { return kt_span_of(text, strlen(text)); }

static bool equals(kt_span found, const char *expected) { return kt_span_compare(found, span(expected)) == 0; }

static kt_code put(kt_store *store, kt_table table, const char *key, const char *value, kt_error *error) {
    kt_txn *txn;
    kt_code code = kt_txn_begin(store, true, &txn, error);
    if (code != KT_OK) return code;
    code = kt_txn_put(txn, table, span(key), span(value), error);
    if (code == KT_OK) return kt_txn_commit(txn, error);
    kt_txn_abort(txn);
    return code;
}

static kt_code get(kt_store *store, kt_table table, const char *key, char out[100], kt_error *error) {
    kt_txn *txn;
    kt_span value;
    out[0] = 0;
    kt_code code = kt_txn_begin(store, false, &txn, error);
    if (code != KT_OK) return code;
    code = kt_txn_get(txn, table, span(key), &value, error);
    if (code == KT_OK) (void)snprintf(out, 100, "%.*s", (int)value.size, (const char *)value.data);
    kt_txn_abort(txn);
    return code;
}

static void test_values(kt_store *store) {
    kt_txn *txn;
    kt_span value;
    kt_error error = {.text = "as it was"};
    char text[100];
    is_code(get(store, STORING_ONE, "a", text, &error), KT_NOT_FOUND, "a key that is not there is not found");
    is_text(error.text, "as it was", "and the error is left alone");
    is_code(put(store, STORING_ONE, "a", "1", &error), KT_OK, "a value is put");
    is_code(get(store, STORING_ONE, "a", text, &error), KT_OK, "and got");
    is_text(text, "1", "as it was put");
    is_code(get(store, STORING_TWO, "a", text, &error), KT_NOT_FOUND, "in its own table only");
    is_code(put(store, STORING_ONE, "a", "longer than before", &error), KT_OK, "it is put anew");
    is_code(get(store, STORING_ONE, "a", text, &error), KT_OK, "and got");
    is_text(text, "longer than before", "as it is now");
    is_code(put(store, STORING_ONE, "empty", "", &error), KT_OK, "an empty value is put");
    is_code(get(store, STORING_ONE, "empty", text, &error), KT_OK, "and found");

    is_code(kt_txn_begin(store, true, &txn, &error), KT_OK, "a transaction begins");
    (void)kt_txn_put(txn, STORING_ONE, span("b"), span("2"), &error);
    is_code(kt_txn_get(txn, STORING_ONE, span("b"), &value, &error), KT_OK, "a transaction sees its own writes");
    is_code(get(store, STORING_ONE, "b", text, &error), KT_NOT_FOUND, "which others do not");
    is_code(kt_txn_delete(txn, STORING_ONE, span("a"), &error), KT_OK, "a key is deleted");
    is_code(kt_txn_delete(txn, STORING_ONE, span("a"), &error), KT_NOT_FOUND, "but once");
    kt_txn_abort(txn);
    is_code(get(store, STORING_ONE, "a", text, &error), KT_OK, "after an abort it is as if nothing had been done");
    is_code(get(store, STORING_ONE, "b", text, &error), KT_NOT_FOUND, "in both directions");

    is_code(kt_txn_begin(store, true, &txn, &error), KT_OK, "a transaction begins");
    is_code(kt_txn_append(txn, STORING_TWO, span("k1"), span("x"), &error), KT_OK,
            "a key above all others is appended");
    is_code(kt_txn_append(txn, STORING_TWO, span("k0"), span("x"), &error), KT_DAMAGED, "one below is refused");
    has_text(error.text, "table two", "naming the table");
    is_code(kt_txn_clear(txn, STORING_TWO, &error), KT_OK, "a table is cleared");
    is_code(kt_txn_get(txn, STORING_TWO, span("k1"), &value, &error), KT_NOT_FOUND, "and is empty");
    kt_txn_abort(txn);
}

static void test_cursors(kt_store *store) {
    kt_txn *txn;
    kt_cursor *cursor;
    kt_span key, value;
    kt_error error;
    (void)kt_txn_begin(store, true, &txn, &error);
    for (int i = 0; i < 500; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "key%04d", i * 2);
        (void)kt_txn_put(txn, STORING_THREE, span(name), span(name + 3), &error);
    }
    is_code(kt_cursor_open(txn, STORING_THREE, &cursor, &error), KT_OK, "a cursor opens");
    is_code(kt_cursor_first(cursor, &key, &value, &error), KT_OK, "the first key is found");
    ok(equals(key, "key0000") && equals(value, "0000"), "with its value");
    is_code(kt_cursor_prev(cursor, &key, &value, &error), KT_END, "nothing lies before it");
    is_code(kt_cursor_last(cursor, &key, &value, &error), KT_OK, "the last is found");
    ok(equals(key, "key0998"), "and is the last");
    is_code(kt_cursor_next(cursor, &key, &value, &error), KT_END, "nothing lies behind it");
    is_code(kt_cursor_seek(cursor, span("key0101"), &key, &value, &error), KT_OK,
            "a key that is not there leads to the next");
    ok(equals(key, "key0102"), "above it");
    is_code(kt_cursor_seek(cursor, span("kez"), &key, &value, &error), KT_END, "beyond the last there is none");
    int count = 0, order = 0;
    char last[16] = "";
    for (kt_code code = kt_cursor_first(cursor, &key, &value, &error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, &error)) {
        count++;
        order += kt_span_compare(key, span(last)) > 0;
        (void)snprintf(last, sizeof(last), "%.*s", (int)key.size, (const char *)key.data);
    }
    ok(count == 500 && order == 500, "a walk meets every key once, rising");
    count = 0;
    kt_code code = kt_cursor_seek(cursor, span("key0200"), &key, &value, &error);
    for (; code == KT_OK && kt_span_compare(key, span("key0800")) < 0;
         code = kt_cursor_next(cursor, &key, &value, &error)) {
        count++;
        if (kt_cursor_delete(cursor, &error) != KT_OK) break;
    }
    is_int(count, 300, "deleting in a walk, the next is what followed");
    kt_cursor_close(cursor);
    (void)kt_txn_commit(txn, &error);
    is_int((long long)storing_rows(store, STORING_THREE), 200, "and the others are left");
}

/* ---- damage ---- */

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    (void)fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size);
    if (bytes != NULL && fread(bytes, 1, *size, file) != *size) *size = 0;
    (void)fclose(file);
    return bytes;
}

static bool write_file(const char *path, const uint8_t *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    bool good = fwrite(bytes, 1, size, file) == size;
    return fclose(file) == 0 && good;
}

#define MARK "the bytes that a disk forgets"

/* Each bit of each byte of a stored value, flipped in the file: found, or said to be of a newer version. */
static void test_damage(void) {
    char directory[STORING_PATH], path[STORING_PATH + 20], text[100];
    kt_error error;
    kt_store *store = storing_open(storing_directory("damage", directory), true, false, &error);
    (void)put(store, STORING_ONE, "key1", MARK, &error);
    kt_store_close(store);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", directory);
    size_t size = 0, at;
    uint8_t *bytes = read_file(path, &size);
    for (at = 5; at + sizeof(MARK) < size && memcmp(bytes + at, MARK, sizeof(MARK) - 1) != 0;) at++;
    int wrong = 0, newer = 0, unnamed = 0;
    for (size_t i = at - 5; i < at + sizeof(MARK) - 1; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            (void)write_file(path, bytes, size);
            bytes[i] ^= (uint8_t)(1u << bit);
            store = storing_open(directory, false, true, &error);
            kt_code code = get(store, STORING_ONE, "key1", text, &error);
            wrong += code != KT_DAMAGED && !(code == KT_NEWER && i == at - 5);
            newer += code == KT_NEWER;
            unnamed += strstr(error.text, "table one") == NULL || strstr(error.text, "6b657931") == NULL;
            kt_store_close(store);
        }
    is_int(wrong, 0, "every flipped bit of a value is found when it is read");
    is_int(unnamed, 0, "naming table and key");
    is_int(newer, 7, "a higher version byte says that a newer version wrote it");
    (void)write_file(path, bytes, size);
    store = storing_open(directory, false, true, &error);
    is_code(get(store, STORING_ONE, "key1", text, &error), KT_OK, "and without a flip it reads");
    kt_store_close(store);
    free(bytes);
}

static void test_crc(void) {
    kt_span a = span("a"), b = span("b");
    ok(kt_value_crc(1, a, "x", 1) != kt_value_crc(2, a, "x", 1), "the checksum covers the table");
    ok(kt_value_crc(1, a, "x", 1) != kt_value_crc(1, b, "x", 1), "and the key");
    ok(kt_value_crc(1, a, "x", 1) != kt_value_crc(1, a, "y", 1), "and the bytes");
}

/* ---- opening ---- */

static void test_opening(void) {
    char directory[STORING_PATH], path[STORING_PATH + 20], text[100];
    kt_error error;
    kt_txn *txn;
    storing_directory("opening", directory);
    ok(storing_open(directory, false, false, &error) == NULL && error.code == KT_FOREIGN,
       "an empty directory is no book");
    (void)snprintf(path, sizeof(path), "%s/not-there", directory);
    ok(storing_open(path, true, false, &error) == NULL && error.code == KT_IO,
       "a directory that is not there is said so");
    has_text(error.text, "not-there", "by name");
    (void)snprintf(path, sizeof(path), "%s/data.mdb", directory);
    (void)write_file(path, (const uint8_t *)"no environment at all, but a text of some length", 48);
    ok(storing_open(directory, false, true, &error) == NULL && error.code < 0, "a file that is not LMDB's is refused");
    diag("%s", error.text);
    ok(storing_open(path, false, true, &error) == NULL && error.code == KT_FOREIGN, "a file is no directory");
    (void)unlink(path);

    kt_store *writer = storing_open(directory, true, false, &error),
             *second = storing_open(directory, false, false, &error);
    ok(writer != NULL && second == writer, "a process that opens a directory twice shares one environment");
    (void)put(writer, STORING_ONE, "a", "1", &error);
    kt_store_close(second);
    is_code(get(writer, STORING_ONE, "a", text, &error), KT_OK, "which lives until its last handle is closed");
    kt_store_close(writer);

    kt_store *reader = storing_open(directory, false, true, &error);
    is_code(get(reader, STORING_ONE, "a", text, &error), KT_OK, "read only, values are read");
    is_code(kt_txn_begin(reader, true, &txn, &error), KT_PERMISSION, "and none is written");
    ok(storing_open(directory, false, false, &error) == NULL && error.code == KT_BUSY,
       "nor can the same process open it for writing meanwhile");
    kt_store_close(reader);

    static const char *const more[] = {"meta", "one", "unheard"};
    kt_store_options options = {.names = more, .count = 3};
    is_code(kt_store_open(directory, &options, &writer, &error), KT_FOREIGN, "a store that lacks a table is another's");
    has_text(error.text, "unheard", "and the table is named");

    static const char *const names[] = {"state"};
    options = (kt_store_options){.names = names, .count = 1, .create = true, .scratch = true};
    storing_directory("scratch", path);
    is_code(kt_store_open(path, &options, &writer, &error), KT_OK, "a scratch store opens");
    is_code(put(writer, 0, "a", "1", &error), KT_OK, "and takes values");
    is_code(get(writer, 0, "a", text, &error), KT_OK, "and gives them");
    kt_store_close(writer);
    kt_store_close(NULL);
}

/* ---- readers beside the writer, and a copy ---- */

static void test_snapshots(void) {
    char directory[STORING_PATH], other[STORING_PATH], path[STORING_PATH + 20], text[100];
    kt_error error;
    kt_txn *reader, *writer;
    kt_span value;
    kt_store *store = storing_open(storing_directory("snapshot", directory), true, false, &error);
    (void)put(store, STORING_ONE, "a", "before", &error);
    (void)kt_txn_begin(store, false, &reader, &error);
    (void)kt_txn_begin(store, true, &writer, &error);
    (void)kt_txn_put(writer, STORING_ONE, span("a"), span("after"), &error);
    is_code(kt_txn_get(reader, STORING_ONE, span("a"), &value, &error), KT_OK, "a reader does not wait for the writer");
    (void)kt_txn_commit(writer, &error);
    (void)kt_txn_get(reader, STORING_ONE, span("a"), &value, &error);
    ok(equals(value, "before"), "and goes on seeing what it began with");
    kt_txn_abort(reader);
    (void)get(store, STORING_ONE, "a", text, &error);
    is_text(text, "after", "the next one sees what was committed");

    storing_directory("copy", other);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", other);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    is_code(kt_store_copy(store, file, &error), KT_OK, "a copy is taken");
    (void)close(file);
    kt_store *copy = storing_open(other, false, false, &error);
    (void)get(copy, STORING_ONE, "a", text, &error);
    is_text(text, "after", "and holds the same");
    kt_store_close(copy);
    kt_store_close(store);
}

/* ---- a disk that is full: in a child, whose files may not grow ---- */

static int write_until_full(const char *directory) {
    kt_error error;
    kt_txn *txn;
    char text[100];
    kt_store *store = storing_open(directory, false, false, &error);
    if (store == NULL) return 10;
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 11;
    char *large = calloc(1, 4 << 20);
    if (large == NULL || kt_txn_begin(store, true, &txn, &error) != KT_OK) return 12;
    kt_code code = kt_txn_put(txn, STORING_ONE, span("large"), kt_span_of(large, 4 << 20), &error);
    if (code == KT_OK) code = kt_txn_commit(txn, &error);
    else kt_txn_abort(txn);
    free(large);
    if (code == KT_OK) return 13;
    if (put(store, STORING_ONE, "b", "2", &error) != KT_POISONED) return 14;
    if (get(store, STORING_ONE, "a", text, &error) != KT_OK || strcmp(text, "1") != 0) return 15;
    kt_store_close(store);
    return 0;
}

static void test_poison(void) {
    char directory[STORING_PATH], text[100];
    kt_error error;
    kt_store *store = storing_open(storing_directory("poison", directory), true, false, &error);
    (void)put(store, STORING_ONE, "a", "1", &error);
    kt_store_close(store);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(write_until_full(directory));
    int status = 0;
    (void)waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "after a commit that failed nothing more is written, and what was there is read (%d)", WEXITSTATUS(status));
    store = storing_open(directory, false, false, &error);
    is_code(get(store, STORING_ONE, "a", text, &error), KT_OK, "opened anew, it holds what was committed");
    is_code(get(store, STORING_ONE, "large", text, &error), KT_NOT_FOUND, "and nothing of what was not");
    is_code(put(store, STORING_ONE, "b", "2", &error), KT_OK, "and takes values again");
    kt_store_close(store);
}

int main(void) {
    char directory[STORING_PATH];
    kt_error error;
    kt_store *store = storing_open(storing_directory("store", directory), true, false, &error);
    test_values(store);
    test_cursors(store);
    kt_store_close(store);
    test_crc();
    test_damage();
    test_opening();
    test_snapshots();
    test_poison();
    return done();
}
