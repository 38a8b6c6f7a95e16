#include "storage/head.h"

#define HEAD_FIXED (4 * 8 + KT_HASH_SIZE + KT_SIGNATURE_SIZE)
#define ROW_SIZE (2 * 8 + KT_HASH_SIZE + KT_SIGNATURE_SIZE)

static kt_span head_key(void) { return kt_span_of("head", 4); }

kt_code kt_log_head_read(kt_txn *txn, kt_log_head *out, kt_error *error) {
    kt_span value;
    memset(out, 0, sizeof *out);
    kt_tree_init(&out->tree);
    kt_code code = kt_txn_get(txn, KT_TABLE_META, head_key(), &value, error);
    if (code == KT_NOT_FOUND) {
        kt_tree_root(&out->tree, out->root);
        return KT_OK;
    }
    if (code != KT_OK) return code;
    if (value.size < HEAD_FIXED) return kt_fail(error, KT_DAMAGED, "the head is too short");
    const uint8_t *at = value.data;
    uint64_t size = kt_get_le64(at);
    out->batches = kt_get_le64(at + 8);
    out->recorded_us = (int64_t)kt_get_le64(at + 16);
    out->epoch = kt_get_le64(at + 24);
    memcpy(out->root, at + 32, KT_HASH_SIZE);
    memcpy(out->signature, at + 32 + KT_HASH_SIZE, KT_SIGNATURE_SIZE);
    if (!kt_tree_from_frontier(&out->tree, size, at + HEAD_FIXED, value.size - HEAD_FIXED))
        return kt_fail(error, KT_DAMAGED, "the head's frontier does not fit its size %llu", (unsigned long long)size);
    uint8_t root[KT_HASH_SIZE];
    kt_tree_root(&out->tree, root);
    if (memcmp(root, out->root, sizeof root) != 0)
        return kt_fail(error, KT_DAMAGED, "the head's frontier does not give its root");
    return KT_OK;
}

kt_code kt_log_head_write(kt_txn *txn, const kt_log_head *head, kt_error *error) {
    uint8_t value[HEAD_FIXED + KT_TREE_LEVELS * KT_HASH_SIZE], row[ROW_SIZE], key[8];
    kt_put_le64(value, head->tree.size);
    kt_put_le64(value + 8, head->batches);
    kt_put_le64(value + 16, (uint64_t)head->recorded_us);
    kt_put_le64(value + 24, head->epoch);
    memcpy(value + 32, head->root, KT_HASH_SIZE);
    memcpy(value + 32 + KT_HASH_SIZE, head->signature, KT_SIGNATURE_SIZE);
    size_t frontier = kt_tree_frontier(&head->tree, value + HEAD_FIXED);
    kt_code code = kt_txn_put(txn, KT_TABLE_META, head_key(), kt_span_of(value, HEAD_FIXED + frontier), error);
    if (code != KT_OK) return code;
    kt_put_be64(key, head->tree.size);
    kt_put_le64(row, head->batches);
    kt_put_le64(row + 8, (uint64_t)head->recorded_us);
    memcpy(row + 16, head->root, KT_HASH_SIZE);
    memcpy(row + 16 + KT_HASH_SIZE, head->signature, KT_SIGNATURE_SIZE);
    return kt_txn_append(txn, KT_TABLE_HEADS, kt_span_of(key, sizeof key), kt_span_of(row, sizeof row), error);
}

kt_code kt_log_row_read(kt_span key, kt_span value, kt_log_row *out, kt_error *error) {
    if (key.size != 8 || value.size != ROW_SIZE) return kt_fail(error, KT_DAMAGED, "a checkpoint's row is malformed");
    out->size = kt_get_be64(key.data);
    out->batches = kt_get_le64(value.data);
    out->recorded_us = (int64_t)kt_get_le64(value.data + 8);
    memcpy(out->root, value.data + 16, KT_HASH_SIZE);
    memcpy(out->signature, value.data + 16 + KT_HASH_SIZE, KT_SIGNATURE_SIZE);
    return KT_OK;
}

kt_code kt_log_row_at(kt_txn *txn, uint64_t size, kt_log_row *out, kt_error *error) {
    uint8_t key[8];
    kt_span value;
    kt_put_be64(key, size);
    kt_code code = kt_txn_get(txn, KT_TABLE_HEADS, kt_span_of(key, sizeof key), &value, error);
    return code == KT_OK ? kt_log_row_read(kt_span_of(key, sizeof key), value, out, error) : code;
}

kt_code kt_log_row_covering(kt_txn *txn, uint64_t number, kt_log_row *out, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint8_t wanted[8];
    kt_code code = kt_cursor_open(txn, KT_TABLE_HEADS, &cursor, error);
    if (code != KT_OK) return code;
    kt_put_be64(wanted, number + 1);
    code = kt_cursor_seek(cursor, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    if (code == KT_OK) code = kt_log_row_read(key, value, out, error);
    kt_cursor_close(cursor);
    return code == KT_END ? KT_NOT_FOUND : code;
}

/* Times never fall from head to head, so the wanted one is found by halving the range of sizes. */
kt_code kt_log_row_known(kt_txn *txn, int64_t time_us, kt_log_row *out, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_log_row row;
    uint8_t wanted[8];
    bool found = false;
    kt_code code = kt_cursor_open(txn, KT_TABLE_HEADS, &cursor, error);
    if (code != KT_OK) return code;
    uint64_t low = 0, high = 0;
    code = kt_cursor_last(cursor, &key, &value, error);
    if (code == KT_OK) code = kt_log_row_read(key, value, &row, error);
    if (code == KT_OK) high = row.size;
    while (code == KT_OK && low <= high) {
        uint64_t middle = low + (high - low) / 2;
        kt_put_be64(wanted, middle);
        code = kt_cursor_seek(cursor, kt_span_of(wanted, 8), &key, &value, error);
        if (code == KT_OK) code = kt_log_row_read(key, value, &row, error);
        if (code != KT_OK) break;
        if (row.recorded_us <= time_us) {
            *out = row;
            found = true;
            low = row.size + 1;
        } else if (middle == 0) break;
        else high = middle - 1;
    }
    kt_cursor_close(cursor);
    if (code != KT_OK && code != KT_END) return code;
    return found ? KT_OK : KT_NOT_FOUND;
}
