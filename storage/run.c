#include "storage/run.h"

#include <stdlib.h>

void kt_run_write(const kt_run *run, uint8_t out[KT_RUN_LINE]) {
    kt_put_le64(out, run->sequence);
    kt_put_le64(out + 8, run->first);
    kt_put_le64(out + 16, run->end);
    kt_put_le64(out + 24, run->postings);
    kt_put_le64(out + 32, run->cells);
    kt_put_le64(out + 40, run->list_bytes);
    out[48] = run->level;
    out[49] = (uint8_t)((run->sums ? 1 : 0) | (run->lists ? 2 : 0));
}

void kt_run_read(const uint8_t in[KT_RUN_LINE], kt_run *out) {
    *out = (kt_run){.sequence = kt_get_le64(in),
                    .first = kt_get_le64(in + 8),
                    .end = kt_get_le64(in + 16),
                    .postings = kt_get_le64(in + 24),
                    .cells = kt_get_le64(in + 32),
                    .list_bytes = kt_get_le64(in + 40),
                    .level = in[48],
                    .sums = (in[49] & 1) != 0,
                    .lists = (in[49] & 2) != 0};
}

int kt_run_key_compare(const kt_run_key *a, const kt_run_key *b) {
    if (a->account != b->account) return a->account < b->account ? -1 : 1;
    if (a->currency != b->currency) return a->currency < b->currency ? -1 : 1;
    if (a->dimensions != b->dimensions) return a->dimensions < b->dimensions ? -1 : 1;
    return (a->month > b->month) - (a->month < b->month);
}

/* ---- one posting ---- */

const uint8_t *kt_run_item_read(const uint8_t *in, const uint8_t *end, uint64_t *last, kt_run_item *item) {
    uint64_t delta, line;
    in = kt_get_varint(in, end, &delta);
    in = kt_get_varint(in, end, &line);
    if (in == NULL || in == end || line > UINT32_MAX) return NULL;
    uint8_t flags = *in++;
    *last += delta;
    item->number = *last;
    item->line = (uint32_t)line;
    item->day = flags & KT_ITEM_DAY;
    item->own_book = (flags & KT_ITEM_OWN_BOOK) != 0;
    item->unvalued = (flags & KT_ITEM_UNVALUED) != 0;
    item->minus = (flags & KT_ITEM_MINUS) != 0;
    in = kt_get_zigzag128(in, end, &item->amount);
    item->book = item->unvalued ? 0 : item->amount;
    return item->own_book && !item->unvalued ? kt_get_zigzag128(in, end, &item->book) : in;
}

/* ---- writing ---- */

void kt_run_writer_init(kt_run_writer *writer, kt_txn *txn, kt_run_draft *draft, kt_run_tables tables,
                        uint64_t sequence, uint8_t level, uint64_t first, uint64_t end, bool with_lists) {
    writer->txn = txn;
    writer->draft = draft;
    writer->tables = tables;
    writer->run = (kt_run){
        .sequence = sequence, .first = first, .end = end, .level = level, .sums = true, .lists = with_lists};
    writer->with_lists = with_lists;
    writer->cells_size = writer->list_size = 0;
    writer->list_piece = writer->list_total = 0;
}

/* In a draft: size of the key, of lists or of cells, size of the value, key, value. */
#define DRAFT_HEAD 6u

static kt_code draft_piece(kt_run_draft *draft, bool list, kt_span key, kt_span value, kt_error *error) {
    size_t size = draft->size + DRAFT_HEAD + key.size + value.size;
    if (size > draft->room) {
        size_t room = size < 2 * draft->room ? 2 * draft->room : size;
        uint8_t *grown = realloc(draft->bytes, room);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for sums");
        draft->bytes = grown;
        draft->room = room;
    }
    uint8_t *at = draft->bytes + draft->size;
    at[0] = (uint8_t)key.size;
    at[1] = list;
    kt_put_le32(at + 2, (uint32_t)value.size);
    memcpy(at + DRAFT_HEAD, key.data, key.size);
    memcpy(at + DRAFT_HEAD + key.size, value.data, value.size);
    draft->size = size;
    return KT_OK;
}

