#include "storage/runs.h"

#include <stdlib.h>

#include "storage/merge.h"

#define AHEAD 8u /* postings that memory is told to bring before they are met */

/* A posting as it is gathered: 32 bytes in the order of arrival. */
struct posting {
    uint32_t account, dimensions;
    int32_t month;
    uint32_t number; /* counted from the block's first posting */
    uint32_t line;
    uint16_t currency;
    uint8_t day, flags;
    union {
        int64_t amount;
        uint64_t wide; /* with WIDE: index of amount and book in full */
    };
};

enum { MINUS = 1, OWN_BOOK = 2, UNVALUED = 4, WIDE = 8 };

_Static_assert(sizeof(struct posting) == 32, "half a cache line");

struct wide {
    kt_int128 amount, book;
};

/* The postings of one block. */
struct gathered {
    struct posting *postings;
    struct wide *wides;
    uint32_t count, room, wide_count, wide_room;
    uint64_t first_number;
    /* Their run, once it is drafted. */
    bool drafted;
    kt_run run;
    kt_run_draft draft;
    kt_code code;
    kt_error error;
};

struct kt_runs {
    kt_run_tables tables;
    /* Whoever adds fills one; whoever writes empties the oldest. They meet when a block is turned over, by the hand that
       gives the block on. */
    struct gathered turns[KT_RUN_TURNS + 1];
    unsigned filling, drafting, emptying;
    /* Whoever drafts has these. */
    uint64_t *order, *order2; /* for sorting */
    uint32_t order_room;
    kt_run_writer drafter;
    /* The manifest as of this batch, and runs merged away that the head still lists. */
    bool loaded;
    uint64_t next_sequence;
    kt_run *runs;
    uint32_t run_count, run_room;
    uint64_t *gone;
    uint32_t gone_count, gone_room;
    kt_run_writer writer;
    kt_merger merger; /* one of its readers serves sums too */
};

static kt_code no_memory(kt_error *error) { return kt_fail(error, KT_MEMORY, "out of memory for sums"); }

kt_code kt_runs_open(kt_run_tables tables, kt_runs **out, kt_error *error) {
    kt_runs *runs = calloc(1, sizeof *runs);
    *out = runs;
    if (runs == NULL) return no_memory(error);
    runs->tables = tables;
    return KT_OK;
}

void kt_runs_close(kt_runs *runs) {
    if (runs == NULL) return;
    for (unsigned i = 0; i <= KT_RUN_TURNS; i++) {
        free(runs->turns[i].postings);
        free(runs->turns[i].wides);
        free(runs->turns[i].draft.bytes);
    }
    free(runs->order);
    free(runs->order2);
    free(runs->runs);
    free(runs->gone);
    free(runs);
}

static void empty(struct gathered *gathered) {
    gathered->count = gathered->wide_count = 0;
    gathered->drafted = false;
}

void kt_runs_drop(kt_runs *runs) { empty(&runs->turns[runs->filling]); }

void kt_runs_turn(kt_runs *runs) { runs->filling = (runs->filling + 1) % (KT_RUN_TURNS + 1); }

