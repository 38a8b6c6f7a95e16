#include "storage/merge.h"

/* ---- whose turn it is ---- */

_Static_assert((KT_RUN_FAN & (KT_RUN_FAN - 1)) == 0, "a tournament of a power of two");

#define NO_KEY UINT64_MAX /* above every key: the reader has no cells left */

static inline bool stands_before(const kt_merger *merger, unsigned a, unsigned b) {
    const struct kt_merge_key *x = &merger->keys[a], *y = &merger->keys[b];
    if (x->high != y->high) return x->high < y->high;
    if (x->low != y->low) return x->low < y->low;
    return a < b; /* lists follow one another in the order of the runs */
}

/* The reader has a new key: it plays its way up again. */
static inline void play(kt_merger *merger, unsigned reader) {
    unsigned winner = reader;
    for (unsigned game = (reader + KT_RUN_FAN) / 2; game != 0; game /= 2)
        if (stands_before(merger, merger->losers[game], winner)) {
            unsigned loser = winner;
            winner = merger->losers[game];
            merger->losers[game] = (uint8_t)loser;
        }
    merger->first = winner;
}

static void play_all(kt_merger *merger) {
    unsigned winners[2 * KT_RUN_FAN];
    for (unsigned i = 0; i < KT_RUN_FAN; i++) winners[KT_RUN_FAN + i] = i;
    for (unsigned game = KT_RUN_FAN - 1; game != 0; game--) {
        unsigned a = winners[2 * game], b = winners[2 * game + 1];
        bool first = stands_before(merger, a, b);
        winners[game] = first ? a : b;
        merger->losers[game] = (uint8_t)(first ? b : a);
    }
    merger->first = winners[1];
}

/* The reader's next cell, or none. */
static inline kt_code read_next(kt_merger *merger, unsigned reader, kt_error *error) {
    kt_code code = kt_run_reader_next(&merger->readers[reader], error);
    const kt_run_key *key = &merger->readers[reader].cell.key;
    if (code == KT_OK)
        merger->keys[reader] = (struct kt_merge_key){(uint64_t)key->account << 16 | key->currency,
                                                     (uint64_t)key->dimensions << 32 |
                                                         ((uint32_t)key->month ^ 0x80000000u)};
    else if (code == KT_END) {
        merger->keys[reader] = (struct kt_merge_key){NO_KEY, NO_KEY};
        code = KT_OK;
    }
    return code;
}

/* ---- cells ---- */

/* Copies what is left of a list from offset on. */
static kt_code copy_rest(kt_run_reader *from, kt_run_writer *to, uint64_t offset, uint64_t left, kt_error *error) {
    const uint8_t *bytes;
    size_t size;
    kt_code code = KT_OK;
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

/* Copies a cell's list; its first number, counted from its run's first record, comes to follow *last. */
static kt_code copy_list(kt_run_reader *from, kt_run_writer *to, uint64_t *last, kt_error *error) {
    uint64_t offset = from->cell.list_offset, left = from->cell.list_bytes, delta, before = *last;
    uint8_t head[KT_VARINT_MAX];
    if (left == 0) return KT_OK;
    *last = from->run->first + from->cell.last_number;
    /* Mostly it is short, lies in the piece at hand, and there is room for it. */
    const uint8_t *bytes = kt_run_reader_at_hand(from, offset, (size_t)left);
    if (bytes != NULL && left <= KT_RUN_LIST_SHORT && to->list_size + left + KT_VARINT_MAX <= sizeof to->list) {
        const uint8_t *rest = kt_get_varint(bytes, bytes + left, &delta);
        if (rest != NULL) {
            uint8_t *out = to->list + to->list_size, *end = kt_put_varint(out, from->run->first + delta - before);
            left -= (uint64_t)(rest - bytes);
            kt_bytes_copy(end, rest, (size_t)left);
            size_t size = (size_t)(end - out) + (size_t)left;
            to->list_size += size;
            to->run.list_bytes += size;
            return KT_OK;
        }
    }
    kt_code code = kt_run_reader_number(from, &offset, &delta, error);
    if (code != KT_OK) return code;
    left -= offset - from->cell.list_offset;
    code = kt_run_writer_list(to, head, (size_t)(kt_put_varint(head, from->run->first + delta - before) - head), error);
    return code == KT_OK ? copy_rest(from, to, offset, left, error) : code;
}

static inline bool add_cell(kt_run_cell *sum, const kt_run_cell *cell) {
    sum->count += cell->count;
    sum->unvalued += cell->unvalued;
    sum->own_book |= cell->own_book;
    return kt_run_add(&sum->debit, cell->debit) && kt_run_add(&sum->credit, cell->credit) &&
           kt_run_add(&sum->book_debit, cell->book_debit) && kt_run_add(&sum->book_credit, cell->book_credit);
}

/* One cell out of those that carry the lowest key. */
static kt_code merge_cell(kt_merger *merger, kt_run_writer *writer, kt_error *error) {
    const struct kt_merge_key lowest = merger->keys[merger->first];
    kt_run_cell sum = {.key = merger->readers[merger->first].cell.key};
    uint64_t base = writer->run.first, last = base;
    kt_code code = KT_OK;
    do {
        kt_run_reader *reader = &merger->readers[merger->first];
        if (!add_cell(&sum, &reader->cell)) return kt_fail(error, KT_OVERFLOW, "an account's sum exceeds 128 bits");
        if (writer->with_lists) code = copy_list(reader, writer, &last, error);
        if (code == KT_OK) code = read_next(merger, merger->first, error);
        if (code == KT_OK) play(merger, merger->first);
    } while (code == KT_OK && merger->keys[merger->first].high == lowest.high &&
             merger->keys[merger->first].low == lowest.low);
    sum.last_number = writer->with_lists ? last - base : 0;
    return code == KT_OK ? kt_run_writer_cell(writer, &sum, error) : code;
}

kt_code kt_runs_merge(kt_merger *merger, kt_txn *txn, kt_run_tables tables, const kt_run sources[KT_RUN_FAN],
                      kt_run_writer *writer, kt_error *error) {
    unsigned opened = 0;
    kt_code code = KT_OK;
    for (; opened < KT_RUN_FAN && code == KT_OK; opened++) {
        code = kt_run_reader_open(&merger->readers[opened], txn, tables, &sources[opened], 0, error);
        if (code != KT_OK) break;
        code = read_next(merger, opened, error);
    }
    if (code == KT_OK) play_all(merger);
    while (code == KT_OK && merger->keys[merger->first].high != NO_KEY) code = merge_cell(merger, writer, error);
    for (unsigned i = 0; i < opened; i++) kt_run_reader_close(&merger->readers[i]);
    return code == KT_OK ? kt_run_writer_finish(writer, error) : code;
}
