/* The journal: what is sealed is there and signed, what is not leaves nothing, whatever its size and whoever died. */
#include "storage/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/codec.h"
#include "storage/state.h"
#include "tests/storing.h"

#define ORIGIN "kontor/test-00112233"
#define KIND 1024u
#define LARGE 60000u /* bytes of a record, so that a few hundred make pieces */

typedef struct heard { /* what the journal said to the engine */
    int blocks, seals, flushes, pieces, renewals, recoveries;
    uint64_t records, seal_number, recovered;
    kt_code refuse_block;
    kt_journal *journal;
    kt_state *state; /* NULL: no state to spill */
} heard;

static kt_code on_block(void *context, uint64_t first, uint32_t count, kt_error *error) {
    heard *h = context;
    h->blocks++;
    h->records += count;
    (void)first;
    return h->refuse_block == KT_OK ? KT_OK : kt_fail(error, h->refuse_block, "the engine refuses");
}

static kt_code on_sealed(void *context, const kt_seal *seal, uint64_t number, kt_error *error) {
    heard *h = context;
    (void)seal;
    (void)error;
    h->seals++;
    h->seal_number = number;
    return KT_OK;
}

static kt_code on_flush(void *context, kt_error *error) {
    heard *h = context;
    h->flushes++;
    return h->state == NULL ? KT_OK : kt_state_flush(h->state, error);
}

static kt_code on_piece(void *context, kt_error *error) {
    heard *h = context;
    h->pieces++;
    return h->state == NULL ? KT_OK : kt_state_spill(h->state, STORING_ONE, KT_TABLE_UNDO, error);
}

static void on_renewed(void *context, kt_txn *txn) {
    heard *h = context;
    h->renewals++;
    if (h->state != NULL) kt_state_bind(h->state, txn);
}

static kt_code on_recover(void *context, kt_txn *txn, uint64_t size, kt_error *error) {
    heard *h = context;
    h->recoveries++;
    h->recovered = size;
    return kt_state_undo(txn, KT_TABLE_UNDO, UINT64_MAX, error); /* as the engine does */
}

static int64_t now = 1789000000000000;

static kt_journal *open_journal(kt_store *store, const char *directory, heard *h) {
    kt_error error;
    kt_journal_options options = {.directory = directory,
                                  .origin = ORIGIN,
                                  .clock_us = storing_clock,
                                  .clock_context = &now,
                                  .block = on_block,
                                  .sealed = on_sealed,
                                  .flush = on_flush,
                                  .piece = on_piece,
                                  .renewed = on_renewed,
                                  .recover = on_recover,
                                  .context = h};
    kt_journal *journal = NULL;
    if (kt_journal_open(store, &options, &journal, &error) != KT_OK) diag("%s", error.text);
    h->journal = journal;
    return journal;
}

static uint64_t append(kt_journal *journal, uint64_t seed, size_t size) {
    static uint8_t record[1 << 20];
    uint64_t number = UINT64_MAX;
    kt_error error;
    size_t bytes = storing_record(KIND, 20000, seed, size, record, sizeof(record));
    if (kt_journal_append(journal, kt_span_of(record, bytes), &number, &error) != KT_OK) diag("%s", error.text);
    return number;
}

