#include "storage/writer.h"

#include <stdlib.h>

struct kt_writer {
    kt_store *store;
    kt_writer_hooks hooks;
    kt_txn *txn; /* NULL: none open */
    /* As stored, and as the open transaction has it. */
    struct ends {
        uint64_t head; /* its size */
        bool pending;  /* blocks lie above it */
        bool marked;   /* and the mark says so */
    } stored, now;
    unsigned blocks; /* put in it */
};

static kt_span pending_key(void) { return kt_span_of("pending", 7); }

kt_code kt_writer_open(kt_store *store, const kt_writer_hooks *hooks, kt_writer **out, kt_error *error) {
    kt_writer *writer = calloc(1, sizeof *writer);
    *out = writer;
    if (writer == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    writer->store = store;
    writer->hooks = *hooks;
    return KT_OK;
}

void kt_writer_close(kt_writer *writer) {
    if (writer == NULL) return;
    kt_writer_abort(writer);
    free(writer);
}

void kt_writer_set_head(kt_writer *writer, uint64_t size) {
    writer->stored = writer->now = (struct ends){.head = size};
}
unsigned kt_writer_blocks(const kt_writer *writer) { return writer->blocks; }
kt_txn *kt_writer_txn(kt_writer *writer) { return writer->txn; }

kt_code kt_writer_begin(kt_writer *writer, kt_error *error) {
    return writer->txn != NULL ? KT_OK : kt_txn_begin(writer->store, true, &writer->txn, error);
}

/* W2: the mark is there when blocks lie above the head, and only then. */
static kt_code set_mark(kt_writer *writer, kt_error *error) {
    uint8_t size[8];
    kt_put_le64(size, writer->now.head);
    if (!writer->now.pending) return KT_OK;
    writer->now.marked = true;
    return kt_txn_put(writer->txn, KT_TABLE_META, pending_key(), kt_span_of(size, sizeof size), error);
}

kt_code kt_writer_commit(kt_writer *writer, kt_error *error) {
    kt_code code = set_mark(writer, error);
    if (code != KT_OK) return code;
    kt_txn *txn = writer->txn;
    writer->txn = NULL;
    code = kt_txn_commit(txn, error); /* LAW 3 */
    if (code == KT_OK) writer->stored = writer->now;
    else writer->now = writer->stored;
    writer->blocks = 0;
    return code;
}

void kt_writer_abort(kt_writer *writer) {
    kt_txn_abort(writer->txn);
    writer->txn = NULL;
    writer->now = writer->stored;
    writer->blocks = 0;
}

/* ---- what a broken-off batch left ---- */

/* Deletes the rows of a table from one key up to, and without, another. */
static kt_code drop_rows(kt_txn *txn, kt_table table, kt_span from, kt_span to, kt_error *error) {
    kt_span key, value;
    kt_cursor *cursor;
    kt_code code = kt_cursor_open(txn, table, &cursor, error);
    if (code != KT_OK) return code;
    kt_cursor_raw(cursor, true); /* damaged or not, it goes */
    do {
        code = kt_cursor_seek(cursor, from, &key, &value, error);
        if (code == KT_OK) code = kt_span_compare(key, to) < 0 ? kt_cursor_delete(cursor, error) : KT_END;
    } while (code == KT_OK);
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

/* Blocks that begin at or above the head, and the roots of tiles that the head does not fill. */
static kt_code drop_above(kt_txn *txn, uint64_t size, kt_error *error) {
    static const uint8_t above_all[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                          255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t from[9], to[1];
    kt_put_be64(from, size);
    kt_code code = drop_rows(txn, KT_TABLE_BLOCKS, kt_span_of(from, 8), kt_span_of(above_all, sizeof above_all), error);
    for (unsigned level = 0; level < KT_TREE_LEVELS / 8 - 1 && code == KT_OK; level++) {
        from[0] = (uint8_t)level;
        to[0] = (uint8_t)(level + 1);
        kt_put_be64(from + 1, size >> (8 * (level + 1)));
        code = drop_rows(txn, KT_TABLE_TILES, kt_span_of(from, sizeof from), kt_span_of(to, sizeof to), error);
    }
    return code;
}

kt_code kt_writer_is_pending(kt_txn *txn, bool *pending, kt_error *error) {
    kt_span value;
    kt_code code = kt_txn_get(txn, KT_TABLE_META, pending_key(), &value, error);
    *pending = code == KT_OK;
    return code == KT_NOT_FOUND ? KT_OK : code;
}

kt_code kt_writer_drop_pending(kt_writer *writer, kt_error *error) {
    kt_code code = kt_writer_begin(writer, error);
    writer->now.pending = writer->now.marked = false;
    if (code == KT_OK) code = drop_above(writer->txn, writer->now.head, error);
    if (code == KT_OK && writer->hooks.recover != NULL)
        code = writer->hooks.recover(writer->hooks.context, writer->txn, writer->now.head, error);
    if (code == KT_OK) code = kt_txn_delete(writer->txn, KT_TABLE_META, pending_key(), error);
    if (code == KT_OK) return kt_writer_commit(writer, error);
    kt_writer_abort(writer);
    return code;
}

/* ---- parcels ---- */

static kt_code put_tiles(kt_txn *txn, const kt_parcel *parcel, kt_error *error) {
    kt_code code = KT_OK;
    for (uint32_t i = 0; i < parcel->tile_count && code == KT_OK; i++) {
        uint8_t key[9];
        key[0] = parcel->tiles[i].level;
        kt_put_be64(key + 1, parcel->tiles[i].index);
        code = kt_txn_put(txn, KT_TABLE_TILES, kt_span_of(key, sizeof key),
                          kt_span_of(parcel->tiles[i].root, KT_HASH_SIZE), error);
    }
    return code;
}

static kt_code put_block(kt_writer *writer, const kt_parcel *parcel, kt_error *error) {
    uint8_t key[8], *room;
    kt_put_be64(key, parcel->first);
    kt_code code = put_tiles(writer->txn, parcel, error);
    if (code == KT_OK)
        code = kt_txn_append_room(writer->txn, KT_TABLE_BLOCKS, kt_span_of(key, sizeof key),
                                  kt_block_size(parcel->count, parcel->bytes), &room, error);
    if (code != KT_OK) return code;
    kt_block_write(KT_TABLE_BLOCKS, parcel->first, parcel->count, parcel->lengths, parcel->crcs, parcel->data,
                   parcel->bytes, room);
    writer->blocks++;
    writer->now.pending = true;
    if (writer->hooks.block == NULL) return KT_OK;
    return writer->hooks.block(writer->hooks.context, writer->txn, parcel->first, parcel->count, error);
}

/* W1. */
static kt_code move_head(kt_writer *writer, const kt_parcel *parcel, kt_error *error) {
    kt_code code = KT_OK;
    if (parcel->changes != NULL) code = kt_changes_write(parcel->changes, writer->txn, KT_NO_UNDO, error);
    if (code == KT_OK && writer->hooks.head != NULL)
        code = writer->hooks.head(writer->hooks.context, writer->txn, error);
    if (code == KT_OK) code = kt_log_head_write(writer->txn, &parcel->head, error);
    if (code == KT_OK && writer->now.marked) {
        code = kt_txn_clear(writer->txn, KT_TABLE_UNDO, error);
        if (code == KT_OK) code = kt_txn_delete(writer->txn, KT_TABLE_META, pending_key(), error);
    }
    writer->now = (struct ends){.head = parcel->head.tree.size};
    return code;
}

kt_code kt_writer_put(kt_writer *writer, const kt_parcel *parcel, kt_error *error) {
    kt_code code = kt_writer_begin(writer, error);
    if (code == KT_OK && parcel->count != 0) code = put_block(writer, parcel, error);
    if (code == KT_OK && parcel->end == KT_PARCEL_PIECE && parcel->changes != NULL)
        code = kt_changes_write(parcel->changes, writer->txn, KT_TABLE_UNDO, error);
    if (code == KT_OK && parcel->end == KT_PARCEL_SEALED) code = move_head(writer, parcel, error);
    return code;
}
