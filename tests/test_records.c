/* Reading the journal: by number, in a walk, long records whole; and what is no such thing is refused by its number. */
#include "storage/records.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/codec.h"
#include "tests/storing.h"

#define KIND 1024u

static int64_t now = 1789000000000000;
static uint8_t record[1 << 21];

static kt_store *store;
static kt_journal *journal;

static kt_code append(size_t size, uint64_t *number, kt_error *error) {
    return kt_journal_append(journal, kt_span_of(record, size), number, error);
}

static void seal(const char *id) {
    kt_seal unwanted;
    kt_log_head head;
    kt_error error;
    if (storing_seal(journal, id, &unwanted, &head, &error) != KT_OK) diag("%s", error.text);
}

static bool is_record(kt_span found, uint64_t seed, size_t body) {
    size_t size = storing_record(KIND, 20000, seed, body, record, sizeof(record));
    return kt_span_compare(found, kt_span_of(record, size)) == 0;
}

static size_t body_of(uint64_t seed) { return (size_t)(test_random(&seed) % 120); }

static void test_reading(uint64_t *random) {
    enum { COUNT = 20000 };
    kt_error error;
    kt_txn *txn;
    kt_records *records;
    kt_span found;
    uint64_t number, first;
    uint32_t count;
    for (uint64_t i = 0; i < COUNT;) { /* in batches of many sizes, so that blocks have them too */
        uint64_t batch = 1 + test_random(random) % 9000;
        char id[8] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26), 0};
        (void)kt_journal_begin(journal, true, &error);
        for (; batch != 0 && i < COUNT - 1; batch--, i++) {
            size_t size = storing_record(KIND, 20000, i, body_of(i), record, sizeof(record));
            (void)append(size, &number, &error);
        }
        seal(id);
        i++; /* the seal's number: not one of ours */
    }
    (void)kt_txn_begin(store, false, &txn, &error);
    is_code(kt_records_open(txn, COUNT, &records, &error), KT_OK, "a reader opens");
    int wrong = 0, seals = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        kt_envelope envelope;
        if (kt_records_read(records, i, &found, &error) != KT_OK || kt_envelope_read(found, &envelope, &error) != KT_OK)
            wrong++;
        else if (envelope.kind == KT_KIND_SEAL) seals++;
        else wrong += !is_record(found, i, body_of(i));
    }
    is_int(wrong, 0, "a walk gives every record as it was appended");
    for (int i = 0; i < 20000; i++) {
        number = test_random(random) % COUNT;
        kt_envelope envelope;
        if (kt_records_read(records, number, &found, &error) != KT_OK ||
            kt_envelope_read(found, &envelope, &error) != KT_OK)
            wrong++;
        else if (envelope.kind == KIND) wrong += !is_record(found, number, body_of(number));
        wrong += kt_records_block(records, number, &first, &count, &error) != KT_OK || number < first ||
                 number - first >= count || count > KT_BLOCK_RECORDS;
    }
    is_int(wrong, 0, "and so does reading in any order");
    is_code(kt_records_read(records, COUNT, &found, &error), KT_NOT_FOUND, "there is none at the end");
    has_text(error.text, "19999", "and the last is named");
    kt_records_close(records);
    (void)kt_records_open(txn, 5, &records, &error);
    is_code(kt_records_read(records, 5, &found, &error), KT_NOT_FOUND, "a reader as of an earlier end sees no further");
    kt_records_close(records);
    (void)kt_records_open(txn, 0, &records, &error);
    is_code(kt_records_read(records, 0, &found, &error), KT_NOT_FOUND, "and none where there is nothing");
    kt_records_close(records);
    kt_records_close(NULL);
    kt_txn_abort(txn);
}

/* ---- long records ---- */

