/* The journal: what is sealed is there and signed, what is not leaves nothing, whatever its size and whoever died. */
#include "storage/journal.h"

#include <sched.h>
#include <stdatomic.h>
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
    int blocks, seals, flushes, turns, heads, recoveries;
    uint64_t records, seal_number, recovered;
    kt_code refuse_block;
    uint64_t refuse_from;   /* blocks whose first record is at or above it */
    atomic_bool refuse_now; /* until then such a block waits */
    bool single_thread;
    kt_state *state;
} heard;

static kt_code on_block(void *context, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error) {
    heard *h = context;
    (void)txn;
    h->blocks++;
    h->records += count;
    if (h->refuse_block == KT_OK || first < h->refuse_from) return KT_OK;
    while (!atomic_load(&h->refuse_now)) sched_yield();
    return kt_fail(error, h->refuse_block, "the engine refuses");
}

static kt_code on_head(void *context, kt_txn *txn, kt_error *error) {
    (void)txn;
    (void)error;
    ((heard *)context)->heads++;
    return KT_OK;
}

static void on_turn(void *context) { ((heard *)context)->turns++; }

static kt_code on_sealed(void *context, const kt_seal *seal, uint64_t number, kt_error *error) {
    heard *h = context;
    (void)seal;
    (void)error;
    h->seals++;
    h->seal_number = number;
    return KT_OK;
}

static kt_code on_flush(void *context, kt_error *error) {
    (void)error;
    ((heard *)context)->flushes++;
    return KT_OK;
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
    if (h->state == NULL) (void)kt_state_open(&h->state, &error);
    kt_journal_options options = {.directory = directory,
                                  .origin = ORIGIN,
                                  .clock_us = storing_clock,
                                  .clock_context = &now,
                                  .single_thread = h->single_thread,
                                  .state = h->state,
                                  .spills = 1u << STORING_ONE,
                                  .turn = on_turn,
                                  .sealed = on_sealed,
                                  .flush = on_flush,
                                  .context = h,
                                  .hooks = {NULL, on_block, on_head, on_recover, h}};
    kt_journal *journal = NULL;
    if (kt_journal_open(store, &options, &journal, &error) != KT_OK) diag("%s", error.text);
    return journal;
}

static void close_journal(kt_journal *journal, heard *h) {
    kt_journal_close(journal);
    kt_state_close(h->state);
    h->state = NULL;
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
    kt_txn *txn;
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
    ok(h.seals == 40 && h.flushes == 40 && h.heads == 40 && h.records == next && h.turns == h.blocks,
       "the engine hears of every seal, flush, head and block");
    is_int(h.recoveries, 0, "and has nothing to recover");

    digest_of(store, before);
    (void)kt_journal_begin(journal, true, &error);
    for (int i = 0; i < 9000; i++) (void)append(journal, (uint64_t)i, 50);
    ok(kt_journal_next(journal) == next + 9000, "a batch is begun");
    kt_journal_abort(journal);
    ok(unchanged(store, before), "and broken off it leaves nothing");

    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 1, 50);
    h.refuse_block = KT_OVERFLOW;
    atomic_store(&h.refuse_now, true);
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
    is_code(kt_journal_write(journal, &txn, &error), KT_USAGE,
            "a journal that is at work gives no transaction to write");
    kt_journal_abort(journal);
    close_journal(journal, &h);
    journal = open_journal(store, directory, &h);
    (void)kt_journal_begin(journal, true, &error);
    is_code(kt_journal_write(journal, &txn, &error), KT_OK, "a new one does");
    (void)kt_txn_put(txn, STORING_TWO, kt_span_of("k", 1), kt_span_of("v", 1), &error);
    is_code(kt_journal_commit_state(journal, &error), KT_OK, "state alone is committed");
    ok(storing_rows(store, STORING_TWO) == 1 && recheck(store) == 0, "and the head stays");
    close_journal(journal, &h);
    kt_store_close(store);
}

/* ---- larger than one transaction ---- */

/* More than two pieces of 24 blocks; when it returns, all but the last block are stored. */
static void append_pieces(kt_journal *journal) {
    for (uint64_t i = 0; i < 700; i++) (void)append(journal, i, LARGE);
    (void)kt_journal_txn(journal);
}

