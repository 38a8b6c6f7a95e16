/* records: what the journal holds, record by record, batch by batch, checkpoint by checkpoint. */
#include <stdlib.h>

#include "engine/logkey.h"
#include "engine/sql/table.h"
#include "storage/codec.h"

/* ---- records ---- */

enum { NUMBER, KIND, NAME, VERSION, DATE, SIZE, LEAF_HASH, BATCH, RECORD };

static const kt_sql_column record_columns[] = {
    [NUMBER] = {"number", "INTEGER", KT_SQL_NUMBER, NULL},
    [KIND] = {"kind", "INTEGER", KT_SQL_PLAIN, "its number"},
    [NAME] = {"name", "TEXT", KT_SQL_PLAIN, "of the kind: entry, account, seal …"},
    [VERSION] = {"version", "INTEGER", KT_SQL_PLAIN, "of the kind"},
    [DATE] = {"date", "TEXT", KT_SQL_PLAIN, "when it counts"},
    [SIZE] = {"size", "INTEGER", KT_SQL_PLAIN, "bytes stored"},
    [LEAF_HASH] = {"leaf_hash", "TEXT", KT_SQL_PLAIN, "its leaf in the Merkle tree, hexadecimal"},
    [BATCH] = {"batch", "TEXT", KT_SQL_BATCH, "id of its batch"},
    [RECORD] = {"record", "BLOB", KT_SQL_PLAIN, "the bytes stored (storage/FORMAT.md)"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

typedef struct record_state {
    kt_records *records;
    uint64_t first, last, number;
    bool descending;
    kt_span bytes;
    kt_envelope envelope;
    kt_batch_row batch;
    bool batch_known;
} record_state;

static uint64_t record_rows(const kt_sql *sql) { return sql->records; }

static kt_code look(record_state *self, kt_error *error) {
    kt_code code = kt_records_read(self->records, self->number, &self->bytes, error);
    return code == KT_OK ? kt_envelope_open(self->bytes, &self->envelope, error) : code;
}

static kt_code record_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    record_state *self = cursor->state;
    bool any;
    cursor->end = true;
    kt_code code = kt_sql_numbers(cursor->sql, bounds, &self->first, &self->last, &any, error);
    if (code != KT_OK || !any) return code;
    if (self->records == NULL)
        code = kt_records_open(cursor->sql->view->txn, cursor->sql->view->end, &self->records, error);
    if (code != KT_OK) return code;
    self->descending = bounds->descending;
    self->number = self->descending ? self->last : self->first;
    cursor->end = false;
    return look(self, error);
}

static kt_code record_next(kt_sql_cursor *cursor, kt_error *error) {
    record_state *self = cursor->state;
    cursor->end = self->number == (self->descending ? self->first : self->last);
    if (cursor->end) return KT_OK;
    self->number += self->descending ? UINT64_MAX : 1;
    return look(self, error);
}

static int64_t record_row_id(kt_sql_cursor *cursor) { return (int64_t)((const record_state *)cursor->state)->number; }

static const char *kind_name(kt_sql *sql, uint32_t kind) {
    static const char *const own[] = {"genesis", "seal", "part", "long"};
    if (kind < sizeof own / sizeof *own) return own[kind];
    const kt_kind *known = kt_fold_kind(kt_book_fold(sql->book), kind);
    return known == NULL ? NULL : known->name;
}

static kt_code record_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    record_state *self = cursor->state;
    uint8_t hash[KT_HASH_SIZE];
    kt_code code;
    switch (column) {
    case NUMBER: kt_sql_number(out, self->number); break;
    case KIND: kt_sql_number(out, self->envelope.kind); break;
    case NAME: kt_sql_text(out, kt_str_from(kind_name(cursor->sql, self->envelope.kind))); break;
    case VERSION: kt_sql_number(out, self->envelope.kind_version); break;
    case DATE: kt_sql_day(out, self->envelope.date); break;
    case SIZE: kt_sql_number(out, self->bytes.size); break;
    case LEAF_HASH:
        kt_leaf_hash(self->bytes.data, self->bytes.size, hash);
        kt_sql_hex(out, hash, sizeof hash);
        break;
    case BATCH:
        code = kt_sql_batch_of(cursor->sql, self->number, &self->batch, &self->batch_known, error);
        if (code != KT_OK) return code;
        kt_sql_text(out, (kt_str){(const char *)self->batch.id.data, self->batch.id.size});
        break;
    default: sqlite3_result_blob64(out, self->bytes.data, self->bytes.size, SQLITE_TRANSIENT); break;
    }
    return KT_OK;
}

