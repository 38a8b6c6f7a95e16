/* Verification over threads: with any number of them the same is counted, and the same is found in the same order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tables.h"
#include "storage/block.h"
#include "storage/records.h"
#include "storage/tree.h"
#include "tests/bookkeeping.h"
#include "tests/storing.h"

#define ENTRIES 30000u
#define BLOCKS_MAX 100u

static const unsigned many[] = {1, 2, 3, 8};
enum { MANY = sizeof many / sizeof *many };

static uint8_t *bytes; /* of the book's file */
static size_t size;
static char *middle; /* a checkpoint within a tile */
static size_t middle_size;

/* Places in the file: of each block's value, and of one record in it. */
static struct place {
    size_t block, record;
    uint64_t number;
} places[BLOCKS_MAX];
static uint32_t place_count;

/* ---- a book of many blocks, large ones and small ones ---- */

static kt_code add_one(kt_batch *batch, uint64_t i) {
    char voucher[24];
    kt_line lines[2] = {{.account = KT_STR("1000"), .amount = (kt_amount)(1 + i)},
                        {.account = KT_STR("4000"), .amount = -(kt_amount)(1 + i)}};
    (void)snprintf(voucher, sizeof voucher, "N%llu", (unsigned long long)i);
    kt_entry entry = {.date = day("2026-01-01") + (kt_day)(i / 100),
                      .voucher = kt_str_from(voucher),
                      .lines = lines,
                      .line_count = 2};
    return kt_batch_add(batch, &entry, NULL, &said);
}

static kt_code add_long(kt_batch *batch) {
    enum { LINES = 9000 };
    kt_line *lines = calloc(LINES, sizeof *lines);
    for (size_t i = 0; lines && i < LINES; i++)
        lines[i] = (kt_line){.account = KT_STR("1000"), .amount = i % 2 ? -7 : 7, .text = KT_STR("one of many lines")};
    kt_entry entry = {.date = day("2026-01-01"), .lines = lines, .line_count = LINES};
    kt_code code = lines ? kt_batch_add(batch, &entry, NULL, &said) : KT_MEMORY;
    free(lines);
    return code;
}

static void fill(uint64_t *random) {
    kt_book *book = make_book("book");
    kt_code code = KT_OK;
    for (uint64_t i = 0; i < ENTRIES && code == KT_OK;) {
        uint64_t count = pick(random, 24) == 0 ? 1 + pick(random, 12000) : 1 + pick(random, 4);
        if (i == 0) count = 8192;
        kt_batch *batch = begin(book);
        for (; count != 0 && i < ENTRIES && code == KT_OK; count--) code = add_one(batch, i++);
        if (code == KT_OK && i % 5 == 0) code = add_long(batch);
        if (code == KT_OK) code = kt_batch_commit(batch, &receipt, &said);
        if (middle || i < ENTRIES / 3 || (receipt.last + 1) % KT_TILE_WIDTH == 0) continue;
        kt_view *view = view_of(book);
        (void)kt_view_checkpoint(view, &middle, &middle_size, &said);
        kt_view_close(view);
    }
    is_code(code, KT_OK, "a book is filled (%s)", code == KT_OK ? "" : said.text);
    kt_book_close(book);
}

static void read_file(void) {
    FILE *in = fopen(path_of("book/data.mdb"), "rb");
    if (in && fseek(in, 0, SEEK_END) == 0) {
        size = (size_t)ftell(in);
        rewind(in);
        bytes = malloc(size + 1);
        size = bytes ? fread(bytes, 1, size, in) : 0;
    }
    if (in) fclose(in);
}

static void find_places(uint64_t *random) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_cursor *cursor = NULL;
    kt_span key, value, record;
    kt_code code = kt_store_open(path_of("book"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, false, &txn, &said);
    if (code == KT_OK) code = kt_cursor_open(txn, KT_TABLE_BLOCKS, &cursor, &said);
    if (code == KT_OK) kt_cursor_raw(cursor, true);
    for (kt_code moved = code == KT_OK ? kt_cursor_first(cursor, &key, &value, &said) : KT_END;
         moved == KT_OK && place_count < BLOCKS_MAX; moved = kt_cursor_next(cursor, &key, &value, &said)) {
        kt_block_view block;
        size_t begin = storing_place(value, "/book/data.mdb", bytes, size);
        if (begin == SIZE_MAX || kt_block_open(KT_TABLE_BLOCKS, key, value, &block, &said) != KT_OK) continue;
        uint32_t index = (uint32_t)pick(random, block.count);
        if (kt_block_record(&block, index, &record, &said) != KT_OK) continue;
        size_t offset = (size_t)(record.data - value.data) + pick(random, record.size);
        places[place_count++] = (struct place){begin, begin + offset, block.first + index};
    }
    kt_cursor_close(cursor);
    kt_txn_abort(txn);
    kt_store_close(store);
    ok(place_count > 8, "its %u blocks lie in its file", place_count);
}

/* ---- what a verification tells ---- */

typedef struct telling {
    char *text;
    size_t size;
    kt_code code;
    uint64_t first; /* record of the first finding */
    bool rising;    /* the findings are in the order of records */
    uint64_t last;
} telling;

static void on_finding(void *context, const kt_finding *finding) {
    telling *t = context;
    char line[1500];
    int length = snprintf(line, sizeof line, "%llu %s: %s\n", (unsigned long long)finding->record,
                          kt_code_name(finding->code), finding->what);
    char *grown = realloc(t->text, t->size + (size_t)length + 1);
    if (!grown) return;
    if (t->size == 0) t->first = finding->record;
    t->rising = t->rising && finding->record >= t->last;
    t->last = finding->record;
    memcpy(grown + t->size, line, (size_t)length + 1);
    t->text = grown;
    t->size += (size_t)length;
}

