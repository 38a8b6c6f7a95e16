/* Verification: whatever byte of a book is changed, it is found, or it was a byte that nobody reads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/tables.h"
#include "storage/block.h"
#include "storage/digest.h"
#include "storage/head.h"
#include "tests/bookkeeping.h"
#include "tests/storing.h"

static uint8_t *bytes; /* of the book's file */
static size_t size;
static char *newest; /* its checkpoint */
static size_t newest_size;
static uint64_t random_state;
static char path_in_thread[1024];

static bool write_file(const char *path, const void *data, size_t count) {
    FILE *out = fopen(path, "wb");
    bool good = out && fwrite(data, 1, count, out) == count;
    if (out) good = fclose(out) == 0 && good;
    return good;
}

static void read_file(const char *path) {
    FILE *in = fopen(path, "rb");
    struct stat status;
    if (in && fstat(fileno(in), &status) == 0) {
        size = (size_t)status.st_size;
        bytes = malloc(size + 1);
        size = fread(bytes, 1, size, in);
    }
    if (in) fclose(in);
}

/* A book with something in every table. */
static void fill(void) {
    kt_book *book = make_book("book");
    char entries[4000];
    size_t used = 0;
    for (unsigned i = 0; i < 40; i++)
        used += (size_t)snprintf(entries + used, sizeof entries - used,
                                 "2026-01-%02u V%u 5000 %u cc=C%u text=wage / 1000 -%u\n", 1 + i % 28, i, 1 + i, i % 5,
                                 1 + i);
    kt_code code = post(book, entries);
    for (unsigned i = 0; i < 12 && code == KT_OK; i++) {
        snprintf(entries, sizeof entries,
                 "2026-%02u-10 - 1100 %u EUR @@ %u / 1000 -%u\n2026-%02u-11 S#%u 1000 5 / 4000 -5", 1 + i, 1 + i, 7 + i,
                 7 + i, 1 + i, i);
        code = post(book, entries);
    }
    if (code == KT_OK) code = reverse(book, receipt.first, "2026-12-12", true, NULL);
    if (code == KT_OK) code = close_month(book, "2025-12");
    is_code(code, KT_OK, "a book is filled (%s)", code == KT_OK ? "" : said.text);
    kt_view *view = view_of(book);
    is_code(kt_view_checkpoint(view, &newest, &newest_size, &said), KT_OK, "and its checkpoint kept");
    kt_view_close(view);
    kt_book_close(book);
    is_sound("book", "it verifies");
    read_file(path_of("book/data.mdb"));
}

/* The book's file with one byte changed, in a place of its own. */
static const char *changed(size_t at, uint8_t with) {
    uint8_t was = bytes[at];
    bytes[at] = with;
    mkdir(path_of("flipped"), 0700);
    unlink(path_of("flipped/lock.mdb"));
    if (!write_file(path_of("flipped/data.mdb"), bytes, size)) diag("a copy is not written");
    bytes[at] = was;
    return path_of("flipped");
}

static kt_code verify_changed(size_t at, uint8_t mask, found *first) {
    kt_verify_options options = {.since = newest, .since_size = newest_size};
    return verify_path(changed(at, bytes[at] ^ mask), &options, first);
}