static void test_long(void) {
    static const size_t bodies[] = {65471, 65524, 65525, 65526, 65527, 65528, 65536, 130942, 130943, 700000, 2000000};
    enum { COUNT = sizeof(bodies) / sizeof(*bodies) };
    uint64_t numbers[COUNT], begin;
    uint32_t parts;
    kt_error error;
    kt_txn *txn;
    kt_records *records;
    kt_span found;
    kt_envelope envelope;
    (void)kt_journal_begin(journal, true, &error);
    begin = kt_journal_next(journal);
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = storing_record(KIND, 20000, i, bodies[i], record, sizeof(record));
        if (append(size, &numbers[i], &error) != KT_OK) diag("%s", error.text);
    }
    seal("long");
    (void)kt_txn_begin(store, false, &txn, &error);
    (void)kt_records_open(txn, numbers[COUNT - 1] + 1, &records, &error);
    int wrong = 0, in_parts = 0, too_large = 0;
    for (size_t i = 0; i < COUNT; i++) {
        if (kt_records_read_whole(records, numbers[i], &found, &parts, &error) != KT_OK ||
            !is_record(found, i, bodies[i]))
            wrong++;
        in_parts += parts != 0;
        wrong += (parts != 0) != (found.size > KT_RECORD_MAX);
        wrong += (i == 0 ? begin : numbers[i - 1] + 1) + parts != numbers[i]; /* parts come right before their head */
    }
    for (uint64_t n = begin; n <= numbers[COUNT - 1]; n++)
        too_large += kt_records_read(records, n, &found, &error) != KT_OK || found.size > KT_RECORD_MAX;
    is_int(wrong, 0, "a record above 65,535 bytes is parts and a head, and read whole it is what was appended");
    ok(in_parts > 3 && in_parts < COUNT, "one of 65,535 bytes is not yet");
    is_int(too_large, 0, "and no leaf is larger than that");
    (void)kt_records_read(records, numbers[COUNT - 1], &found, &error);
    (void)kt_envelope_read(found, &envelope, &error);
    kt_long head;
    is_code(kt_long_read(envelope.body, &head, &error), KT_OK, "the head says what it is the head of");
    wrong = head.kind != KIND || head.kind_version != 1 || head.parts != 31 || head.size != 2000005;
    for (uint32_t i = 0; i < head.parts; i++) {
        uint8_t hash[KT_HASH_SIZE];
        kt_span part;
        (void)kt_records_read(records, numbers[COUNT - 1] - head.parts + i, &part, &error);
        kt_leaf_hash(part.data, part.size, hash);
        wrong += memcmp(hash, head.hashes + (size_t)i * KT_HASH_SIZE, KT_HASH_SIZE) != 0;
    }
    is_int(wrong, 0, "kind, size, and the leaf hash of each part");
    kt_records_close(records);
    kt_txn_abort(txn);

    uint8_t *huge = calloc(1, (size_t)KT_WHOLE_MAX + 1); /* never touched: refused by its size alone */
    uint64_t number;
    (void)kt_journal_begin(journal, true, &error);
    is_code(kt_journal_append(journal, kt_span_of(huge, (size_t)KT_WHOLE_MAX + 1), &number, &error), KT_LIMIT,
            "what no head could list is refused");
    memset(huge, 0xc1, KT_RECORD_MAX + 1);
    is_code(kt_journal_append(journal, kt_span_of(huge, KT_RECORD_MAX + 1), &number, &error), KT_DAMAGED,
            "and so are bytes that are no record");
    kt_journal_abort(journal);
    free(huge);
}

/* ---- heads that lie ---- */

typedef struct lie {
    uint64_t kind, kind_version, size;
    size_t hash_bytes;
    bool twist; /* the last hash is another's */
    size_t cut; /* bytes of the first part */
    kt_code expected;
    const char *what;
} lie;

#define BODY 70005u /* of a long record in two parts: 70,000 bytes and what says so */

static size_t pack_part(const uint8_t *bytes, size_t size) {
    kt_pack pack;
    kt_pack_init(&pack, record, sizeof(record));
    kt_pack_envelope(&pack, KT_KIND_PART, 1, 20000);
    kt_pack_bytes(&pack, bytes, size);
    return pack.size;
}

static uint64_t append_lie(const lie *l) {
    static uint8_t body[BODY] = {0xc6, 0x00, 0x01, 0x11, 0x70};
    uint8_t hashes[5 * KT_HASH_SIZE] = {0};
    uint64_t number = 0;
    kt_error error;
    kt_pack pack;
    for (int i = 0; i < 2; i++) {
        size_t size = pack_part(body + (size_t)i * l->cut, i == 0 ? l->cut : BODY - l->cut);
        kt_leaf_hash(record, size, hashes + i * KT_HASH_SIZE);
        (void)append(size, &number, &error);
    }
    if (l->twist) hashes[KT_HASH_SIZE] ^= 1;
    kt_pack_init(&pack, record, sizeof(record));
    kt_pack_envelope(&pack, KT_KIND_LONG, 1, 20000);
    kt_pack_array(&pack, 4);
    kt_pack_uint(&pack, l->kind);
    kt_pack_uint(&pack, l->kind_version);
    kt_pack_uint(&pack, l->size);
    kt_pack_bytes(&pack, hashes, l->hash_bytes);
    (void)append(pack.size, &number, &error);
    return number;
}