void kt_runs_forget(kt_runs *runs) {
    for (unsigned i = 0; i <= KT_RUN_TURNS; i++) empty(&runs->turns[i]);
    runs->filling = runs->drafting = runs->emptying = 0;
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

static bool add_wide(struct gathered *to, struct posting *posting, const kt_run_item *item) {
    if (!grow((void **)&to->wides, to->wide_count, &to->wide_room, sizeof *to->wides)) return false;
    posting->flags |= WIDE;
    posting->wide = to->wide_count;
    to->wides[to->wide_count++] = (struct wide){item->amount, item->book};
    return true;
}

kt_code kt_runs_add(kt_runs *runs, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    struct gathered *to = &runs->turns[runs->filling];
    if (!grow((void **)&to->postings, to->count, &to->room, sizeof *to->postings)) return no_memory(error);
    if (to->count == 0) to->first_number = item->number;
    struct posting *posting = &to->postings[to->count];
    posting->account = key->account;
    posting->dimensions = key->dimensions;
    posting->month = key->month;
    posting->number = (uint32_t)(item->number - to->first_number);
    posting->line = item->line;
    posting->currency = key->currency;
    posting->day = item->day;
    posting->flags = (uint8_t)((item->minus ? MINUS : 0) | (item->own_book ? OWN_BOOK : 0) |
                               (item->unvalued ? UNVALUED : 0));
    posting->amount = (int64_t)item->amount;
    if ((item->own_book || posting->amount != item->amount) && !add_wide(to, posting, item)) return no_memory(error);
    to->count++;
    return KT_OK;
}

static inline void restore(const struct gathered *from, const struct posting *posting, kt_run_item *item) {
    item->number = from->first_number + posting->number;
    item->line = posting->line;
    item->day = posting->day;
    item->minus = (posting->flags & MINUS) != 0;
    item->own_book = (posting->flags & OWN_BOOK) != 0;
    item->unvalued = (posting->flags & UNVALUED) != 0;
    if ((posting->flags & WIDE) == 0) item->amount = item->book = posting->amount;
    else {
        item->amount = from->wides[posting->wide].amount;
        item->book = from->wides[posting->wide].book;
    }
}

static inline kt_run_key key_of(const struct posting *posting) {
    return (kt_run_key){posting->account, posting->currency, posting->dimensions, posting->month};
}

static inline bool same_cell(const struct posting *a, const struct posting *b) {
    return a->account == b->account && a->month == b->month && a->dimensions == b->dimensions &&
           a->currency == b->currency;
}

/* ---- a block's run ---- */

/* A posting's key as two numbers, the account's the higher, in the order of keys. */
static inline uint64_t high_key(const struct posting *posting) {
    return (uint64_t)posting->account << 16 | posting->currency;
}

static inline uint64_t low_key(const struct posting *posting) {
    return (uint64_t)posting->dimensions << 32 | ((uint32_t)posting->month ^ 0x80000000u);
}

/* What is sorted: the index of a posting in the lowest bits and, where it fits, its key above. */
#define INDEX_BITS 20u
#define INDEX(word) ((uint32_t)(word) & ((1u << INDEX_BITS) - 1))

/* One pass over a byte of the words; stable, so passes from the lowest to the highest sort the whole. */
static void pass(const uint64_t *from, uint64_t *to, uint32_t count, unsigned shift) {
    uint32_t starts[256] = {0}, at = 0;
    for (uint32_t i = 0; i < count; i++) starts[from[i] >> shift & 0xff]++;
    for (unsigned v = 0; v < 256; v++) {
        uint32_t held = starts[v];
        starts[v] = at;
        at += held;
    }
    for (uint32_t i = 0; i < count; i++) to[starts[from[i] >> shift & 0xff]++] = from[i];
}

/* Sorts by those of `bits` in which the words differ. */
static void sort_words(kt_runs *runs, uint32_t count, uint64_t bits) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((bits >> shift & 0xff) == 0) continue;
        pass(runs->order, runs->order2, count, shift);
        uint64_t *swap = runs->order;
        runs->order = runs->order2;
        runs->order2 = swap;
    }
}

static bool order_room(kt_runs *runs, uint32_t count) {
    if (count <= runs->order_room) return true;
    uint64_t *a = realloc(runs->order, count * sizeof *a);
    if (a != NULL) runs->order = a;
    uint64_t *b = realloc(runs->order2, count * sizeof *b);
    if (b != NULL) runs->order2 = b;
    if (a == NULL || b == NULL) return false;
    runs->order_room = count;
    return true;
}

/* By 32 bits of the key at a time, the words being indices alone: any keys, and more passes. */
static void sort_wide(kt_runs *runs, const struct gathered *from, uint64_t high, uint64_t low) {
    const uint64_t differ[4] = {low & UINT32_MAX, low >> 32, high & UINT32_MAX, high >> 32};
    for (uint32_t i = 0; i < from->count; i++) runs->order[i] = i;
    for (unsigned part = 0; part < 4; part++) {
        if (differ[part] == 0) continue;
        for (uint32_t i = 0; i < from->count; i++) {
            const struct posting *posting = &from->postings[INDEX(runs->order[i])];
            uint64_t key = part < 2 ? low_key(posting) : high_key(posting);
            runs->order[i] = INDEX(runs->order[i]) | (key >> 32 * (part % 2) & UINT32_MAX) << INDEX_BITS;
        }
        sort_words(runs, from->count, differ[part] << INDEX_BITS);
    }
}

/* Where only accounts and a few months differ, as is common, a word holds both. */
static bool sort_postings(kt_runs *runs, const struct gathered *from) {
    const struct posting *head = &from->postings[0];
    uint64_t high = 0, low = 0, differ = 0;
    int32_t first = head->month;
    if (from->count > 1u << INDEX_BITS || !order_room(runs, from->count)) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        high |= high_key(&from->postings[i]) ^ high_key(head);
        low |= low_key(&from->postings[i]) ^ low_key(head);
        if (from->postings[i].month < first) first = from->postings[i].month;
    }
    if ((high & UINT16_MAX) != 0 || low >> 8 != 0) {
        sort_wide(runs, from, high, low);
        return true;
    }
    for (uint32_t i = 0; i < from->count; i++) {
        uint64_t key = (uint64_t)from->postings[i].account << 8 | (uint32_t)(from->postings[i].month - first);
        runs->order[i] = key << INDEX_BITS | i;
        differ |= runs->order[i] ^ runs->order[0];
    }
    sort_words(runs, from->count, differ >> INDEX_BITS << INDEX_BITS);
    return true;
}

