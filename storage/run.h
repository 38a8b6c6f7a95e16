/*
 * run: one sorted run in the store, written and read as streams.
 *
 * Cells lie in pieces of a few pages under (run, key of the first cell); the lists of all cells are one stream of
 * bytes in pieces under (run, piece number). Both are appended, since run numbers rise. Layouts are in FORMAT.md.
 *
 * Lifetime: streams borrow the transaction and copy the pieces they stand on, so that writing the next run does not
 * pull the ground from under the reading of the last.
 */
#ifndef KT_STORAGE_RUN_H
#define KT_STORAGE_RUN_H

#include "storage/runs.h"

#define KT_RUN_CELL_MAX 256u
#define KT_RUN_ITEM_MAX 64u
#define KT_RUN_CELLS_PIECE KT_VALUE_PAGES(4)
#define KT_RUN_LIST_PIECE KT_VALUE_PAGES(8)

typedef struct kt_run { /* one line of the manifest */
    uint64_t sequence;
    uint64_t first, end; /* records covered */
    uint64_t postings, cells, list_bytes;
    uint8_t level;
    bool sums;  /* its cells count in sums over everything */
    bool lists; /* its lists serve */
} kt_run;

#define KT_RUN_LINE 50u
void kt_run_write(const kt_run *run, uint8_t out[KT_RUN_LINE]);
void kt_run_read(const uint8_t in[KT_RUN_LINE], kt_run *out);

/* The stored manifest; *runs is the caller's (realloc'ed), *next_sequence what the next run would be called. */
kt_code kt_run_manifest(kt_txn *txn, kt_run_tables tables, kt_run **runs, uint32_t *count, uint64_t *next_sequence,
                        kt_error *error);

int kt_run_key_compare(const kt_run_key *a, const kt_run_key *b);

/* One posting of a list. The first number of a list counts from the run's first record, the next from the one
   before. Both return behind what was written or read; reading gives NULL where bytes are short or wrong. */
enum { KT_ITEM_DAY = 0x1f, KT_ITEM_OWN_BOOK = 0x20, KT_ITEM_UNVALUED = 0x40, KT_ITEM_MINUS = 0x80 };

static inline uint8_t *kt_run_item_write(uint8_t *out, const kt_run_item *item, uint64_t delta) {
    out = kt_put_varint(out, delta);
    out = kt_put_varint(out, item->line);
    *out++ = (uint8_t)(item->day | (item->own_book ? KT_ITEM_OWN_BOOK : 0) | (item->unvalued ? KT_ITEM_UNVALUED : 0) |
                       (item->minus ? KT_ITEM_MINUS : 0));
    out = kt_put_zigzag128(out, item->amount);
    return item->own_book && !item->unvalued ? kt_put_zigzag128(out, item->book) : out;
}

const uint8_t *kt_run_item_read(const uint8_t *in, const uint8_t *end, uint64_t *last, kt_run_item *item);

/* ---- one cell ---- */

static inline bool kt_run_add(kt_int128 *sum, kt_int128 amount) { return !__builtin_add_overflow(*sum, amount, sum); }

/* Adds a posting to its column. LAW 8: false where a sum does not fit 128 bits. The book's columns are kept apart from the
   first posting on that has a book amount of its own; until then `end` sets them. */
static inline bool kt_run_cell_add(kt_run_cell *cell, const kt_run_item *item) {
    bool debit = (item->amount > 0) != item->minus;
    if (item->own_book && !cell->own_book) {
        cell->own_book = true;
        cell->book_debit = cell->debit;
        cell->book_credit = cell->credit;
    }
    cell->count++;
    if (debit ? __builtin_add_overflow(cell->debit, item->amount, &cell->debit)
              : __builtin_sub_overflow(cell->credit, item->amount, &cell->credit))
        return false;
    if (!cell->own_book) return true;
    kt_int128 book = item->unvalued ? 0 : item->book;
    cell->unvalued += item->unvalued ? 1 : 0;
    return debit ? !__builtin_add_overflow(cell->book_debit, book, &cell->book_debit)
                 : !__builtin_sub_overflow(cell->book_credit, book, &cell->book_credit);
}