kt_code kt_run_draft_write(const kt_run_draft *draft, kt_txn *txn, kt_run_tables tables, uint64_t sequence,
                           kt_error *error) {
    uint8_t key[32];
    kt_code code = KT_OK;
    for (const uint8_t *at = draft->bytes; code == KT_OK && at != draft->bytes + draft->size;) {
        size_t key_size = at[0], size = kt_get_le32(at + 2);
        memcpy(key, at + DRAFT_HEAD, key_size);
        kt_put_be64(key, sequence);
        code = kt_txn_append(txn, at[1] != 0 ? tables.lists : tables.cells, kt_span_of(key, key_size),
                             kt_span_of(at + DRAFT_HEAD + key_size, size), error);
        at += DRAFT_HEAD + key_size + size;
    }
    return code;
}

static kt_code put_piece(kt_run_writer *writer, bool list, kt_span key, kt_span value, kt_error *error) {
    if (writer->txn == NULL) return draft_piece(writer->draft, list, key, value, error);
    return kt_txn_append(writer->txn, list ? writer->tables.lists : writer->tables.cells, key, value, error);
}

static kt_code flush_list(kt_run_writer *writer, kt_error *error) {
    uint8_t key[16];
    if (writer->list_size == 0) return KT_OK;
    kt_put_be64(key, writer->run.sequence);
    kt_put_be64(key + 8, writer->list_piece++);
    size_t size = writer->list_size;
    writer->list_size = 0;
    return put_piece(writer, true, kt_span_of(key, sizeof key), kt_span_of(writer->list, size), error);
}

kt_code kt_run_writer_list(kt_run_writer *writer, const uint8_t *bytes, size_t size, kt_error *error) {
    while (size != 0) {
        size_t room = sizeof writer->list - writer->list_size, taken = size < room ? size : room;
        memcpy(writer->list + writer->list_size, bytes, taken);
        writer->list_size += taken;
        writer->run.list_bytes += taken;
        bytes += taken;
        size -= taken;
        if (writer->list_size == sizeof writer->list) {
            kt_code code = flush_list(writer, error);
            if (code != KT_OK) return code;
        }
    }
    return KT_OK;
}

static void key_bytes(const kt_run_key *key, uint8_t out[14]) {
    kt_put_be32(out, key->account);
    out[4] = (uint8_t)(key->currency >> 8);
    out[5] = (uint8_t)key->currency;
    kt_put_be32(out + 6, key->dimensions);
    kt_put_be32(out + 10, (uint32_t)key->month ^ 0x80000000u);
}

static kt_code flush_cells(kt_run_writer *writer, kt_error *error) {
    uint8_t key[22];
    if (writer->cells_size == 0) return KT_OK;
    kt_put_be64(key, writer->run.sequence);
    memcpy(key + 8, writer->first_key, sizeof writer->first_key);
    size_t size = writer->cells_size;
    writer->cells_size = 0;
    return put_piece(writer, false, kt_span_of(key, sizeof key), kt_span_of(writer->cells, size), error);
}

enum { CELL_OWN_BOOK = 1, CELL_SINGLE = 2 };

static uint8_t *put_sums(uint8_t *at, const kt_run_cell *cell) {
    at = kt_put_varint(at, cell->count);
    at = kt_put_varint(at, cell->last_number);
    at = kt_put_zigzag128(at, cell->debit);
    at = kt_put_zigzag128(at, cell->credit);
    if (!cell->own_book) return at;
    at = kt_put_varint(at, cell->unvalued);
    at = kt_put_zigzag128(at, cell->book_debit);
    return kt_put_zigzag128(at, cell->book_credit);
}

