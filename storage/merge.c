#include "storage/merge.h"

/* ---- whose turn it is ---- */

static inline bool stands_before(const struct kt_merge_turn *a, const struct kt_merge_turn *b) {
    if (a->high != b->high) return a->high < b->high;
    if (a->low != b->low) return a->low < b->low;
    return a->reader < b->reader; /* lists follow one another in the order of the runs */
}

/* Moves the turn at `at` to where it belongs among those behind it, which are in order. */
static inline void sink(kt_merger *merger, unsigned at) {
    struct kt_merge_turn turn = merger->turns[at];
    for (; at + 1 < merger->count && stands_before(&merger->turns[at + 1], &turn); at++)
        merger->turns[at] = merger->turns[at + 1];
    merger->turns[at] = turn;
}

static inline void set_turn(kt_merger *merger, unsigned at, unsigned reader) {
    const kt_run_key *key = &merger->readers[reader].cell.key;
    merger->turns[at] = (struct kt_merge_turn){(uint64_t)key->account << 16 | key->currency,
                                               (uint64_t)key->dimensions << 32 | ((uint32_t)key->month ^ 0x80000000u),
                                               reader};
}

/* The first in turn goes on to its next cell. */
static kt_code go_on(kt_merger *merger, kt_error *error) {
    unsigned reader = merger->turns[0].reader;
    kt_code code = kt_run_reader_next(&merger->readers[reader], error);
    if (code == KT_OK) {
        set_turn(merger, 0, reader);
        sink(merger, 0);
    } else if (code == KT_END) {
        merger->count--;
        memmove(merger->turns, merger->turns + 1, merger->count * sizeof *merger->turns);
        code = KT_OK;
    }
    return code;
}

/* ---- cells ---- */

/* Copies a cell's list; its first number, counted from its run's first record, comes to follow *last. */
static kt_code copy_list(kt_run_reader *from, kt_run_writer *to, uint64_t *last, kt_error *error) {
    uint64_t offset = from->cell.list_offset, left = from->cell.list_bytes, delta;
    uint8_t head[KT_VARINT_MAX];
    const uint8_t *bytes;
    size_t size;
    if (left == 0) return KT_OK;
    kt_code code = kt_run_reader_number(from, &offset, &delta, error);
    if (code != KT_OK) return code;
    left -= offset - from->cell.list_offset;
    uint64_t number = from->run->first + delta;
    code = kt_run_writer_list(to, head, (size_t)(kt_put_varint(head, number - *last) - head), error);
    *last = from->run->first + from->cell.last_number;
    while (left != 0 && code == KT_OK) {
        code = kt_run_reader_bytes(from, offset, &bytes, &size, error);
        if (code != KT_OK) return code;
        if (size > left) size = (size_t)left;
        code = kt_run_writer_list(to, bytes, size, error);
        offset += size;
        left -= size;
    }
    return code;
}

static inline bool add_to(kt_int128 *sum, kt_int128 amount) { return !__builtin_add_overflow(*sum, amount, sum); }

static inline bool add_cell(kt_run_cell *sum, const kt_run_cell *cell) {
    sum->count += cell->count;
    sum->unvalued += cell->unvalued;
    sum->own_book |= cell->own_book;
    return add_to(&sum->debit, cell->debit) && add_to(&sum->credit, cell->credit) &&
           add_to(&sum->book_debit, cell->book_debit) && add_to(&sum->book_credit, cell->book_credit);
}

/* One cell out of those that carry the lowest key. */
static kt_code merge_cell(kt_merger *merger, kt_run_writer *writer, kt_error *error) {
    const struct kt_merge_turn lowest = merger->turns[0];
    kt_run_cell sum = {.key = merger->readers[lowest.reader].cell.key};
    uint64_t base = writer->run.first, last = base;
    kt_code code = KT_OK;
    while (code == KT_OK && merger->count != 0 && merger->turns[0].high == lowest.high &&
           merger->turns[0].low == lowest.low) {
        kt_run_reader *reader = &merger->readers[merger->turns[0].reader];
        if (!add_cell(&sum, &reader->cell)) return kt_fail(error, KT_OVERFLOW, "an account's sum exceeds 128 bits");
        if (writer->with_lists) code = copy_list(reader, writer, &last, error);
        if (code == KT_OK) code = go_on(merger, error);
    }
    sum.last_number = last - base;
    return code == KT_OK ? kt_run_writer_cell(writer, &sum, error) : code;
}

kt_code kt_runs_merge(kt_merger *merger, kt_txn *txn, kt_run_tables tables, const kt_run sources[KT_RUN_FAN],
                      kt_run_writer *writer, kt_error *error) {
    unsigned opened = 0;
    kt_code code = KT_OK;
    merger->count = 0;
    for (; opened < KT_RUN_FAN && code == KT_OK; opened++) {
        code = kt_run_reader_open(&merger->readers[opened], txn, tables, &sources[opened], 0, error);
        if (code != KT_OK) break;
        code = kt_run_reader_next(&merger->readers[opened], error);
        if (code == KT_OK) set_turn(merger, merger->count++, opened);
        else if (code == KT_END) code = KT_OK;
    }
    for (unsigned i = merger->count; i-- != 0;) sink(merger, i);
    while (code == KT_OK && merger->count != 0) code = merge_cell(merger, writer, error);
    for (unsigned i = 0; i < opened; i++) kt_run_reader_close(&merger->readers[i]);
    return code == KT_OK ? kt_run_writer_finish(writer, error) : code;
}