/* So much that the table is spilled at the next block. */
#define FILLERS 70
static void put_many(kt_state *state, const char *old) {
    static uint8_t filler[100000];
    kt_error error;
    for (uint8_t i = 0; i < FILLERS; i++)
        (void)kt_state_put(state, STORING_ONE, kt_span_of(&i, 1), kt_span_of(filler, sizeof filler), &error);
    (void)kt_state_put(state, STORING_ONE, kt_span_of("old", 3), kt_span_of(old, strlen(old)), &error);
    (void)kt_state_put(state, STORING_ONE, kt_span_of("new", 3), kt_span_of(old, strlen(old)), &error);
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
    (void)kt_journal_begin(journal, true, &error);
    (void)append(journal, 1, 10);
    (void)kt_state_put(h.state, STORING_ONE, kt_span_of("old", 3), kt_span_of("before", 6), &error);
    (void)storing_seal(journal, "first", &seal, &head, &error);
    digest_of(store, before);

    (void)kt_journal_begin(journal, true, &error);
    put_many(h.state, "after");
    append_pieces(journal);
    ok(kt_state_get(h.state, STORING_ONE, kt_span_of("old", 3), &value, &error) == KT_OK && value.size == 5,
       "what was spilled is read back");
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
           storing_rows(store, KT_TABLE_UNDO) == FILLERS + 2,
       "blocks, tiles and undo rows lie above the head");
    kt_journal_abort(journal);
    kt_state_forget(h.state);
    ok(unchanged(store, before), "broken off, all of it is gone, and spilled state is what it was");
    is_int(h.recoveries, 1, "and the engine is told to do likewise");
    is_int((long long)h.recovered, 2, "down to the head");

    (void)kt_journal_begin(journal, true, &error);
    put_many(h.state, "after");
    append_pieces(journal);
    is_code(storing_seal(journal, "large", &seal, &head, &error), KT_OK, "the same batch sealed");
    is_int(recheck(store), 0, "is whole");
    ok(storing_rows(store, KT_TABLE_UNDO) == 0 && storing_rows(store, KT_TABLE_META) == 1,
       "and leaves no mark and no undo row");
    close_journal(journal, &h);
    kt_store_close(store);
}

