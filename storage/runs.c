#include "storage/runs.h"

#include <stdlib.h>

#include "storage/run.h"

#define NONE UINT32_MAX

struct gathered_cell {
    kt_run_cell cell;      /* its last_number is the whole number of the last posting, until it is written */
    uint64_t first_number; /* of the first posting: the run's first record, which it counts from, comes later */
    uint32_t first_item, last_item; /* offsets into the arena: a chain in the order of arrival */
};

/* A posting in the arena: offset of the next of its cell (4 bytes), its size (1 byte), and its bytes as the list has
   them, but for the first of a cell, whose number is still to come. */
#define ITEM_HEAD 5u

struct kt_runs {
    kt_run_tables tables;
    /* Gathered for the block being filled. */
    struct gathered_cell *cells;
    uint8_t *arena;
    uint32_t cell_count, cell_room, arena_size, arena_room;
    uint32_t *slots; /* open addressing: index into cells, NONE: free */
    uint32_t slot_count;
    uint32_t *order, *order2; /* for sorting */
    /* The manifest as of this batch, and runs merged away that the head still lists. */
    bool loaded;
    uint64_t next_sequence;
    kt_run *runs;
    uint32_t run_count, run_room;
    uint64_t *gone;
    uint32_t gone_count, gone_room;
    kt_run_writer writer;
    kt_run_reader readers[KT_RUN_FAN];
};

static kt_code no_memory(kt_error *error) { return kt_fail(error, KT_MEMORY, "out of memory for sums"); }

kt_code kt_runs_open(kt_run_tables tables, kt_runs **out, kt_error *error) {
    kt_runs *runs = calloc(1, sizeof *runs);
    *out = NULL;
    if (runs == NULL) return no_memory(error);
    runs->tables = tables;
    runs->slot_count = 1 << 12;
    runs->slots = malloc(runs->slot_count * sizeof *runs->slots);
    if (runs->slots == NULL) {
        free(runs);
        return no_memory(error);
    }
    memset(runs->slots, 0xff, runs->slot_count * sizeof *runs->slots);
    *out = runs;
    return KT_OK;
}

void kt_runs_close(kt_runs *runs) {
    if (runs == NULL) return;
    free(runs->cells);
    free(runs->arena);
    free(runs->slots);
    free(runs->order);
    free(runs->order2);
    free(runs->runs);
    free(runs->gone);
    free(runs);
}

static void forget_block(kt_runs *runs) {
    if (runs->cell_count != 0) memset(runs->slots, 0xff, runs->slot_count * sizeof *runs->slots);
    runs->cell_count = runs->arena_size = 0;
}

void kt_runs_drop(kt_runs *runs) { forget_block(runs); }

void kt_runs_forget(kt_runs *runs) {
    forget_block(runs);
    runs->loaded = false;
    runs->run_count = runs->gone_count = 0;
}

/* Makes room for one more element; false: out of memory. */
static bool grow(void **array, uint32_t count, uint32_t *room, size_t size) {
    if (count < *room) return true;
    uint32_t wanted = *room == 0 ? 1024 : *room * 2;
    void *grown = wanted > *room ? realloc(*array, wanted * size) : NULL;
    if (grown == NULL) return false;
    *array = grown;
    *room = wanted;
    return true;
}

/* ---- gathering ---- */