kt_code kt_run_writer_cell(kt_run_writer *writer, kt_run_cell *cell, kt_error *error) {
    cell->list_offset = writer->list_total;
    cell->list_bytes = writer->run.list_bytes - writer->list_total;
    if (writer->cells_size + KT_RUN_CELL_MAX > sizeof writer->cells) {
        kt_code code = flush_cells(writer, error);
        if (code != KT_OK) return code;
    }
    if (writer->cells_size == 0) {
        key_bytes(&cell->key, writer->first_key);
        kt_put_le64(writer->cells, writer->list_total);
        writer->cells_size = 8;
        writer->before = (kt_run_key){0};
    }
    /* Of a single posting the list says all. */
    bool single = cell->count == 1 && writer->with_lists;
    uint8_t *at = writer->cells + writer->cells_size;
    at = kt_put_varint(at, cell->key.account - writer->before.account);
    at = kt_put_varint(at, (uint64_t)cell->key.currency << 2 | (single ? CELL_SINGLE : 0u) |
                               (cell->own_book ? CELL_OWN_BOOK : 0u));
    at = kt_put_varint(at, cell->key.dimensions);
    at = kt_put_zigzag128(at, (kt_int128)cell->key.month - writer->before.month);
    at = kt_put_varint(at, cell->list_bytes);
    if (!single) at = put_sums(at, cell);
    writer->before = cell->key;
    writer->cells_size = (size_t)(at - writer->cells);
    writer->list_total = writer->run.list_bytes;
    writer->run.cells++;
    writer->run.postings += cell->count;
    return KT_OK;
}

kt_code kt_run_writer_finish(kt_run_writer *writer, kt_error *error) {
    kt_code code = flush_cells(writer, error);
    return code == KT_OK ? flush_list(writer, error) : code;
}

/* ---- reading ---- */

static kt_code damaged(const kt_run *run, const char *what, kt_error *error) {
    return kt_fail(error, KT_DAMAGED, "run %llu: %s", (unsigned long long)run->sequence, what);
}

/* Takes the piece the cursor found, if it is this run's. */
static kt_code load_cells(kt_run_reader *reader, kt_code code, kt_span key, kt_span value, kt_error *error) {
    reader->at = reader->end = reader->cells;
    if (code != KT_OK) return code;
    if (key.size != 22 || kt_get_be64(key.data) != reader->run->sequence) return KT_END;
    if (value.size < 8 || value.size > sizeof reader->cells)
        return damaged(reader->run, "a piece of cells has a wrong size", error);
    memcpy(reader->cells, value.data, value.size);
    reader->list_offset = kt_get_le64(reader->cells);
    reader->before = (kt_run_key){0};
    reader->at = reader->cells + 8;
    reader->end = reader->cells + value.size;
    return KT_OK;
}