/* Every key and value of every table, by walking and by looking up; 0 where one cannot be read. */
static uint64_t digest_of(const char *path) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_span key, value, looked_up;
    uint64_t sum = 1;
    kt_code code = kt_store_open(path, &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, false, &txn, &said);
    for (kt_table table = 0; table < KT_TABLE_COUNT && code == KT_OK; table++) {
        kt_cursor *cursor = NULL;
        bool raw = table == KT_TABLE_BLOCKS;
        code = kt_cursor_open(txn, table, &cursor, &said);
        if (code == KT_OK) kt_cursor_raw(cursor, raw);
        for (kt_code moved = code == KT_OK ? kt_cursor_first(cursor, &key, &value, &said) : KT_END;
             moved != KT_END && code == KT_OK; moved = kt_cursor_next(cursor, &key, &value, &said)) {
            code = moved;
            if (code != KT_OK) diag("walking %s: %s", kt_table_names[table], said.text);
            if (code == KT_OK && !raw) code = kt_txn_get(txn, table, key, &looked_up, &said);
            if (code == KT_OK) sum = sum * 31 + kt_crc32c(kt_crc32c(table, key.data, key.size), value.data, value.size);
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_store_close(store);
    return code == KT_OK ? sum : 0;
}

static void anywhere(void) {
    unsigned flips = getenv("KONTOR_LONG") ? 3000 : 120, finds = 0, unread = 0, wrong = 0;
    uint64_t whole = digest_of(path_of("book"));
    ok(whole != 0, "the whole book reads well");
    for (unsigned i = 0; i < flips; i++) {
        found first;
        size_t at = pick(&random_state, size);
        uint8_t mask = (uint8_t)(1u << pick(&random_state, 8));
        kt_code code = verify_changed(at, mask, &first);
        if (code != KT_OK) finds++;
        else if (digest_of(path_of("flipped")) == whole) unread++;
        else if (wrong++ == 0)
            diag("byte %zu of page %zu (bit %x) changes what is read, and is not found: %s", at % 4096, at / 4096, mask,
                 said.text);
    }
    is_int(wrong, 0, "of %u bits changed anywhere %u are found, and %u are in bytes that nobody reads", flips, finds,
           unread);
    ok(finds > 0 && unread > 0, "both happen");
}

static void each_table(void) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_span key, value;
    size_t places[KT_TABLE_COUNT][3], counts[KT_TABLE_COUNT] = {0};
    kt_code code = kt_store_open(path_of("book"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, false, &txn, &said);
    for (kt_table table = 0; table < KT_TABLE_COUNT && code == KT_OK; table++) {
        kt_cursor *cursor = NULL;
        code = kt_cursor_open(txn, table, &cursor, &said);
        kt_cursor_raw(cursor, true);
        for (kt_code moved = kt_cursor_first(cursor, &key, &value, &said); moved == KT_OK && counts[table] < 3;
             moved = kt_cursor_next(cursor, &key, &value, &said)) {
            size_t at = storing_place(value, "/book/data.mdb", bytes, size);
            if (at != SIZE_MAX) places[table][counts[table]++] = at + pick(&random_state, value.size);
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_store_close(store);
    is_code(code, KT_OK, "values of all tables are looked up");
    for (kt_table table = 0; table < KT_TABLE_COUNT; table++) {
        unsigned missed = 0;
        for (size_t i = 0; i < counts[table]; i++) missed += verify_changed(places[table][i], 0x10, NULL) == KT_OK;
        if (counts[table] > 0) is_int(missed, 0, "a byte changed in %s is found", kt_table_names[table]);
    }
}

/* A changed byte of a record is found by that record's number. */
static void each_record(void) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_cursor *cursor = NULL;
    kt_span key, value, record;
    struct {
        size_t at;
        uint64_t number;
    } places[40];
    size_t count = 0;
    kt_code code = kt_store_open(path_of("book"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, false, &txn, &said);
    if (code == KT_OK) code = kt_cursor_open(txn, KT_TABLE_BLOCKS, &cursor, &said);
    if (code == KT_OK) kt_cursor_raw(cursor, true);
    for (kt_code moved = code == KT_OK ? kt_cursor_first(cursor, &key, &value, &said) : KT_END;
         moved == KT_OK && count < 40; moved = kt_cursor_next(cursor, &key, &value, &said)) {
        kt_block_view block;
        size_t base = storing_place(value, "/book/data.mdb", bytes, size);
        code = kt_block_open(KT_TABLE_BLOCKS, key, value, &block, &said);
        for (uint32_t i = 0; i < block.count && count < 40 && code == KT_OK && base != SIZE_MAX;
             i += 1 + block.count / 8) {
            code = kt_block_record(&block, i, &record, &said);
            places[count].at = base + (size_t)(record.data - value.data) + pick(&random_state, record.size);
            places[count++].number = block.first + i;
        }
    }
    kt_cursor_close(cursor);
    kt_txn_abort(txn);
    kt_store_close(store);
    is_code(code, KT_OK, "records are looked up");
    unsigned missed = 0, misnamed = 0;
    for (size_t i = 0; i < count; i++) {
        found first;
        missed += verify_changed(places[i].at, 0x04, &first) != KT_DAMAGED;
        if (first.record != places[i].number && misnamed++ == 0)
            diag("record %llu is called %llu: %s", (unsigned long long)places[i].number,
                 (unsigned long long)first.record, first.what);
    }
    ok(count >= 20, "a good number of them (%zu)", count);
    is_int(missed, 0, "a byte changed in any record is found");
    is_int(misnamed, 0, "first, and by the record's number");
}

static void not_books(void) {
    found first;
    ok(verify_path(path_of("nowhere"), NULL, &first) != KT_OK, "a directory that is not there does not verify");
    mkdir(path_of("odd"), 0700);
    is_code(verify_path(path_of("odd"), NULL, &first), KT_FOREIGN, "nor does an empty one, which is no book");
    static const size_t cuts[] = {0, 1, 100, 4096, 8192, 12288};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        unlink(path_of("odd/lock.mdb"));
        write_file(path_of("odd/data.mdb"), bytes, cuts[i]);
        ok(verify_path(path_of("odd"), NULL, &first) != KT_OK, "nor does a file cut to %zu bytes", cuts[i]);
    }
    uint8_t *noise = malloc(size);
    for (size_t i = 0; i < size; i++) noise[i] = (uint8_t)test_random(&random_state);
    write_file(path_of("odd/data.mdb"), noise, size);
    ok(verify_path(path_of("odd"), NULL, &first) != KT_OK, "nor does noise");
    memcpy(noise, bytes, 8192);
    write_file(path_of("odd/data.mdb"), noise, size);
    ok(verify_path(path_of("odd"), NULL, &first) != KT_OK, "nor does noise behind a good beginning");
    free(noise);
}

static void keys(void) {
    found first;
    kt_create_options other_keys = {0};
    uint64_t seed = 99;
    other_keys.random = test_bytes;
    other_keys.context = &seed;
    kt_book *book = open_book("book"), *other = make_book_with("other", &other_keys);
    kt_verify_options options = {.verifier = kt_book_verifier(book)};
    is_code(verify_path(path_of("book"), &options, &first), KT_OK, "the book holds against its own key");
    options.verifier = kt_book_verifier(other);
    is_code(verify_path(path_of("book"), &options, &first), KT_DAMAGED, "and not against another's");
    has_text(first.what, "the key given is of", "which is said");
    options.verifier = "no key at all";
    is_code(verify_path(path_of("book"), &options, &first), KT_INVALID, "what is no key is refused");
    char *theirs = NULL;
    size_t theirs_size = 0;
    kt_view *view = view_of(other);
    (void)kt_view_checkpoint(view, &theirs, &theirs_size, &said);
    kt_view_close(view);
    options = (kt_verify_options){.since = theirs, .since_size = theirs_size};
    kt_code code = verify_path(path_of("book"), &options, &first);
    ok(code == KT_KEY || code == KT_FOREIGN, "a checkpoint of another book is refused (%s)", kt_code_name(code));
    options.since_size = theirs_size / 2;
    is_code(verify_path(path_of("book"), &options, &first), KT_INVALID, "as is half a one");
    free(theirs);
    kt_book_close(other);
    kt_book_close(book);
}

static void history(void) {
    found first;
    copy_book("book", "behind");
    copy_book("book", "aside");
    kt_book *book = open_book("book"), *aside = open_book("aside");
    is_code(post(book, "2026-12-30 - 1000 1 / 4000 -1"), KT_OK, "the book goes on");
    is_code(post(aside, "2026-12-30 - 1000 2 / 4000 -2"), KT_OK, "and a copy of it elsewhere");
    char *note = NULL;
    size_t note_size = 0;
    kt_view *view = view_of(book);
    (void)kt_view_checkpoint(view, &note, &note_size, &said);
    kt_view_close(view);
    kt_book_close(book);
    kt_book_close(aside);
    kt_verify_options options = {.since = newest, .since_size = newest_size};
    is_code(verify_path(path_of("book"), &options, &first), KT_OK, "it extends what it was");
    is_code(verify_path(path_of("aside"), &options, &first), KT_OK, "as does the copy");
    options = (kt_verify_options){.since = note, .since_size = note_size};
    is_code(verify_path(path_of("behind"), &options, &first), KT_DAMAGED, "a book put back to what it was is found");
    has_text(first.what, "rolled back", "and called that");
    is_code(verify_path(path_of("aside"), &options, &first), KT_DAMAGED, "a history rewritten is found");
    has_text(first.what, "rewritten", "and called that");
    free(note);
}

/* ---- values that are not what they were, under checksums that are right ---- */

static kt_span name(const char *text) { return kt_span_of(text, strlen(text)); }

/* A copy of the book, to be altered in the transaction given. */
static kt_txn *alter(kt_store **store) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_txn *txn = NULL;
    copy_book("book", "altered");
    kt_code code = kt_store_open(path_of("altered"), &options, store, &said);
    if (code == KT_OK) code = kt_txn_begin(*store, true, &txn, &said);
    is_code(code, KT_OK, "a copy is opened behind the engine's back");
    return txn;
}

static void is_seen(kt_store *store, kt_txn *txn, kt_code code, const char *part, const char *law) {
    found first;
    is_code(kt_txn_commit(txn, &said), KT_OK, "and altered");
    kt_store_close(store);
    is_code(verify_path(path_of("altered"), NULL, &first), code, "%s %s", law,
            code == KT_OK ? "is no fault" : "is found");
    has_text(first.what, part, "as what it is");
}

/* One bit of the head's row: size, batches, time, epoch (eight bytes each), root, signature, frontier. */
static void head_altered(size_t at, const char *law) {
    kt_store *store;
    kt_txn *txn = alter(&store);
    kt_span value;
    uint8_t row[4096];
    if (!is_code(kt_txn_get(txn, KT_TABLE_META, name("head"), &value, &said), KT_OK, "the head is read")) return;
    size_t row_size = value.size;
    memcpy(row, value.data, row_size);
    row[at] ^= 1;
    (void)kt_txn_put(txn, KT_TABLE_META, name("head"), kt_span_of(row, row_size), &said);
    is_seen(store, txn, KT_DAMAGED, "the head is not that of the last seal", law);
}

static void put_altered(kt_table table, kt_span key, kt_span value, kt_code code, const char *part, const char *law) {
    kt_store *store;
    kt_txn *txn = alter(&store);
    (void)kt_txn_put(txn, table, key, value, &said);
    is_seen(store, txn, code, part, law);
}

/* The mark of a batch being written in pieces, above a head of this size. */
static void put_mark(kt_txn *txn, uint64_t above) {
    uint8_t mark[8];
    kt_put_le64(mark, above);
    (void)kt_txn_put(txn, KT_TABLE_META, name("pending"), kt_span_of(mark, sizeof mark), &said);
}

static void ends(void) {
    uint8_t key[8], format[4] = {0};
    head_altered(16, "another time at the head");
    head_altered(24, "another epoch");
    head_altered(31, "one far ahead");
    head_altered(32 + KT_HASH_SIZE, "another signature");
    kt_put_be64(key, 1000000);
    put_altered(KT_TABLE_BLOCKS, kt_span_of(key, sizeof key), name("junk"), KT_DAMAGED,
                "blocks are stored above the head", "what lies above the head");
    put_altered(KT_TABLE_META, name("x-hidden"), name("anything"), KT_DAMAGED, "a key that nothing here writes",
                "a key of nobody's");
    put_altered(KT_TABLE_META, name("heads"), name("anything"), KT_DAMAGED, "a key that nothing here writes",
                "one that begins like another");
    put_altered(KT_TABLE_META, name("format"), kt_span_of(format, sizeof format), KT_DAMAGED,
                "" /* it stops there, with an error of its own */, "a format that is none");
    put_altered(KT_TABLE_META, name("pending"), name("12345678"), KT_DAMAGED,
                "the mark of a pending batch is of another head", "a mark of another head");
}

/* A table that is not the book's would be carried along in every backup, unseen. */
static void foreign_table(const char *value, const char *law) {
    const char *names[KT_TABLE_COUNT + 1] = {NULL};
    kt_store_options options = {.names = names, .count = KT_TABLE_COUNT + 1, .create = true};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    char expected[80];
    memcpy(names, kt_table_names, sizeof kt_table_names);
    names[KT_TABLE_COUNT] = "visitors";
    copy_book("book", "altered");
    kt_code code = kt_store_open(path_of("altered"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, &said);
    is_code(code, KT_OK, "a table of somebody else's is made in a copy");
    if (code != KT_OK) return;
    if (value) (void)kt_txn_put(txn, KT_TABLE_COUNT, name("somebody"), name(value), &said);
    snprintf(expected, sizeof expected, "%d tables are stored, expected %d", KT_TABLE_COUNT + 1, KT_TABLE_COUNT);
    is_seen(store, txn, KT_DAMAGED, expected, law);
}

/* An undo row, as state writes it ahead of the head: table, size of the key, whether there was a value, key, value. */
static void put_undo(kt_txn *txn, uint64_t number, kt_table table, kt_span key, bool there, kt_span value) {
    uint8_t row[1000], row_key[8];
    row[0] = (uint8_t)table;
    kt_put_le16(row + 1, (uint16_t)key.size);
    row[3] = there;
    memcpy(row + 4, key.data, key.size);
    if (value.size != 0) memcpy(row + 4 + key.size, value.data, value.size);
    kt_put_be64(row_key, number);
    (void)kt_txn_put(txn, KT_TABLE_UNDO, kt_span_of(row_key, 8), kt_span_of(row, 4 + key.size + value.size), &said);
}

/* The table's first row, kept aside: a write to the store moves its bytes. */
static void first_row(kt_txn *txn, kt_table table, kt_span *key, kt_span *value) {
    static uint8_t kept[2][1000];
    kt_cursor *cursor = NULL;
    if (kt_cursor_open(txn, table, &cursor, &said) != KT_OK || kt_cursor_first(cursor, key, value, &said) != KT_OK)
        diag("table %s has no row", kt_table_names[table]);
    memcpy(kept[0], key->data, key->size);
    memcpy(kept[1], value->data, value->size);
    *key = kt_span_of(kept[0], key->size);
    *value = kt_span_of(kept[1], value->size);
    kt_cursor_close(cursor);
}

/* Plants an undo row of the table's first row, with `other` in place of its value where given. */
static void undo_planted(kt_table table, bool there, const char *other, bool pending, kt_code code, const char *part,
                         const char *law) {
    kt_store *store;
    kt_txn *txn = alter(&store);
    kt_log_head head;
    kt_span key, value;
    first_row(txn, table, &key, &value);
    put_undo(txn, 0, table, key, there, !there ? name("") : other ? name(other) : value);
    if (kt_log_head_read(txn, &head, &said) == KT_OK && pending) put_mark(txn, head.tree.size);
    is_seen(store, txn, code, part, law);
}

static void undo_rows(void) {
    static const char *const moved = "an undo row keeps other bytes than follow from the journal";
    undo_planted(KT_TABLE_VOUCHERS, true, NULL, false, KT_DAMAGED, "undo rows are stored, and no batch is pending",
                 "an undo row without a batch");
    undo_planted(KT_TABLE_VOUCHERS, true, NULL, true, KT_OK, "",
                 "one that keeps what is there, of a batch broken off,");
    is_sound("altered", "nothing is lost by it");
    kt_book_close(open_book("altered"));
    is_sound("altered", "and it is gone when the book was opened");
    undo_planted(KT_TABLE_VOUCHERS, true, "\x07", true, KT_DAMAGED, moved, "one that would put back other vouchers");
    undo_planted(KT_TABLE_VOUCHERS, false, NULL, true, KT_DAMAGED, moved, "or none");
    undo_planted(KT_TABLE_REVERSALS, false, NULL, true, KT_DAMAGED, moved, "or forget a reversal");
    static const kt_table others[] = {KT_TABLE_PERIODS, KT_TABLE_ACCOUNTS, KT_TABLE_ACTORS,
                                      KT_TABLE_SEALS,   KT_TABLE_HEADS,    KT_TABLE_BLOCKS};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        kt_book *book = NULL;
        undo_planted(others[i], false, NULL, true, KT_DAMAGED, "an undo row is of a table that does not spill",
                     "one of a table that is not written ahead");
        is_code(kt_book_open(path_of("altered"), NULL, &book, &said), KT_DAMAGED,
                "nor is %s put back by opening the book", kt_table_names[others[i]]);
        kt_book_close(book);
    }
}

/* ---- verification in a program that does other things too ---- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

static atomic_bool stop;

static void *opens_and_closes(void *unused) {
    kt_open_options options = {.read_only = true};
    while (!atomic_load(&stop)) {
        kt_book *book = NULL;
        if (kt_book_open(path_in_thread, &options, &book, NULL) == KT_OK) kt_book_close(book);
    }
    return unused;
}

static void among_threads(void) {
    enum { THREADS = 3, ROUNDS = 5 };
    pthread_t threads[THREADS];
    int started = 0, good = 0;
#ifdef __SANITIZE_ADDRESS__
    skip(2, "the sanitizer's allocator does not outlive a fork among threads");
    return;
#endif
    snprintf(path_in_thread, sizeof path_in_thread, "%s", path_of("behind"));
    while (started < THREADS && pthread_create(&threads[started], NULL, opens_and_closes, NULL) == 0) started++;
    is_int(started, THREADS, "threads open and close a book all the time");
    alarm(60); /* a hang ends this test */
    for (int i = 0; i < ROUNDS; i++) good += verify_path(path_in_thread, NULL, NULL) == KT_OK;
    alarm(0);
    is_int(good, ROUNDS, "and it verifies meanwhile, each time");
    atomic_store(&stop, true);
    while (started > 0) pthread_join(threads[--started], NULL);
}

int main(void) {
    random_state = test_seed();
    fill();
    anywhere();
    each_table();
    each_record();
    not_books();
    keys();
    history();
    ends();
    foreign_table(NULL, "an empty table of somebody else's");
    foreign_table("was here", "one with something in it");
    undo_rows();
    among_threads();
    free(bytes);
    free(newest);
    return done();
}