/* All that is stored, as one digest. */
static void digest_of(kt_store *store, uint8_t out[KT_HASH_SIZE]) {
    kt_sha256 hash;
    kt_txn *txn;
    kt_cursor *cursor;
    kt_span key, value;
    kt_sha256_init(&hash);
    if (kt_txn_begin(store, false, &txn, NULL) != KT_OK) abort();
    for (kt_table table = 0; table < STORING_COUNT; table++) {
        if (kt_cursor_open(txn, table, &cursor, NULL) != KT_OK) abort();
        kt_cursor_raw(cursor, true);
        for (kt_code code = kt_cursor_first(cursor, &key, &value, NULL); code == KT_OK;
             code = kt_cursor_next(cursor, &key, &value, NULL)) {
            const uint64_t sizes[3] = {table, key.size, value.size};
            kt_sha256_update(&hash, sizes, sizeof(sizes));
            kt_sha256_update(&hash, key.data, key.size);
            kt_sha256_update(&hash, value.data, value.size);
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_sha256_final(&hash, out);
}

static bool unchanged(kt_store *store, const uint8_t before[KT_HASH_SIZE]) {
    uint8_t after[KT_HASH_SIZE];
    digest_of(store, after);
    return memcmp(before, after, KT_HASH_SIZE) == 0;
}

/* Recomputes everything a seal and a head claim, from the records alone. */
static int recheck(kt_store *store) {
    kt_txn *txn;
    kt_log_head head;
    kt_records *records;
    kt_span record;
    kt_tree tree;
    kt_content content;
    kt_envelope envelope;
    kt_seal seal;
    kt_log_row row;
    uint64_t first = 0, batches = 0;
    int wrong = 0;
    (void)kt_txn_begin(store, false, &txn, NULL);
    if (kt_log_head_read(txn, &head, NULL) != KT_OK || kt_records_open(txn, head.tree.size, &records, NULL) != KT_OK)
        return 1;
    kt_tree_init(&tree);
    kt_content_init(&content);
    for (uint64_t i = 0; i < head.tree.size; i++) {
        uint8_t leaf[KT_HASH_SIZE], digest[KT_HASH_SIZE];
        char message[KT_SEAL_MESSAGE_MAX];
        kt_checkpoint checkpoint = {.origin = ORIGIN, .size = i + 1};
        if (kt_records_read(records, i, &record, NULL) != KT_OK || kt_envelope_read(record, &envelope, NULL) != KT_OK)
            return 1;
        kt_leaf_hash(record.data, record.size, leaf);
        kt_tree_add(&tree, leaf, NULL, NULL);
        if (envelope.kind != KT_KIND_SEAL) {
            kt_content_add(&content, leaf, 1);
            continue;
        }
        batches++;
        wrong += kt_seal_read(envelope.body, envelope.kind_version, &seal, NULL) != KT_OK;
        kt_content_final(&content, digest);
        size_t size = kt_seal_message(ORIGIN, &seal, message);
        wrong += seal.count != i - first || memcmp(digest, seal.content, KT_HASH_SIZE) != 0;
        wrong += !kt_signature_check(seal.actor, message, size, seal.signature);
        wrong += kt_log_row_at(txn, i + 1, &row, NULL) != KT_OK || row.batches != batches ||
                 row.recorded_us != seal.recorded_us;
        kt_tree_root(&tree, checkpoint.root);
        wrong += !kt_checkpoint_check(&checkpoint, seal.actor, row.signature); /* one key does both here */
        first = i + 1;
        kt_content_init(&content);
    }
    kt_tree_root(&tree, head.root);
    wrong += memcmp(head.root, row.root, KT_HASH_SIZE) != 0 || first != head.tree.size || head.batches != batches;
    kt_records_close(records);
    kt_txn_abort(txn);
    return wrong;
}

static void test_batches(uint64_t *random) {
    char directory[STORING_PATH];
    kt_error error;
    heard h = {0};
    kt_seal seal;
    kt_log_head head;
    uint8_t before[KT_HASH_SIZE];
    kt_store *store = storing_open(storing_directory("batches", directory), true, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    bool numbered = true;
    uint64_t next = 0;
    for (int batch = 0; batch < 40; batch++) {
        char id[8] = {'b', (char)('0' + batch / 10), (char)('0' + batch % 10), 0};
        if (kt_journal_begin(journal, true, &error) != KT_OK) diag("%s", error.text);
        uint64_t records = 1 + test_random(random) % (batch == 20 ? 20000 : 300);
        for (uint64_t i = 0; i < records; i++) numbered &= append(journal, i, test_random(random) % 100) == next++;
        numbered &= kt_journal_next(journal) == next;
        if (storing_seal(journal, id, &seal, &head, &error) != KT_OK) diag("%s", error.text);
        numbered &= h.seal_number == next++ && head.tree.size == next;
    }
    ok(numbered, "records are numbered as they come, the seal behind them");
    is_int(recheck(store), 0, "every seal, checkpoint and root follows from the records");
    ok(h.seals == 40 && h.flushes == 40 && h.records == next, "the engine hears of every seal, flush and block");
    is_int(h.pieces + h.renewals + h.recoveries, 0, "small batches are one transaction each");

    digest_of(store, before);
    (void)kt_journal_begin(journal, true, &error);
    for (int i = 0; i < 9000; i++) (void)append(journal, (uint64_t)i, 50);
    ok(kt_journal_next(journal) == next + 9000, "a batch is begun");
    kt_journal_abort(journal);
    ok(unchanged(store, before), "and broken off it leaves nothing");

    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 1, 50);
    h.refuse_block = KT_OVERFLOW;
    is_code(storing_seal(journal, "refused", &seal, &head, &error), KT_OVERFLOW,
            "what the engine refuses is not sealed");
    h.refuse_block = KT_OK;
    ok(unchanged(store, before), "and leaves nothing");
    char long_id[KT_SEAL_ID_MAX + 2];
    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[KT_SEAL_ID_MAX + 1] = 0;
    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 1, 50);
    is_code(storing_seal(journal, long_id, &seal, &head, &error), KT_USAGE,
            "an id that no reader would take is refused");
    (void)kt_journal_begin(journal, true, &error);
    is_code(storing_seal(journal, "", &seal, &head, &error), KT_USAGE, "and so is none");
    ok(unchanged(store, before), "and nothing is left of either");
    (void)kt_journal_begin(journal, true, &error);
    is_code(storing_seal(journal, long_id + 1, &seal, &head, &error), KT_OK, "one of %d bytes is taken",
            KT_SEAL_ID_MAX);
    is_int(recheck(store), 0, "and everything still follows");

    (void)kt_journal_begin(journal, true, &error);
    (void)kt_txn_put(kt_journal_txn(journal), STORING_TWO, kt_span_of("k", 1), kt_span_of("v", 1), &error);
    is_code(kt_journal_commit_state(journal, &error), KT_OK, "state alone is committed");
    ok(storing_rows(store, STORING_TWO) == 1 && recheck(store) == 0, "and the head stays");
    kt_journal_close(journal);
    kt_store_close(store);
}

/* ---- larger than one transaction ---- */

static void append_pieces(kt_journal *journal, heard *h) {
    for (uint64_t i = 0; i < 700 && h->pieces < 2; i++) (void)append(journal, i, LARGE);
}

static void test_pieces(void) {
    char directory[STORING_PATH];
    kt_error error;
    heard h = {0};
    kt_seal seal;
    kt_log_head head;
    kt_txn *txn;
    kt_records *records;
    kt_span record, value;
    uint8_t before[KT_HASH_SIZE];
    kt_store *store = storing_open(storing_directory("pieces", directory), true, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    (void)kt_state_open(&h.state, &error);
    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 1, 10);
    kt_state_bind(h.state, kt_journal_txn(journal));
    (void)kt_state_put(h.state, STORING_ONE, kt_span_of("old", 3), kt_span_of("before", 6), &error);
    (void)storing_seal(journal, "first", &seal, &head, &error);
    digest_of(store, before);

    (void)kt_journal_begin(journal, true, &error);
    kt_state_bind(h.state, kt_journal_txn(journal));
    (void)kt_state_put(h.state, STORING_ONE, kt_span_of("old", 3), kt_span_of("after", 5), &error);
    (void)kt_state_put(h.state, STORING_ONE, kt_span_of("new", 3), kt_span_of("after", 5), &error);
    append_pieces(journal, &h);
    ok(h.pieces == 2 && h.renewals == 2, "a large batch is committed in pieces, and the engine told");
    (void)kt_txn_begin(store, false, &txn, &error);
    (void)kt_log_head_read(txn, &head, &error);
    is_int((long long)head.tree.size, 2, "a reader meanwhile sees the head where it was");
    (void)kt_records_open(txn, head.tree.size, &records, &error);
    is_code(kt_records_read(records, 2, &record, &error), KT_NOT_FOUND, "and no record above it");
    kt_records_close(records);
    is_code(kt_txn_get(txn, KT_TABLE_META, kt_span_of("pending", 7), &value, &error), KT_OK,
            "the mark says what is under way");
    kt_txn_abort(txn);
    ok(storing_rows(store, KT_TABLE_BLOCKS) > 24 && storing_rows(store, KT_TABLE_TILES) != 0 &&
           storing_rows(store, KT_TABLE_UNDO) == 2,
       "blocks, tiles and undo rows lie above the head");
    kt_state_forget(h.state);
    kt_journal_abort(journal);
    ok(unchanged(store, before), "broken off, all of it is gone, and spilled state is what it was");
    is_int(h.recoveries, 1, "and the engine is told to do likewise");
    is_int((long long)h.recovered, 2, "down to the head");

    h.pieces = 0;
    (void)kt_journal_begin(journal, true, &error);
    kt_state_bind(h.state, kt_journal_txn(journal));
    (void)kt_state_put(h.state, STORING_ONE, kt_span_of("old", 3), kt_span_of("after", 5), &error);
    append_pieces(journal, &h);
    is_code(storing_seal(journal, "large", &seal, &head, &error), KT_OK, "the same batch sealed");
    is_int(recheck(store), 0, "is whole");
    ok(storing_rows(store, KT_TABLE_UNDO) == 0 && storing_rows(store, KT_TABLE_META) == 1,
       "and leaves no mark and no undo row");
    kt_state_close(h.state);
    kt_journal_close(journal);
    kt_store_close(store);
}

/* A writer dies between two pieces. */
static void die(const char *directory) {
    kt_error error;
    heard h = {0};
    kt_store *store = storing_open(directory, false, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    if (kt_journal_begin(journal, true, &error) != KT_OK) _exit(1);
    append_pieces(journal, &h);
    _exit(h.pieces == 2 ? 0 : 2);
}

static void test_death(void) {
    char directory[STORING_PATH];
    kt_error error;
    heard h = {0};
    kt_seal seal;
    kt_log_head head;
    uint8_t before[KT_HASH_SIZE];
    int status = 0;
    kt_store *store = storing_open(storing_directory("death", directory), true, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 1, 10);
    (void)storing_seal(journal, "first", &seal, &head, &error);
    digest_of(store, before);
    is_code(kt_journal_recover(journal, &error), KT_OK, "where nothing is under way there is nothing to recover");
    ok(h.recoveries == 0 && unchanged(store, before), "and nothing is done");
    kt_journal_close(journal);
    kt_store_close(store);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) die(directory);
    (void)waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a writer dies between two pieces");
    store = storing_open(directory, false, false, &error);
    ok(!unchanged(store, before), "which are there");
    journal = open_journal(store, directory, &h);
    is_code(kt_journal_recover(journal, &error), KT_OK, "the next one recovers");
    ok(unchanged(store, before) && h.recoveries == 1, "and all is as before the batch");
    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 2, 10);
    is_code(storing_seal(journal, "second", &seal, &head, &error), KT_OK, "and goes on");
    is_int(recheck(store), 0, "from where the first had been sealed");
    kt_journal_close(journal);
    kt_store_close(store);
}