static telling tell(const char *path, unsigned threads, const char *since) {
    telling t = {.rising = true, .first = UINT64_MAX};
    char root[2 * KT_DIGEST_SIZE + 1] = "", counts[300];
    kt_verify_result result;
    kt_verify_options options = {
        .threads = threads, .since = since, .since_size = middle_size, .found = on_finding, .context = &t};
    kt_code code = kt_verify(path, &options, &result, NULL);
    for (unsigned i = 0; i < KT_DIGEST_SIZE; i++) (void)snprintf(root + 2 * i, 3, "%02x", result.root[i]);
    (void)snprintf(counts, sizeof counts, "%llu records, %llu entries, %llu batches, %llu checkpoints, root %s",
                   (unsigned long long)result.records, (unsigned long long)result.entries,
                   (unsigned long long)result.batches, (unsigned long long)result.checkpoints, root);
    uint64_t first = t.first;
    bool rising = t.rising;
    on_finding(&t, &(kt_finding){UINT64_MAX, code, counts});
    t.first = first;
    t.rising = rising;
    t.code = code;
    return t;
}

/* All tell the same; gives it. */
static telling same(const char *path, const char *since, const char *law) {
    telling one = tell(path, many[0], since);
    for (unsigned i = 1; i < MANY; i++) {
        telling other = tell(path, many[i], since);
        is_text(other.text ? other.text : "", one.text ? one.text : "", "%s: %u threads tell what one does", law,
                many[i]);
        free(other.text);
    }
    return one;
}

static void sound(void) {
    telling t = same(path_of("book"), NULL, "a sound book");
    ok(t.first == UINT64_MAX && t.code == KT_OK, "and find nothing");
    free(t.text);
    t = same(path_of("book"), middle, "since a checkpoint within a tile");
    ok(t.first == UINT64_MAX, "which it extends");
    free(t.text);
}

/* ---- damage ---- */

static void write_changed(const size_t *at, size_t count) {
    copy_book("book", "changed");
    FILE *out = fopen(path_of("changed/data.mdb"), "r+b");
    for (size_t i = 0; out && i < count; i++) {
        (void)fseek(out, (long)at[i], SEEK_SET);
        (void)fputc(bytes[at[i]] ^ 0x08, out);
    }
    if (out) fclose(out);
}

static void damaged_records(uint64_t *random) {
    for (unsigned round = 0; round < 4; round++) {
        const struct place *a = &places[pick(random, place_count)], *b = &places[pick(random, place_count)];
        write_changed((size_t[]){a->record, b->record}, a == b ? 1 : 2);
        telling t = same(path_of("changed"), NULL, "two records damaged");
        is_int((long long)t.first, (long long)(a->number < b->number ? a->number : b->number), "the first comes first");
        ok(t.rising, "and the others in the order of records");
        free(t.text);
    }
}

static void damaged_blocks(uint64_t *random) {
    static const size_t parts[] = {2, 9, 14}; /* the value's checksum, its count, its groups */
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct place *place = &places[pick(random, place_count)];
        write_changed((size_t[]){place->block + parts[i]}, 1);
        telling t = same(path_of("changed"), NULL, "a block's head damaged");
        ok(t.first <= place->number, "it is found where it lies");
        free(t.text);
    }
}

/* What is stored beside the records, under checksums that are right. */
static void put(kt_table table, kt_span key, kt_span value) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    copy_book("book", "changed");
    kt_code code = kt_store_open(path_of("changed"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, &said);
    if (code == KT_OK) code = kt_txn_put(txn, table, key, value, &said);
    if (code == KT_OK) code = kt_txn_commit(txn, &said);
    kt_store_close(store);
    is_code(code, KT_OK, "something else is stored in %s", kt_table_names[table]);
}

static void damaged_tiles(uint64_t *random) {
    uint8_t key[9] = {0}, root[KT_HASH_SIZE] = {1};
    kt_put_be64(key + 1, pick(random, ENTRIES / KT_TILE_WIDTH));
    put(KT_TABLE_TILES, kt_span_of(key, sizeof key), kt_span_of(root, sizeof root));
    telling t = same(path_of("changed"), NULL, "another tile's root");
    has_text(t.text, "its stored root is not that of the records", "which is found");
    free(t.text);
}

static void missing_block(uint64_t *random) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_cursor *cursor = NULL;
    kt_span key, value;
    copy_book("book", "changed");
    kt_code code = kt_store_open(path_of("changed"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, &said);
    if (code == KT_OK) code = kt_cursor_open(txn, KT_TABLE_BLOCKS, &cursor, &said);
    kt_cursor_raw(cursor, true);
    uint64_t skipped = 1 + pick(random, place_count - 2), first = 0;
    if (code == KT_OK) code = kt_cursor_first(cursor, &key, &value, &said);
    while (code == KT_OK && skipped-- != 0) code = kt_cursor_next(cursor, &key, &value, &said);
    if (code == KT_OK) {
        first = kt_get_be64(key.data);
        code = kt_cursor_delete(cursor, &said);
    }
    kt_cursor_close(cursor);
    if (code == KT_OK) code = kt_txn_commit(txn, &said);
    kt_store_close(store);
    is_code(code, KT_OK, "a block is taken out");
    telling t = same(path_of("changed"), NULL, "a block missing");
    is_int((long long)t.first, (long long)first, "its first record is missed first");
    free(t.text);
}

int main(void) {
    uint64_t random = test_seed();
    fill(&random);
    read_file();
    find_places(&random);
    sound();
    damaged_records(&random);
    damaged_blocks(&random);
    damaged_tiles(&random);
    missing_block(&random);
    free(bytes);
    free(middle);
    return done();
}
