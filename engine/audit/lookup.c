#include "engine/audit/lookup.h"

#include <stdio.h>

#include "engine/tables.h"

static kt_code aside(kt_store *store, kt_table table, kt_span key, const char *what, kt_error *error) {
    char text[2 * 32 + 1] = "";
    for (size_t i = 0; i < key.size && i < 32; i++) snprintf(text + 2 * i, 3, "%02x", key.data[i]);
    return kt_fail(error, KT_DAMAGED, "table %s, key %s: %s", kt_table_name(store, table), text, what);
}

/* Both raw: the same bytes at the same place. Blocks carry a checksum of their own; other values are read under theirs. */
static kt_code check_key(kt_store *store, kt_txn *txn, kt_table table, kt_cursor *by_key, kt_span key, kt_span value,
                         kt_error *error) {
    kt_span found_key, found;
    kt_code code = kt_cursor_seek(by_key, key, &found_key, &found, error);
    if (code == KT_END || (code == KT_OK && (kt_span_compare(found_key, key) != 0 || found.data != value.data ||
                                             found.size != value.size)))
        return aside(store, table, key, "is met on a walk, and not found by its key", error);
    if (code != KT_OK || table == KT_TABLE_BLOCKS) return code;
    code = kt_txn_get(txn, table, key, &found, error);
    return code == KT_NOT_FOUND ? aside(store, table, key, "is met on a walk, and not found by its key", error) : code;
}

static kt_code check_table(kt_store *store, kt_txn *txn, kt_table table, uint64_t *count, kt_error *error) {
    kt_cursor *walk = NULL, *by_key = NULL;
    kt_span key, value;
    *count = 0;
    kt_code code = kt_cursor_open(txn, table, &walk, error);
    if (code == KT_OK) code = kt_cursor_open(txn, table, &by_key, error);
    if (code == KT_OK) {
        kt_cursor_raw(walk, true);
        kt_cursor_raw(by_key, true);
        for (code = kt_cursor_first(walk, &key, &value, error); code == KT_OK;
             code = kt_cursor_next(walk, &key, &value, error)) {
            ++*count;
            code = check_key(store, txn, table, by_key, key, value, error);
            if (code != KT_OK) break;
        }
    }
    kt_cursor_close(walk);
    kt_cursor_close(by_key);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_lookup_check(kt_store *store, kt_txn *txn, uint64_t size, kt_error *error) {
    uint64_t count, tiles = 0;
    kt_span pending;
    kt_code code = kt_txn_get(txn, KT_TABLE_META, kt_span_of("pending", 7), &pending, error);
    bool writing = code == KT_OK; /* a batch larger than one transaction: its tiles lie above the head already */
    if (code == KT_NOT_FOUND) code = KT_OK;
    while ((size >>= 8) != 0) tiles += size; /* a root for each 256 of the level below */
    for (kt_table table = 0; table < KT_TABLE_COUNT && code == KT_OK; table++) {
        code = check_table(store, txn, table, &count, error);
        if (code == KT_OK && table == KT_TABLE_TILES && (writing ? count < tiles : count != tiles))
            code = kt_fail(error, KT_DAMAGED, "%llu roots of tiles are stored, expected %llu",
                           (unsigned long long)count, (unsigned long long)tiles);
    }
    return code;
}