/* ---- time, turns, epochs ---- */

static void test_turns(void) {
    char directory[STORING_PATH];
    kt_error error;
    heard h = {0};
    kt_seal seal;
    kt_log_head head;
    kt_store *store = storing_open(storing_directory("turns", directory), true, false, &error);
    kt_journal *one = open_journal(store, directory, &h), *two = open_journal(store, directory, &h);
    (void)kt_journal_begin(one, true, &error);
    is_code(kt_journal_begin(two, true, &error), KT_BUSY, "a second writer is told that it is not its turn");
    has_text(error.text, directory, "and where");
    is_code(kt_journal_recover(two, &error), KT_OK, "and leaves the first one's work alone");
    (void)append(one, 1, 10);
    is_code(storing_seal(one, "1", &seal, &head, &error), KT_OK, "the first seals");
    is_int((long long)seal.epoch, 1, "in epoch 1");
    ok(seal.recorded_us == now && !seal.clock_behind, "at the clock's time");
    (void)kt_journal_begin(one, true, &error);
    (void)append(one, 2, 10);
    now -= 5000000;
    (void)storing_seal(one, "2", &seal, &head, &error);
    is_int((long long)seal.epoch, 1, "the same writer stays in its epoch");
    ok(seal.recorded_us == now + 5000000 && seal.clock_behind && head.recorded_us == seal.recorded_us,
       "a clock that is behind gives the last time, and the seal says so");
    now += 5000000;
    (void)kt_journal_begin(two, true, &error);
    (void)append(two, 3, 10);
    (void)storing_seal(two, "3", &seal, &head, &error);
    is_int((long long)seal.epoch, 2, "another writer begins another epoch");
    ok(!seal.clock_behind, "a clock that stands still is not behind");
    (void)kt_journal_begin(one, true, &error);
    (void)append(one, 4, 10);
    (void)storing_seal(one, "4", &seal, &head, &error);
    is_int((long long)seal.epoch, 3, "and the first, coming back, a third");
    is_int(recheck(store), 0, "and all of it holds");
    kt_journal_close(two);
    kt_journal_close(one);
    kt_store_close(store);
}

int main(void) {
    uint64_t random = test_seed();
    test_batches(&random);
    test_pieces();
    test_death();
    test_turns();
    return done();
}