static void test_lies(void) {
    static const lie lies[] = {
        {KIND, 1, BODY, 64, false, KT_PART_BODY, KT_OK, "a head that says the truth is read"},
        {KIND, 1, BODY, 64, true, KT_PART_BODY, KT_DAMAGED, "one that names another part is refused"},
        {KIND, 1, BODY - 1, 64, false, KT_PART_BODY, KT_DAMAGED, "one that says fewer bytes too"},
        {KIND, 1, BODY + 1, 64, false, KT_PART_BODY, KT_DAMAGED, "one that says more too"},
        {KIND, 1, KT_PART_BODY, 32, false, KT_PART_BODY, KT_DAMAGED, "one that leaves out a part too"},
        {KIND, 1, BODY, 63, false, KT_PART_BODY, KT_DAMAGED, "one with half a hash too"},
        {KIND, 1, 0, 0, false, KT_PART_BODY, KT_DAMAGED, "one without parts too"},
        {KIND, 1, BODY, 160, false, KT_PART_BODY, KT_DAMAGED, "one with more parts than there are too"},
        {KIND, 1, (uint64_t)KT_WHOLE_MAX + 1, 64, false, KT_PART_BODY, KT_DAMAGED, "one larger than any too"},
        {KIND, (uint64_t)1 << 32, BODY, 64, false, KT_PART_BODY, KT_DAMAGED, "one of a version beyond 32 bits too"},
        {KT_KIND_SEAL, 1, BODY, 64, false, KT_PART_BODY, KT_DAMAGED,
         "a seal in parts is refused, whose signature nobody would check"},
        {KT_KIND_LONG, 1, BODY, 64, false, KT_PART_BODY, KT_DAMAGED, "a long record of long records too"},
        {KT_KIND_GENESIS, 1, BODY, 64, false, KT_PART_BODY, KT_DAMAGED, "and a genesis"},
        {KIND, 1, BODY, 64, false, KT_PART_BODY - 1, KT_DAMAGED,
         "one whose first part is not full too: a record has one spelling"},
    };
    enum { COUNT = sizeof(lies) / sizeof(*lies) };
    uint64_t numbers[COUNT];
    kt_error error;
    kt_txn *txn;
    kt_records *records;
    kt_span found;
    char name[40];
    (void)kt_journal_begin(journal, true, &error);
    for (size_t i = 0; i < COUNT; i++) numbers[i] = append_lie(&lies[i]);
    seal("lies");
    (void)kt_txn_begin(store, false, &txn, &error);
    (void)kt_records_open(txn, numbers[COUNT - 1] + 1, &records, &error);
    for (size_t i = 0; i < COUNT; i++)
        is_code(kt_records_read_whole(records, numbers[i], &found, NULL, &error), lies[i].expected, "%s", lies[i].what);
    (void)kt_records_read_whole(records, numbers[1], &found, NULL, &error);
    (void)snprintf(name, sizeof(name), "record %llu", (unsigned long long)numbers[1] - 1);
    has_text(error.text, name, "a part that is not the one is named by its number");
    kt_records_close(records);
    kt_txn_abort(txn);
}

/* ---- a block that is not there ---- */

static void test_gap(void) {
    kt_error error;
    kt_txn *txn;
    kt_records *records;
    kt_span found, key, value;
    kt_cursor *cursor;
    (void)kt_txn_begin(store, true, &txn, &error);
    (void)kt_cursor_open(txn, KT_TABLE_BLOCKS, &cursor, &error);
    kt_cursor_raw(cursor, true);
    (void)kt_cursor_first(cursor, &key, &value, &error);
    (void)kt_cursor_next(cursor, &key, &value, &error);
    uint64_t gone = kt_get_be64(key.data);
    (void)kt_cursor_delete(cursor, &error);
    kt_cursor_close(cursor);
    (void)kt_records_open(txn, 20000, &records, &error);
    is_code(kt_records_read(records, gone - 1, &found, &error), KT_OK,
            "before a block that is missing records are read");
    is_code(kt_records_read(records, gone, &found, &error), KT_DAMAGED, "in a walk the first missing one is found");
    has_text(error.text, "no block holds it", "and said to be missing");
    is_code(kt_records_read(records, gone + 1, &found, &error), KT_DAMAGED, "and by number the next");
    is_code(kt_records_read(records, 19999, &found, &error), KT_OK, "behind them they are read again");
    kt_records_close(records);
    kt_txn_abort(txn);
}

int main(void) {
    char directory[STORING_PATH];
    uint64_t random = test_seed();
    kt_error error;
    store = storing_open(storing_directory("records", directory), true, false, &error);
    kt_state *state;
    (void)kt_state_open(&state, &error);
    kt_journal_options options = {.directory = directory,
                                  .origin = "kontor/test-00112233",
                                  .clock_us = storing_clock,
                                  .clock_context = &now,
                                  .state = state};
    is_code(kt_journal_open(store, &options, &journal, &error), KT_OK, "a journal opens");
    test_reading(&random);
    test_long();
    test_lies();
    test_gap();
    kt_journal_close(journal);
    kt_state_close(state);
    kt_store_close(store);
    return done();
}