static inline void kt_run_cell_end(kt_run_cell *cell) {
    if (cell->own_book) return;
    cell->book_debit = cell->debit;
    cell->book_credit = cell->credit;
}

/* A run in memory, to be written later: its pieces one behind the other. */
typedef struct kt_run_draft {
    uint8_t *bytes;
    size_t size, room;
} kt_run_draft;

/* Writes the pieces under the run's number, which need not have been known before. */
kt_code kt_run_draft_write(const kt_run_draft *draft, kt_txn *txn, kt_run_tables tables, uint64_t sequence,
                           kt_error *error);

typedef struct kt_run_writer {
    kt_txn *txn; /* NULL: into the draft */
    kt_run_draft *draft;
    kt_run_tables tables;
    kt_run run;
    bool with_lists;
    uint8_t first_key[14];
    kt_run_key before; /* the cell before in this piece, which the next counts from */
    size_t cells_size, list_size;
    uint64_t list_piece, list_total;
    uint8_t cells[KT_RUN_CELLS_PIECE];
    uint8_t list[KT_RUN_LIST_PIECE];
} kt_run_writer;

/* draft: where the run goes if there is no transaction. */
void kt_run_writer_init(kt_run_writer *writer, kt_txn *txn, kt_run_draft *draft, kt_run_tables tables,
                        uint64_t sequence, uint8_t level, uint64_t first, uint64_t end, bool with_lists);
/* The list's bytes come first, then the cell they belong to, whose list fields are set here. */
kt_code kt_run_writer_list(kt_run_writer *writer, const uint8_t *bytes, size_t size, kt_error *error);
kt_code kt_run_writer_cell(kt_run_writer *writer, kt_run_cell *cell, kt_error *error);
kt_code kt_run_writer_finish(kt_run_writer *writer, kt_error *error);

typedef struct kt_run_reader {
    kt_txn *txn;
    kt_run_tables tables;
    const kt_run *run;
    kt_cursor *cursor;
    kt_run_cell cell; /* the one it stands on */
    const uint8_t *at, *end;
    uint64_t list_offset; /* of the next cell */
    kt_run_key before;    /* the cell before in this piece */
    uint64_t list_piece;  /* loaded, + 1; 0: none */
    size_t list_size;
    uint8_t cells[KT_RUN_CELLS_PIECE];
    uint8_t list[KT_RUN_LIST_PIECE];
} kt_run_reader;

/* Stands before the first cell of an account (0: of the run). */
kt_code kt_run_reader_open(kt_run_reader *reader, kt_txn *txn, kt_run_tables tables, const kt_run *run,
                           uint32_t account, kt_error *error);
void kt_run_reader_close(kt_run_reader *reader);
kt_code kt_run_reader_next(kt_run_reader *reader, kt_error *error); /* KT_END */
/* Up to `room` bytes of the lists' stream at offset; *size of them. */
kt_code kt_run_reader_list(kt_run_reader *reader, uint64_t offset, uint8_t *out, size_t room, size_t *size,
                           kt_error *error);

/* The bytes there are from offset on without copying, at least one: *bytes are the reader's until the next call. */
kt_code kt_run_reader_bytes(kt_run_reader *reader, uint64_t offset, const uint8_t **bytes, size_t *size,
                            kt_error *error);
/* `size` bytes from offset on, where they lie in the piece that was read last; else NULL. */
#define KT_RUN_LIST_SHORT 32u
static inline const uint8_t *kt_run_reader_at_hand(const kt_run_reader *reader, uint64_t offset, size_t size) {
    uint64_t inside = offset % KT_RUN_LIST_PIECE;
    bool there = reader->list_piece == offset / KT_RUN_LIST_PIECE + 1 && inside + size <= reader->list_size;
    return there ? reader->list + inside : NULL;
}
/* The number at *offset, which moves behind it. */
kt_code kt_run_reader_number(kt_run_reader *reader, uint64_t *offset, uint64_t *number, kt_error *error);

/* Deletes a run's pieces. */
kt_code kt_run_drop(kt_txn *txn, kt_run_tables tables, uint64_t sequence, kt_error *error);

#endif