/* Writes the cell that begins at `at` in the order of keys, its list first; *end is where the next one begins. */
static kt_code write_cell(kt_runs *runs, const struct gathered *from, uint32_t at, uint32_t *end, uint64_t first,
                          kt_error *error) {
    uint8_t buffer[4096], *out = buffer;
    const struct posting *head = &from->postings[INDEX(runs->order[at])];
    kt_run_cell cell = {.key = key_of(head)};
    kt_run_item item;
    uint64_t last = first;
    kt_code code = KT_OK;
    for (; at < from->count && code == KT_OK; at++) {
        if (at + AHEAD < from->count) __builtin_prefetch(&from->postings[INDEX(runs->order[at + AHEAD])]);
        const struct posting *posting = &from->postings[INDEX(runs->order[at])];
        if (!same_cell(posting, head)) break;
        restore(from, posting, &item);
        if (!kt_run_cell_add(&cell, &item)) return kt_fail(error, KT_OVERFLOW, "an account's sum exceeds 128 bits");
        out = kt_run_item_write(out, &item, item.number - last);
        last = item.number;
        if ((size_t)(out - buffer) <= sizeof buffer - KT_RUN_ITEM_MAX) continue;
        code = kt_run_writer_list(&runs->drafter, buffer, (size_t)(out - buffer), error);
        out = buffer;
    }
    *end = at;
    kt_run_cell_end(&cell);
    cell.last_number = last - first;
    if (code == KT_OK) code = kt_run_writer_list(&runs->drafter, buffer, (size_t)(out - buffer), error);
    return code == KT_OK ? kt_run_writer_cell(&runs->drafter, &cell, error) : code;
}

static kt_code add_run(kt_runs *runs, const kt_run *run, kt_error *error) {
    if (!grow((void **)&runs->runs, runs->run_count, &runs->run_room, sizeof *runs->runs)) return no_memory(error);
    runs->runs[runs->run_count++] = *run;
    return KT_OK;
}

static kt_code draft(kt_runs *runs, struct gathered *from, uint64_t first, uint64_t end, kt_error *error) {
    if (!sort_postings(runs, from)) return no_memory(error);
    from->draft.size = 0;
    /* A long entry begins in an earlier block; its number lies in this one, so `first` holds for all. */
    kt_run_writer_init(&runs->drafter, NULL, &from->draft, runs->tables, 0, 0, first, end, true);
    kt_code code = KT_OK;
    for (uint32_t at = 0; at < from->count && code == KT_OK;) code = write_cell(runs, from, at, &at, first, error);
    if (code == KT_OK) code = kt_run_writer_finish(&runs->drafter, error);
    from->run = runs->drafter.run;
    return code;
}

void kt_runs_draft(kt_runs *runs, uint64_t first, uint32_t count) {
    struct gathered *from = &runs->turns[runs->drafting];
    runs->drafting = (runs->drafting + 1) % (KT_RUN_TURNS + 1);
    if (from->count != 0) from->code = draft(runs, from, first, first + count, &from->error);
    from->drafted = true;
}

static kt_code write_block_run(kt_runs *runs, kt_txn *txn, struct gathered *from, kt_error *error) {
    if (from->code != KT_OK) {
        if (error != NULL) *error = from->error;
        return from->code;
    }
    from->run.sequence = runs->next_sequence++;
    kt_code code = kt_run_draft_write(&from->draft, txn, runs->tables, from->run.sequence, error);
    return code == KT_OK ? add_run(runs, &from->run, error) : code;
}

/* ---- merging ---- */

/* After a merge with lists the sixteen are gone; after one of sums alone they go on serving lists. */
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
    bool with_lists = true;
    uint64_t postings = 0;
    for (unsigned i = 0; i < KT_RUN_FAN; i++) {
        sources[i] = runs->runs[chosen[i]];
        postings += sources[i].postings;
        with_lists &= sources[i].lists;
    }
    with_lists &= postings <= KT_RUN_LISTS;
    kt_run_writer_init(&runs->writer, txn, NULL, runs->tables, runs->next_sequence++, (uint8_t)(sources[0].level + 1),
                       sources[0].first, sources[KT_RUN_FAN - 1].end, with_lists);
    kt_code code = kt_runs_merge(&runs->merger, txn, runs->tables, sources, &runs->writer, error);
    if (code == KT_OK) code = retire(runs, chosen, with_lists, error);
    return code == KT_OK ? add_run(runs, &runs->writer.run, error) : code;
}

/* The sixteen oldest runs of one level whose sums are in force; false: no level has that many. */
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
    struct gathered *from = &runs->turns[runs->emptying];
    kt_code code = KT_OK;
    if (!from->drafted) kt_runs_draft(runs, first, count);
    if (from->count != 0) {
        code = load_once(runs, txn, error);
        if (code == KT_OK) code = write_block_run(runs, txn, from, error);
        while (code == KT_OK && choose(runs, chosen)) code = merge(runs, txn, chosen, error);
    }
    empty(from);
    runs->emptying = (runs->emptying + 1) % (KT_RUN_TURNS + 1);
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
    kt_run_reader *reader = &runs->merger.readers[0];
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
    const struct gathered *filling = &runs->turns[runs->filling];
    for (uint32_t i = 0; i < filling->count && code == KT_OK; i++) {
        const struct posting *posting = &filling->postings[i];
        if (posting->account != account) continue;
        kt_run_cell one = {.key = key_of(posting)};
        kt_run_item item;
        restore(filling, posting, &item);
        (void)kt_run_cell_add(&one, &item); /* a single posting always fits */
        kt_run_cell_end(&one);
        code = cell(context, &one, error);
    }
    return code;
}