static void record_release(kt_sql_cursor *cursor) { kt_records_close(((record_state *)cursor->state)->records); }

const kt_sql_table kt_sql_records = {.name = "records",
                                     .about = "everything on record, each as one leaf of the tree",
                                     .columns = record_columns,
                                     .order = {NUMBER, -1},
                                     .backwards = true,
                                     .state = sizeof(record_state),
                                     .rows = record_rows,
                                     .filter = record_filter,
                                     .next = record_next,
                                     .cell = record_cell,
                                     .row_id = record_row_id,
                                     .release = record_release};

/* ---- batches ---- */

enum { ID, FIRST, LAST, RECORDED, READ, POSTED, REJECTED, KEY, CONTENT_DIGEST, CLOCK_BEHIND };

static const kt_sql_column batch_columns[] = {
    [ID] = {"id", "TEXT", KT_SQL_BATCH, NULL},
    [FIRST] = {"first", "INTEGER", KT_SQL_PLAIN, "record"},
    [LAST] = {"last", "INTEGER", KT_SQL_NUMBER, "record, which is its seal"},
    [RECORDED] = {"recorded", "TEXT", KT_SQL_PLAIN, "when it was known, UTC"},
    [READ] = {"read", "INTEGER", KT_SQL_PLAIN, "entries of the input"},
    [POSTED] = {"posted", "INTEGER", KT_SQL_PLAIN, "entries posted of them"},
    [REJECTED] = {"rejected", "INTEGER", KT_SQL_PLAIN, "and rejected"},
    [KEY] = {"key", "TEXT", KT_SQL_PLAIN, "that signed it, hexadecimal; see actor_keys"},
    [CONTENT_DIGEST] = {"content_digest", "TEXT", KT_SQL_PLAIN, "what the id stands for, hexadecimal"},
    [CLOCK_BEHIND] = {"clock_behind", "INTEGER", KT_SQL_PLAIN, "1: the clock was behind the record before"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

typedef struct batch_state {
    uint64_t last;
    kt_batch_row row;
} batch_state;

static uint64_t batch_rows(const kt_sql *sql) { return sql->batches; }

/* The batch that holds a record. */
static kt_code stand_on(kt_sql_cursor *cursor, uint64_t record, kt_error *error) {
    batch_state *self = cursor->state;
    cursor->end = record >= cursor->sql->view->end;
    if (cursor->end) return KT_OK;
    kt_code code = kt_batch_row_of(cursor->sql->view->state, record, &self->row, error);
    if (code == KT_NOT_FOUND) cursor->end = true;
    else if (code != KT_OK) return code;
    cursor->end = cursor->end || self->row.first > self->last || self->row.last >= cursor->sql->view->end;
    return KT_OK;
}

static kt_code batch_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    batch_state *self = cursor->state;
    uint64_t first;
    bool any;
    cursor->end = true;
    kt_code code = kt_sql_numbers(cursor->sql, bounds, &first, &self->last, &any, error);
    return code == KT_OK && any ? stand_on(cursor, first, error) : code;
}

static kt_code batch_next(kt_sql_cursor *cursor, kt_error *error) {
    return stand_on(cursor, ((const batch_state *)cursor->state)->row.last + 1, error);
}

static int64_t batch_row_id(kt_sql_cursor *cursor) { return (int64_t)((const batch_state *)cursor->state)->row.last; }

static kt_code batch_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_batch_row *row = &((const batch_state *)cursor->state)->row;
    (void)error;
    switch (column) {
    case ID: kt_sql_text(out, (kt_str){(const char *)row->id.data, row->id.size}); break;
    case FIRST: kt_sql_number(out, row->first); break;
    case LAST: kt_sql_number(out, row->last); break;
    case RECORDED: kt_sql_time(out, row->recorded_us); break;
    case READ: kt_sql_number(out, row->read); break;
    case POSTED: kt_sql_number(out, row->posted); break;
    case REJECTED: kt_sql_number(out, row->rejected); break;
    case KEY: kt_sql_hex(out, row->actor, KT_KEY_SIZE); break;
    case CONTENT_DIGEST:
        if (row->has_input) kt_sql_hex(out, row->input, KT_HASH_SIZE);
        break;
    default: kt_sql_number(out, row->clock_behind); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_batches = {.name = "batches",
                                     .about = "batches, in the order of record",
                                     .columns = batch_columns,
                                     .order = {LAST, -1},
                                     .state = sizeof(batch_state),
                                     .rows = batch_rows,
                                     .filter = batch_filter,
                                     .next = batch_next,
                                     .cell = batch_cell,
                                     .row_id = batch_row_id};

/* ---- checkpoints ---- */

enum { TREE_SIZE, BATCHES, KNOWN, ROOT, NOTE };

static const kt_sql_column checkpoint_columns[] = {
    [TREE_SIZE] = {"size", "INTEGER", KT_SQL_NUMBER, "records under it"},
    [BATCHES] = {"batches", "INTEGER", KT_SQL_PLAIN, "batches under it"},
    [KNOWN] = {"recorded", "TEXT", KT_SQL_PLAIN, "when it was signed, UTC"},
    [ROOT] = {"root", "TEXT", KT_SQL_PLAIN, "of the tree, base64"},
    [NOTE] = {"note", "TEXT", KT_SQL_PLAIN, "the signed note (C2SP tlog-checkpoint)"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

typedef struct checkpoint_state {
    kt_cursor *heads;
    uint64_t last;
    kt_log_row row;
} checkpoint_state;

static kt_code take_row(kt_sql_cursor *cursor, kt_code code, kt_span key, kt_span value, kt_error *error) {
    checkpoint_state *self = cursor->state;
    if (code == KT_OK) code = kt_log_row_read(key, value, &self->row, error);
    cursor->end = code != KT_OK || self->row.size > self->last || self->row.size > cursor->sql->view->end;
    return code == KT_END ? KT_OK : code;
}

static kt_code checkpoint_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    checkpoint_state *self = cursor->state;
    kt_span key, value;
    uint8_t wanted[8];
    kt_code code = KT_OK;
    if (self->heads == NULL) code = kt_cursor_open(cursor->sql->view->txn, KT_TABLE_HEADS, &self->heads, error);
    if (code != KT_OK) return code;
    self->last = bounds->last;
    kt_put_be64(wanted, bounds->first);
    code = kt_cursor_seek(self->heads, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    return take_row(cursor, code, key, value, error);
}

static kt_code checkpoint_next(kt_sql_cursor *cursor, kt_error *error) {
    checkpoint_state *self = cursor->state;
    kt_span key, value;
    kt_code code = kt_cursor_next(self->heads, &key, &value, error);
    return take_row(cursor, code, key, value, error);
}

static int64_t checkpoint_row_id(kt_sql_cursor *cursor) {
    return (int64_t)((const checkpoint_state *)cursor->state)->row.size;
}

static kt_code note_cell(kt_sql_cursor *cursor, sqlite3_context *out, kt_error *error) {
    const checkpoint_state *self = cursor->state;
    char note[KT_CHECKPOINT_MAX];
    size_t size;
    kt_code code = kt_log_note(cursor->sql->view->txn, kt_book_origin(cursor->sql->book), &self->row, note, &size,
                               error);
    if (code == KT_OK) kt_sql_text(out, (kt_str){note, size});
    return code;
}

static kt_code checkpoint_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_log_row *row = &((const checkpoint_state *)cursor->state)->row;
    char root[48];
    switch (column) {
    case TREE_SIZE: kt_sql_number(out, row->size); break;
    case BATCHES: kt_sql_number(out, row->batches); break;
    case KNOWN: kt_sql_time(out, row->recorded_us); break;
    case ROOT: kt_sql_text(out, (kt_str){root, kt_base64_encode(row->root, KT_HASH_SIZE, root)}); break;
    default: return note_cell(cursor, out, error);
    }
    return KT_OK;
}

static void checkpoint_release(kt_sql_cursor *cursor) { kt_cursor_close(((checkpoint_state *)cursor->state)->heads); }

const kt_sql_table kt_sql_checkpoints = {.name = "checkpoints",
                                         .about = "every signed head that the book ever had",
                                         .columns = checkpoint_columns,
                                         .order = {TREE_SIZE, -1},
                                         .state = sizeof(checkpoint_state),
                                         .rows = batch_rows,
                                         .filter = checkpoint_filter,
                                         .next = checkpoint_next,
                                         .cell = checkpoint_cell,
                                         .row_id = checkpoint_row_id,
                                         .release = checkpoint_release};