kt_code kt_run_reader_open(kt_run_reader *reader, kt_txn *txn, kt_run_tables tables, const kt_run *run,
                           uint32_t account, kt_error *error) {
    uint8_t wanted[22] = {0};
    kt_span key, value;
    reader->txn = txn;
    reader->tables = tables;
    reader->run = run;
    reader->list_piece = 0;
    kt_code code = kt_cursor_open(txn, tables.cells, &reader->cursor, error);
    if (code != KT_OK) return code;
    kt_put_be64(wanted, run->sequence);
    kt_put_be32(wanted + 8, account);
    code = kt_cursor_seek(reader->cursor, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    /* The account's first cell may stand in the piece before. */
    if (account != 0 && (code == KT_OK || code == KT_END)) {
        kt_code before = code == KT_OK ? kt_cursor_prev(reader->cursor, &key, &value, error)
                                       : kt_cursor_last(reader->cursor, &key, &value, error);
        bool ours = before == KT_OK && key.size == 22 && kt_get_be64(key.data) == run->sequence;
        if (ours) code = KT_OK;
        else if (before == KT_OK || before == KT_END)
            code = kt_cursor_seek(reader->cursor, kt_span_of(wanted, sizeof wanted), &key, &value, error);
        else code = before;
    }
    code = load_cells(reader, code, key, value, error);
    if (code == KT_OK || code == KT_END) return KT_OK; /* without a piece, next says KT_END */
    kt_run_reader_close(reader);
    return code;
}

void kt_run_reader_close(kt_run_reader *reader) {
    kt_cursor_close(reader->cursor);
    reader->cursor = NULL;
}

static kt_code load_list(kt_run_reader *reader, uint64_t piece, kt_error *error) {
    uint8_t key[16];
    kt_span value;
    kt_put_be64(key, reader->run->sequence);
    kt_put_be64(key + 8, piece);
    kt_code code = kt_txn_get(reader->txn, reader->tables.lists, kt_span_of(key, sizeof key), &value, error);
    if (code == KT_NOT_FOUND || (code == KT_OK && value.size > sizeof reader->list))
        return damaged(reader->run, "a piece of its lists is missing", error);
    if (code != KT_OK) return code;
    memcpy(reader->list, value.data, value.size);
    reader->list_size = value.size;
    reader->list_piece = piece + 1;
    return KT_OK;
}

kt_code kt_run_reader_bytes(kt_run_reader *reader, uint64_t offset, const uint8_t **bytes, size_t *size,
                            kt_error *error) {
    uint64_t piece = offset / KT_RUN_LIST_PIECE;
    size_t inside = (size_t)(offset % KT_RUN_LIST_PIECE);
    kt_code code = reader->list_piece == piece + 1 ? KT_OK : load_list(reader, piece, error);
    if (code != KT_OK) return code;
    if (inside >= reader->list_size) return damaged(reader->run, "a piece of its lists is short", error);
    *bytes = reader->list + inside;
    *size = reader->list_size - inside;
    return KT_OK;
}

kt_code kt_run_reader_list(kt_run_reader *reader, uint64_t offset, uint8_t *out, size_t room, size_t *size,
                           kt_error *error) {
    const uint8_t *bytes;
    size_t there;
    for (*size = 0; *size < room && offset < reader->run->list_bytes; offset += there) {
        kt_code code = kt_run_reader_bytes(reader, offset, &bytes, &there, error);
        if (code != KT_OK) return code;
        if (there > room - *size) there = room - *size;
        memcpy(out + *size, bytes, there);
        *size += there;
    }
    return KT_OK;
}

kt_code kt_run_reader_number(kt_run_reader *reader, uint64_t *offset, uint64_t *number, kt_error *error) {
    uint8_t buffer[KT_VARINT_MAX];
    const uint8_t *bytes, *end;
    size_t size;
    kt_code code = kt_run_reader_bytes(reader, *offset, &bytes, &size, error);
    if (code != KT_OK) return code;
    if (size < KT_VARINT_MAX) { /* it may go on in the next piece */
        code = kt_run_reader_list(reader, *offset, buffer, sizeof buffer, &size, error);
        bytes = buffer;
    }
    if (code != KT_OK) return code;
    end = kt_get_varint(bytes, bytes + size, number);
    if (end == NULL) return damaged(reader->run, "a list is malformed", error);
    *offset += (uint64_t)(end - bytes);
    return KT_OK;
}

static const uint8_t *get_sums(const uint8_t *at, const uint8_t *end, kt_run_cell *cell) {
    at = kt_get_varint(at, end, &cell->count);
    at = kt_get_varint(at, end, &cell->last_number);
    at = kt_get_zigzag128(at, end, &cell->debit);
    at = kt_get_zigzag128(at, end, &cell->credit);
    if (cell->own_book) {
        at = kt_get_varint(at, end, &cell->unvalued);
        at = kt_get_zigzag128(at, end, &cell->book_debit);
        at = kt_get_zigzag128(at, end, &cell->book_credit);
    } else kt_run_cell_end(cell);
    return at;
}

/* The sums of a cell with one posting are that posting. */
static kt_code read_single(kt_run_reader *reader, kt_error *error) {
    uint8_t buffer[KT_RUN_ITEM_MAX];
    kt_run_cell *cell = &reader->cell;
    kt_run_item item;
    uint64_t last = 0;
    size_t size = (size_t)cell->list_bytes;
    if (cell->list_bytes == 0 || cell->list_bytes > sizeof buffer)
        return damaged(reader->run, "a list of one line has a wrong size", error);
    const uint8_t *bytes = kt_run_reader_at_hand(reader, cell->list_offset, size);
    if (bytes == NULL) {
        kt_code code = kt_run_reader_list(reader, cell->list_offset, buffer, size, &size, error);
        if (code != KT_OK) return code;
        bytes = buffer;
    }
    bool own_book = cell->own_book;
    cell->own_book = false;
    cell->count = 0;
    cell->debit = cell->credit = 0;
    if (size != cell->list_bytes || kt_run_item_read(bytes, bytes + size, &last, &item) != bytes + size ||
        item.own_book != own_book || !kt_run_cell_add(cell, &item))
        return damaged(reader->run, "a list of one line is malformed", error);
    kt_run_cell_end(cell);
    cell->last_number = last;
    return KT_OK;
}

kt_code kt_run_reader_next(kt_run_reader *reader, kt_error *error) {
    if (reader->at == reader->end) {
        kt_span key, value;
        if (reader->end == reader->cells) return KT_END; /* no piece of this run is left */
        kt_code code = kt_cursor_next(reader->cursor, &key, &value, error);
        code = load_cells(reader, code, key, value, error);
        if (code != KT_OK) return code;
    }
    kt_run_cell *cell = &reader->cell;
    uint64_t account, flags, dimensions;
    kt_int128 month;
    const uint8_t *at = reader->at, *end = reader->end;
    at = kt_get_varint(at, end, &account);
    at = kt_get_varint(at, end, &flags);
    at = kt_get_varint(at, end, &dimensions);
    at = kt_get_zigzag128(at, end, &month);
    at = kt_get_varint(at, end, &cell->list_bytes);
    if (at == NULL) return damaged(reader->run, "a cell is malformed", error);
    cell->own_book = (flags & CELL_OWN_BOOK) != 0;
    cell->unvalued = 0;
    if ((flags & CELL_SINGLE) == 0) at = get_sums(at, end, cell);
    account += reader->before.account;
    month += reader->before.month;
    if (at == NULL || account > UINT32_MAX || flags >> 2 > UINT16_MAX || dimensions > UINT32_MAX ||
        month != (int32_t)month)
        return damaged(reader->run, "a cell is malformed", error);
    cell->key = (kt_run_key){(uint32_t)account, (uint16_t)(flags >> 2), (uint32_t)dimensions, (int32_t)month};
    cell->list_offset = reader->list_offset;
    reader->list_offset += cell->list_bytes;
    reader->before = cell->key;
    reader->at = at;
    return (flags & CELL_SINGLE) != 0 ? read_single(reader, error) : KT_OK;
}

static kt_code drop_pieces(kt_txn *txn, kt_table table, uint64_t sequence, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint8_t from[8];
    kt_code code = kt_cursor_open(txn, table, &cursor, error);
    if (code != KT_OK) return code;
    kt_cursor_raw(cursor, true);
    kt_put_be64(from, sequence);
    do {
        code = kt_cursor_seek(cursor, kt_span_of(from, sizeof from), &key, &value, error);
        if (code == KT_OK) code = kt_get_be64(key.data) == sequence ? kt_cursor_delete(cursor, error) : KT_END;
    } while (code == KT_OK);
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_run_drop(kt_txn *txn, kt_run_tables tables, uint64_t sequence, kt_error *error) {
    kt_code code = drop_pieces(txn, tables.cells, sequence, error);
    return code == KT_OK ? drop_pieces(txn, tables.lists, sequence, error) : code;
}