/* A writer dies between two pieces. */
static void die(const char *directory) {
    kt_error error;
    heard h = {0};
    kt_store *store = storing_open(directory, false, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    if (kt_journal_begin(journal, true, &error) != KT_OK) _exit(1);
    append_pieces(journal);
    _exit(h.blocks > 48 ? 0 : 2);
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
    close_journal(journal, &h);
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
    close_journal(journal, &h);
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
    heard h2 = {0};
    kt_journal *one = open_journal(store, directory, &h), *two = open_journal(store, directory, &h2);
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
    close_journal(two, &h2);
    close_journal(one, &h);
    kt_store_close(store);
}

/* ---- batches under way ---- */

static kt_code send(kt_journal *journal, const kt_signer *signer, unsigned number, kt_error *error) {
    char id[16];
    kt_seal seal;
    (void)snprintf(id, sizeof id, "sent %u", number);
    kt_seal_input input = {.id = kt_span_of(id, strlen(id)), .actor = signer, .log = signer, .posted = 1};
    return kt_journal_send(journal, &input, &seal, error);
}

/* The same batches, of one record to some blocks; what is stored, as one digest. */
static void store_batches(const char *name, bool single, bool sends, uint8_t out[KT_HASH_SIZE]) {
    char directory[STORING_PATH];
    kt_error error;
    heard h = {.single_thread = single};
    kt_log_head head;
    kt_seal seal;
    kt_signer *signer = storing_signer(1);
    unsigned under_way = 0;
    uint64_t random = 7, received = 0, sizes[64];
    now = 1789000000000000;
    kt_store *store = storing_open(storing_directory(name, directory), true, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    int wrong = 0;
    for (unsigned batch = 0; batch < 64; batch++) {
        char value[8] = {0}, id[16];
        uint64_t records = 1 + test_random(&random) % (batch % 16 == 5 ? 30000 : 700);
        now += 1000;
        wrong += kt_journal_begin(journal, true, &error) != KT_OK;
        for (uint64_t i = 0; i < records; i++) (void)append(journal, i, test_random(&random) % 100);
        (void)snprintf(value, sizeof value, "%u", batch);
        wrong += kt_state_put(h.state, STORING_TWO, kt_span_of(&value, 1), kt_span_of(value, 3), &error) != KT_OK;
        (void)snprintf(id, sizeof id, "sent %u", batch);
        sizes[batch] = kt_journal_next(journal) + 1;
        if (!sends) {
            wrong += storing_seal(journal, id, &seal, &head, &error) != KT_OK;
            continue;
        }
        for (; under_way == KT_JOURNAL_SENT; under_way--)
            wrong += kt_journal_receive(journal, true, &head, &error) != KT_OK || head.tree.size != sizes[received++];
        wrong += send(journal, signer, batch, &error) != KT_OK;
        under_way++;
        while (under_way != 0 && kt_journal_receive(journal, false, &head, &error) == KT_OK) {
            wrong += head.tree.size != sizes[received++];
            under_way--;
        }
    }
    for (; under_way != 0; under_way--)
        wrong += kt_journal_receive(journal, true, &head, &error) != KT_OK || head.tree.size != sizes[received++];
    is_int(wrong, 0, "%s: every batch is taken, and received in the order of sending", name);
    is_code(kt_journal_receive(journal, true, &head, &error), KT_END, "%s: and then no more", name);
    is_int(recheck(store), 0, "%s: every seal, checkpoint and root follows from the records", name);
    digest_of(store, out);
    close_journal(journal, &h);
    kt_signer_close(signer);
    kt_store_close(store);
}

static void test_same_bytes(void) {
    uint8_t one[KT_HASH_SIZE], other[KT_HASH_SIZE];
    store_batches("one-thread", true, false, one);
    store_batches("three-threads", false, false, other);
    is_bytes(other, sizeof other, one, sizeof one, "one thread and three store the same bytes");
    store_batches("sent", false, true, other);
    is_bytes(other, sizeof other, one, sizeof one, "and so do batches sent one behind the other");
    store_batches("sent-on-one", true, true, other);
    is_bytes(other, sizeof other, one, sizeof one, "on one thread too");
}

/* J3: the third of five fails while the later ones are under way. */
static void test_failure(void) {
    char directory[STORING_PATH];
    kt_error error;
    heard h = {0};
    kt_log_head head;
    kt_seal seal;
    kt_span value;
    kt_signer *signer = storing_signer(1);
    kt_store *store = storing_open(storing_directory("failure", directory), true, false, &error);
    kt_journal *journal = open_journal(store, directory, &h);
    for (unsigned i = 0; i < 5; i++) {
        (void)kt_journal_begin(journal, true, &error);
        (void)append(journal, i, 50);
        if (i == 2) { /* two batches of two records lie before it */
            h.refuse_from = 4;
            h.refuse_block = KT_DISK_FULL;
        }
        (void)kt_state_put(h.state, STORING_TWO, kt_span_of("last", 4), kt_span_of(&"01234"[i], 1), &error);
        if (i == 1) { /* with nothing under way, so that the hook is not touched by two */
            is_code(send(journal, signer, i, &error), KT_OK, "a second batch is sent behind the first");
            is_code(kt_journal_receive(journal, true, &head, &error), KT_OK, "the first is received");
            is_code(kt_journal_receive(journal, true, &head, &error), KT_OK, "and the second");
        } else if (i != 4) (void)send(journal, signer, i, &error);
    }
    atomic_store(&h.refuse_now, true);
    is_code(kt_journal_receive(journal, true, &head, &error), KT_DISK_FULL, "the third says why it is not stored");
    has_text(error.text, "the engine refuses", "in words");
    is_code(kt_journal_receive(journal, true, &head, &error), KT_DISK_FULL, "and so does the fourth, sent behind it");
    is_code(storing_seal(journal, "4", &seal, &head, &error), KT_DISK_FULL, "and the open one cannot be sealed");
    kt_journal_abort(journal);
    kt_state_forget(h.state);
    h.refuse_block = KT_OK;
    is_int(recheck(store), 0, "what is stored is whole");
    is_code(kt_journal_begin(journal, true, &error), KT_OK, "and the next batch begins");
    is_int((long long)kt_journal_head(journal)->tree.size, 4, "behind the second");
    ok(kt_state_get(h.state, STORING_TWO, kt_span_of("last", 4), &value, &error) == KT_OK && value.data[0] == '1',
       "whose state it sees");
    (void)append(journal, 9, 50);
    is_code(storing_seal(journal, "again", &seal, &head, &error), KT_OK, "and is sealed");
    is_int(recheck(store), 0, "and all of it holds");
    close_journal(journal, &h);
    kt_signer_close(signer);
    kt_store_close(store);
}

int main(void) {
    uint64_t random = test_seed();
    test_batches(&random);
    test_pieces();
    test_death();
    test_turns();
    test_same_bytes();
    test_failure();
    return done();
}