static inline uint32_t hash_key(const kt_run_key *key) {
    uint64_t h = ((uint64_t)key->account << 32 | (uint32_t)key->month) * 0x9e3779b97f4a7c15ull;
    h ^= ((uint64_t)key->dimensions << 16 | key->currency) * 0xc2b2ae3d27d4eb4full;
    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

static bool rehash(kt_runs *runs) {
    uint32_t count = runs->slot_count * 2;
    uint32_t *slots = count > runs->slot_count ? malloc(count * sizeof *slots) : NULL;
    if (slots == NULL) return false;
    memset(slots, 0xff, count * sizeof *slots);
    for (uint32_t i = 0; i < runs->cell_count; i++) {
        uint32_t at = hash_key(&runs->cells[i].cell.key) & (count - 1);
        while (slots[at] != NONE) at = (at + 1) & (count - 1);
        slots[at] = i;
    }
    free(runs->slots);
    runs->slots = slots;
    runs->slot_count = count;
    return true;
}

static struct gathered_cell *find_cell(kt_runs *runs, const kt_run_key *key) {
    uint32_t mask = runs->slot_count - 1, at = hash_key(key) & mask;
    while (runs->slots[at] != NONE) {
        struct gathered_cell *cell = &runs->cells[runs->slots[at]];
        if (kt_run_key_compare(&cell->cell.key, key) == 0) return cell;
        at = (at + 1) & mask;
    }
    if (runs->cell_count * 2 >= runs->slot_count) {
        if (!rehash(runs)) return NULL;
        return find_cell(runs, key);
    }
    if (!grow((void **)&runs->cells, runs->cell_count, &runs->cell_room, sizeof *runs->cells)) return NULL;
    runs->slots[at] = runs->cell_count;
    struct gathered_cell *cell = &runs->cells[runs->cell_count++];
    *cell = (struct gathered_cell){.cell = {.key = *key}, .first_item = NONE, .last_item = NONE};
    return cell;
}

/* The cell found last was new and holds nothing: as if it had not been asked for. */
static void forget_cell(kt_runs *runs) {
    uint32_t last = runs->cell_count - 1, at = 0;
    while (runs->slots[at] != last) at++;
    runs->slots[at] = NONE; /* the newest stands at the end of its chain, so no other is cut off */
    runs->cell_count = last;
}

static bool add_to(kt_int128 *sum, kt_int128 amount) { return !__builtin_add_overflow(*sum, amount, sum); }

static bool take_from(kt_int128 *sum, kt_int128 amount) { return !__builtin_sub_overflow(*sum, amount, sum); }

/* LAW 8: a sum that does not fit 128 bits is refused, not wrapped. */
static bool add_columns(kt_run_cell *cell, const kt_run_item *item) {
    bool debit = (item->amount > 0) != item->minus;
    if (!(debit ? add_to(&cell->debit, item->amount) : take_from(&cell->credit, item->amount))) return false;
    kt_int128 book = item->own_book ? (item->unvalued ? 0 : item->book) : item->amount;
    if (!(debit ? add_to(&cell->book_debit, book) : take_from(&cell->book_credit, book))) return false;
    cell->count++;
    if (item->own_book) {
        cell->own_book = true;
        cell->unvalued += item->unvalued ? 1 : 0;
    }
    return true;
}

/* Appends the posting's bytes to its cell's chain. */
static void chain(kt_runs *runs, struct gathered_cell *cell, const kt_run_item *item) {
    uint32_t offset = runs->arena_size;
    uint8_t *head = runs->arena + offset, *at = head + ITEM_HEAD;
    if (cell->first_item == NONE) {
        cell->first_item = offset;
        cell->first_number = item->number;
        at = kt_run_item_write_rest(at, item);
    } else {
        kt_put_le32(runs->arena + cell->last_item, offset);
        at = kt_run_item_write(at, item, item->number - cell->cell.last_number);
    }
    kt_put_le32(head, NONE);
    head[4] = (uint8_t)(at - head - ITEM_HEAD);
    cell->last_item = offset;
    cell->cell.last_number = item->number;
    runs->arena_size += (uint32_t)(at - head);
}

kt_code kt_runs_add(kt_runs *runs, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    if (runs->arena_room - runs->arena_size < ITEM_HEAD + KT_RUN_ITEM_MAX) {
        uint32_t room = runs->arena_room == 0 ? 1u << 18 : runs->arena_room * 2;
        uint8_t *grown = room > runs->arena_room ? realloc(runs->arena, room) : NULL;
        if (grown == NULL) return no_memory(error);
        runs->arena = grown;
        runs->arena_room = room;
    }
    struct gathered_cell *cell = find_cell(runs, key);
    if (cell == NULL) return no_memory(error);
    kt_run_cell before = cell->cell;
    if (!add_columns(&cell->cell, item)) {
        cell->cell = before;
        if (cell->first_item == NONE) forget_cell(runs); /* it was made for this one */
        return kt_fail(error, KT_OVERFLOW, "an account's sum exceeds 128 bits");
    }
    chain(runs, cell, item);
    return KT_OK;
}

/* ---- a block's run ---- */

/* Sorts cell indices by one byte of the key; stable, so passes from the last byte to the first sort the whole. */
static inline uint8_t key_byte(const kt_run_key *key, unsigned byte) {
    if (byte < 4) return (uint8_t)(((uint32_t)key->month ^ 0x80000000u) >> (8 * byte));
    if (byte < 8) return (uint8_t)(key->dimensions >> (8 * (byte - 4)));
    if (byte < 10) return (uint8_t)(key->currency >> (8 * (byte - 8)));
    return (uint8_t)(key->account >> (8 * (byte - 10)));
}

static bool sort_cells(kt_runs *runs) {
    uint32_t n = runs->cell_count;
    uint32_t *a = realloc(runs->order, (n + 1) * sizeof *a);
    if (a != NULL) runs->order = a;
    uint32_t *b = realloc(runs->order2, (n + 1) * sizeof *b);
    if (b != NULL) runs->order2 = b;
    if (a == NULL || b == NULL) return false;
    for (uint32_t i = 0; i < n; i++) a[i] = i;
    for (unsigned byte = 0; byte < 14; byte++) {
        uint32_t counts[257] = {0};
        for (uint32_t i = 0; i < n; i++) counts[key_byte(&runs->cells[i].cell.key, byte) + 1]++;
        bool constant = false;
        for (unsigned v = 1; v <= 256; v++) constant |= counts[v] == n;
        if (constant) continue;
        for (unsigned v = 1; v <= 256; v++) counts[v] += counts[v - 1];
        for (uint32_t i = 0; i < n; i++) b[counts[key_byte(&runs->cells[a[i]].cell.key, byte)]++] = a[i];
        uint32_t *swap = a;
        a = b;
        b = swap;
    }
    runs->order = a;
    runs->order2 = b;
    return true;
}

static kt_code write_list(kt_runs *runs, struct gathered_cell *cell, uint64_t first, kt_error *error) {
    uint8_t buffer[4096], *at = kt_put_varint(buffer, cell->first_number - first);
    kt_code code = KT_OK;
    for (uint32_t item = cell->first_item; item != NONE && code == KT_OK; item = kt_get_le32(runs->arena + item)) {
        uint8_t size = runs->arena[item + 4];
        memcpy(at, runs->arena + item + ITEM_HEAD, size);
        at += size;
        if ((size_t)(at - buffer) > sizeof buffer - KT_RUN_ITEM_MAX) {
            code = kt_run_writer_list(&runs->writer, buffer, (size_t)(at - buffer), error);
            at = buffer;
        }
    }
    cell->cell.last_number -= first;
    return code == KT_OK ? kt_run_writer_list(&runs->writer, buffer, (size_t)(at - buffer), error) : code;
}

static kt_code add_run(kt_runs *runs, const kt_run *run, kt_error *error) {
    if (!grow((void **)&runs->runs, runs->run_count, &runs->run_room, sizeof *runs->runs)) return no_memory(error);
    runs->runs[runs->run_count++] = *run;
    return KT_OK;
}

static kt_code write_block_run(kt_runs *runs, kt_txn *txn, uint64_t first, uint64_t end, kt_error *error) {
    if (!sort_cells(runs)) return no_memory(error);
    /* A long entry begins in an earlier block; its number lies in this one, so `first` holds for all. */
    kt_run_writer_init(&runs->writer, txn, runs->tables, runs->next_sequence++, 0, first, end, true);
    kt_code code = KT_OK;
    for (uint32_t i = 0; i < runs->cell_count && code == KT_OK; i++) {
        struct gathered_cell *cell = &runs->cells[runs->order[i]];
        code = write_list(runs, cell, first, error);
        if (code == KT_OK) code = kt_run_writer_cell(&runs->writer, &cell->cell, error);
    }
    if (code == KT_OK) code = kt_run_writer_finish(&runs->writer, error);
    return code == KT_OK ? add_run(runs, &runs->writer.run, error) : code;
}

/* ---- merging ---- */

/* Copies a cell's list; its first number, counted from its run's first record, comes to follow *last. */
static kt_code copy_list(kt_run_reader *from, kt_run_writer *to, uint64_t *last, kt_error *error) {
    uint8_t buffer[8192 + KT_VARINT_MAX];
    uint64_t offset = from->cell.list_offset, left = from->cell.list_bytes, delta;
    size_t size;
    if (left == 0) return KT_OK;
    kt_code code = kt_run_reader_list(from, offset, buffer, left < 8192 ? (size_t)left : 8192, &size, error);
    if (code != KT_OK) return code;
    const uint8_t *rest = kt_get_varint(buffer, buffer + size, &delta);
    uint8_t head[KT_VARINT_MAX];
    if (rest == NULL)
        return kt_fail(error, KT_DAMAGED, "run %llu: a list is malformed", (unsigned long long)from->run->sequence);
    uint64_t number = from->run->first + delta;
    uint8_t *end = kt_put_varint(head, number - *last);
    *last = from->run->first + from->cell.last_number;
    code = kt_run_writer_list(to, head, (size_t)(end - head), error);
    if (code == KT_OK) code = kt_run_writer_list(to, rest, size - (size_t)(rest - buffer), error);
    for (offset += size, left -= size; left != 0 && code == KT_OK; offset += size, left -= size) {
        code = kt_run_reader_list(from, offset, buffer, left < 8192 ? (size_t)left : 8192, &size, error);
        if (code == KT_OK && size == 0) code = kt_fail(error, KT_DAMAGED, "a list ends early");
        if (code == KT_OK) code = kt_run_writer_list(to, buffer, size, error);
    }
    return code;
}

static bool add_cell(kt_run_cell *sum, const kt_run_cell *cell) {
    sum->count += cell->count;
    sum->unvalued += cell->unvalued;
    sum->own_book |= cell->own_book;
    return add_to(&sum->debit, cell->debit) && add_to(&sum->credit, cell->credit) &&
           add_to(&sum->book_debit, cell->book_debit) && add_to(&sum->book_credit, cell->book_credit);
}

/* One cell out of those that carry the lowest key. */
static kt_code merge_cell(kt_runs *runs, bool *live, const kt_run_key *lowest, kt_error *error) {
    kt_run_cell sum = {.key = *lowest};
    uint64_t base = runs->writer.run.first, last = base;
    kt_code code = KT_OK;
    for (unsigned i = 0; i < KT_RUN_FAN && code == KT_OK; i++) {
        kt_run_reader *reader = &runs->readers[i];
        if (!live[i] || kt_run_key_compare(&reader->cell.key, lowest) != 0) continue;
        if (!add_cell(&sum, &reader->cell)) return kt_fail(error, KT_OVERFLOW, "an account's sum exceeds 128 bits");
        if (runs->writer.with_lists) code = copy_list(reader, &runs->writer, &last, error);
        if (code == KT_OK) code = kt_run_reader_next(reader, error);
        if (code == KT_END) {
            live[i] = false;
            code = KT_OK;
        }
    }
    sum.last_number = last - base;
    return code == KT_OK ? kt_run_writer_cell(&runs->writer, &sum, error) : code;
}

static kt_code merge_cells(kt_runs *runs, bool *live, kt_error *error) {
    for (;;) {
        const kt_run_key *lowest = NULL;
        for (unsigned i = 0; i < KT_RUN_FAN; i++)
            if (live[i] && (lowest == NULL || kt_run_key_compare(&runs->readers[i].cell.key, lowest) < 0))
                lowest = &runs->readers[i].cell.key;
        if (lowest == NULL) return kt_run_writer_finish(&runs->writer, error);
        kt_run_key key = *lowest;
        kt_code code = merge_cell(runs, live, &key, error);
        if (code != KT_OK) return code;
    }
}

/* After a merge with lists the eight are gone; after one of sums alone they go on serving lists. */
static kt_code retire(kt_runs *runs, const uint32_t *chosen, bool with_lists, kt_error *error) {
    uint32_t kept = 0, next = 0;
    for (uint32_t i = 0; i < runs->run_count; i++) {
        kt_run run = runs->runs[i];
        if (next < KT_RUN_FAN && chosen[next] == i) {
            next++;
            run.sums = false;
            if (with_lists || !run.lists) {
                if (!grow((void **)&runs->gone, runs->gone_count, &runs->gone_room, sizeof *runs->gone))
                    return no_memory(error);
                runs->gone[runs->gone_count++] = run.sequence;
                continue;
            }
        }
        runs->runs[kept++] = run;
    }
    runs->run_count = kept;
    return KT_OK;
}

static kt_code merge(kt_runs *runs, kt_txn *txn, const uint32_t *chosen, kt_error *error) {
    kt_run sources[KT_RUN_FAN];
    bool live[KT_RUN_FAN] = {false}, with_lists = true;
    uint64_t postings = 0;
    unsigned opened = 0;
    kt_code code = KT_OK;
    for (unsigned i = 0; i < KT_RUN_FAN; i++) {
        sources[i] = runs->runs[chosen[i]];
        postings += sources[i].postings;
        with_lists &= sources[i].lists;
    }
    with_lists &= postings <= KT_RUN_LISTS;
    kt_run_writer_init(&runs->writer, txn, runs->tables, runs->next_sequence++, (uint8_t)(sources[0].level + 1),
                       sources[0].first, sources[KT_RUN_FAN - 1].end, with_lists);
    for (; opened < KT_RUN_FAN && code == KT_OK; opened++) {
        code = kt_run_reader_open(&runs->readers[opened], txn, runs->tables, &sources[opened], 0, error);
        if (code != KT_OK) break;
        code = kt_run_reader_next(&runs->readers[opened], error);
        live[opened] = code == KT_OK;
        if (code == KT_END) code = KT_OK;
    }
    if (code == KT_OK) code = merge_cells(runs, live, error);
    for (unsigned i = 0; i < opened; i++) kt_run_reader_close(&runs->readers[i]);
    if (code == KT_OK) code = retire(runs, chosen, with_lists, error);
    return code == KT_OK ? add_run(runs, &runs->writer.run, error) : code;
}

/* The eight oldest runs of one level whose sums are in force; false: no level has that many. */
static bool choose(const kt_runs *runs, uint32_t *chosen) {
    for (unsigned level = 0; level < 32; level++) {
        unsigned count = 0;
        for (uint32_t i = 0; i < runs->run_count && count < KT_RUN_FAN; i++)
            if (runs->runs[i].level == level && runs->runs[i].sums) chosen[count++] = i;
        if (count == KT_RUN_FAN) return true;
    }
    return false;
}

/* ---- the manifest ---- */

static kt_span manifest_key(void) { return kt_span_of("manifest", 8); }

kt_code kt_run_manifest(kt_txn *txn, kt_run_tables tables, kt_run **runs, uint32_t *count, uint64_t *next_sequence,
                        kt_error *error) {
    kt_span value;
    *count = 0;
    *next_sequence = 1;
    kt_code code = kt_txn_get(txn, tables.manifest, manifest_key(), &value, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code != KT_OK) return code;
    if (value.size < 8 || (value.size - 8) % KT_RUN_LINE != 0)
        return kt_fail(error, KT_DAMAGED, "the manifest of runs is malformed");
    *next_sequence = kt_get_le64(value.data);
    uint32_t lines = (uint32_t)((value.size - 8) / KT_RUN_LINE);
    kt_run *read = realloc(*runs, (lines + 1) * sizeof *read);
    if (read == NULL) return no_memory(error);
    for (uint32_t i = 0; i < lines; i++) kt_run_read(value.data + 8 + (size_t)i * KT_RUN_LINE, &read[i]);
    *runs = read;
    *count = lines;
    return KT_OK;
}

static kt_code load_once(kt_runs *runs, kt_txn *txn, kt_error *error) {
    if (runs->loaded) return KT_OK;
    kt_code code = kt_run_manifest(txn, runs->tables, &runs->runs, &runs->run_count, &runs->next_sequence, error);
    if (code == KT_OK) runs->run_room = runs->runs == NULL ? 0 : runs->run_count + 1;
    runs->loaded = code == KT_OK;
    return code;
}

kt_code kt_runs_block(kt_runs *runs, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error) {
    uint32_t chosen[KT_RUN_FAN];
    if (runs->cell_count == 0) return KT_OK;
    kt_code code = load_once(runs, txn, error);
    if (code == KT_OK) code = write_block_run(runs, txn, first, first + count, error);
    while (code == KT_OK && choose(runs, chosen)) code = merge(runs, txn, chosen, error);
    forget_block(runs);
    return code;
}

kt_code kt_runs_seal(kt_runs *runs, kt_txn *txn, kt_error *error) {
    if (!runs->loaded || runs->next_sequence == 1) return KT_OK; /* nothing was added, or ever was */
    size_t size = 8 + (size_t)runs->run_count * KT_RUN_LINE;
    uint8_t *value = malloc(size);
    if (value == NULL) return no_memory(error);
    kt_put_le64(value, runs->next_sequence);
    for (uint32_t i = 0; i < runs->run_count; i++) kt_run_write(&runs->runs[i], value + 8 + (size_t)i * KT_RUN_LINE);
    kt_code code = kt_txn_put(txn, runs->tables.manifest, manifest_key(), kt_span_of(value, size), error);
    free(value);
    for (uint32_t i = 0; i < runs->gone_count && code == KT_OK; i++)
        code = kt_run_drop(txn, runs->tables, runs->gone[i], error);
    runs->gone_count = 0;
    return code;
}

/* Every run that the manifest does not list came from a batch that was broken off, and has a sequence at or above
   the manifest's next. */
kt_code kt_runs_recover(kt_txn *txn, kt_run_tables tables, kt_error *error) {
    kt_run *runs = NULL;
    uint32_t count;
    uint64_t next;
    kt_code code = kt_run_manifest(txn, tables, &runs, &count, &next, error);
    free(runs);
    const kt_table both[2] = {tables.cells, tables.lists};
    for (unsigned i = 0; i < 2 && code == KT_OK; i++) {
        kt_cursor *cursor;
        kt_span key, value;
        code = kt_cursor_open(txn, both[i], &cursor, error);
        if (code != KT_OK) break;
        kt_cursor_raw(cursor, true);
        while ((code = kt_cursor_last(cursor, &key, &value, error)) == KT_OK && kt_get_be64(key.data) >= next) {
            code = kt_cursor_delete(cursor, error);
            if (code != KT_OK) break;
        }
        kt_cursor_close(cursor);
        if (code == KT_END) code = KT_OK;
    }
    return code;
}

kt_code kt_runs_count(kt_txn *txn, kt_run_tables tables, uint64_t *runs, uint64_t *postings, kt_error *error) {
    kt_run *list = NULL;
    uint32_t count;
    uint64_t next;
    kt_code code = kt_run_manifest(txn, tables, &list, &count, &next, error);
    *runs = count;
    *postings = 0;
    for (uint32_t i = 0; i < count && code == KT_OK; i++)
        if (list[i].sums) *postings += list[i].postings;
    free(list);
    return code;
}

static kt_code run_sums(kt_runs *runs, kt_txn *txn, const kt_run *run, uint32_t account,
                        kt_code (*cell)(void *context, const kt_run_cell *cell, kt_error *error), void *context,
                        kt_error *error) {
    kt_run_reader *reader = &runs->readers[0];
    kt_code code = kt_run_reader_open(reader, txn, runs->tables, run, account, error);
    if (code != KT_OK) return code;
    while ((code = kt_run_reader_next(reader, error)) == KT_OK && reader->cell.key.account <= account) {
        if (reader->cell.key.account == account) code = cell(context, &reader->cell, error);
        if (code != KT_OK) break;
    }
    kt_run_reader_close(reader);
    return code == KT_END ? KT_OK : code;
}

/* The manifest in memory, not the stored one: it lists the open batch's runs too. */
kt_code kt_runs_sums(kt_runs *runs, kt_txn *txn, uint32_t account,
                     kt_code (*cell)(void *context, const kt_run_cell *cell, kt_error *error), void *context,
                     kt_error *error) {
    kt_code code = load_once(runs, txn, error);
    for (uint32_t i = 0; i < runs->run_count && code == KT_OK; i++)
        if (runs->runs[i].sums) code = run_sums(runs, txn, &runs->runs[i], account, cell, context, error);
    for (uint32_t i = 0; i < runs->cell_count && code == KT_OK; i++)
        if (runs->cells[i].cell.key.account == account) code = cell(context, &runs->cells[i].cell, error);
    return code;
}
