/* Laws 6 and 7: each move of the head is a checkpoint that extends the one before; a batch is its maker's, by right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/block.h"
#include "storage/note.h"
#include "tests/bookkeeping.h"
#include "tests/forging.h"

#define MOVES 12

static void checkpoints(void) {
    kt_book *book = make_book("book");
    kt_verifier verifier;
    char *notes[MOVES];
    size_t sizes[MOVES];
    const char *key = kt_book_verifier(book);
    is_code(kt_verifier_parse(key, strlen(key), &verifier, &said), KT_OK, "the book says its log's key");
    unsigned good = 0, extended = 0;
    for (unsigned i = 0; i < MOVES; i++) {
        kt_checkpoint checkpoint;
        kt_code code = i % 4 == 3 ? close_month(book, i == 3   ? "2025-01"
                                                      : i == 7 ? "2025-02"
                                                               : "2025-03")
                                  : post(book, "2026-01-31 - 1000 1 / 2000 -1");
        kt_head head = head_of(book);
        kt_view *view = view_of(book);
        if (code == KT_OK && kt_view_checkpoint(view, &notes[i], &sizes[i], &said) == KT_OK &&
            kt_checkpoint_open(notes[i], sizes[i], &verifier, false, &checkpoint, &said) == KT_OK)
            good += checkpoint.size == head.size && memcmp(checkpoint.root, head.root, sizeof head.root) == 0;
        kt_view_close(view);
    }
    is_int(good, MOVES, "every commit ends in a checkpoint over all records, signed by the log's key");
    for (unsigned i = 0; i < MOVES; i++) {
        kt_verify_options options = {.verifier = key, .since = notes[i], .since_size = sizes[i]};
        extended += verify_path(path_of("book"), &options, NULL) == KT_OK;
        free(notes[i]);
    }
    is_int(extended, MOVES, "and extends every one before it");
    kt_book_close(book);
}

static kt_signer *stranger(const char *file) {
    kt_signer *signer = NULL;
    if (kt_signer_generate(&signer, &said) != KT_OK ||
        kt_key_save(signer, path_of(file), "stranger", NULL, &said) != KT_OK)
        diag("%s", said.text);
    return signer;
}

static void by_right(void) {
    kt_book *book = make_book("rights");
    char *before = told(book);
    kt_signer_close(stranger("stranger.key"));
    kt_open_options options = {.key_file = path_of("stranger.key")};
    kt_book *theirs = NULL;
    kt_batch *batch = NULL;
    is_code(kt_book_open(path_of("rights"), &options, &theirs, &said), KT_OK, "anybody with the files may read");
    is_code(kt_batch_begin(theirs, NULL, &batch, NULL, &said), KT_FORBIDDEN,
            "but a key that is not on record may not begin a batch");
    has_text(said.text, "not on record", "and is told why");
    kt_book_close(theirs);
    is_untouched(book, before, "nothing was stored");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "the one on record may");
    kt_view *view = view_of(book);
    kt_entry_view *entry = NULL;
    is_code(kt_entry_read(view, receipt.first, &entry, &said), KT_OK, "the entry is read");
    kt_verifier verifier;
    (void)kt_verifier_parse(kt_book_verifier(book), strlen(kt_book_verifier(book)), &verifier, NULL);
    if (entry) is_bytes(entry->actor, KT_KEY_SIZE, verifier.public_key, KT_KEY_SIZE, "and names its maker");
    kt_entry_view_free(entry);
    kt_view_close(view);
    kt_book_close(book);
}

/* The first finding of verify on a forged copy: of the batch's record number `behind`. */
static void is_found(const forgery *forged, kt_code code, uint64_t behind, const char *part, const char *law) {
    found first;
    copy_book("honest", "forged");
    uint64_t number = forge(forged);
    is_code(verify_path(path_of("forged"), NULL, &first), KT_DAMAGED, "%s is found by verification", law);
    is_code(first.code, code, "as what it is");
    is_int((long long)first.record, (long long)(number + behind), "naming the record");
    has_text(first.what, part, "and the fault");
}

static void finds(const char *text, const char *actor, const char *id, kt_code code, uint64_t behind, const char *part,
                  const char *law) {
    uint8_t record[1000];
    forgery forged = {
        .actor = actor, .id = id, .records = {entry_record(text, record, sizeof record)}, .count = 1, .posted = 1};
    is_found(&forged, code, behind, part, law);
}

static void forged(void) {
    kt_book *book = make_book("honest");
    snprintf(forged_origin, sizeof forged_origin, "%s", kt_book_origin(book));
    is_code(post(book, "2026-01-31 V1 1000 1 / 2000 -1"), KT_OK, "an honest book");
    uint64_t honest = receipt.first;
    is_code(reverse(book, honest, "2026-01-31", false, NULL), KT_OK, "with a reversal");
    is_code(close_month(book, "2025-12"), KT_OK, "and a closed month");
    kt_batch_options named = {.id = KT_STR("used")};
    is_code(post_with(book, &named, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "and a batch with a name");
    kt_book_close(book);
    is_sound("honest", "it verifies");
    finds("2026-01-31 - 1000 5 / 2000 -5", "stranger.key", "f", KT_FORBIDDEN, 1, "not on record",
          "a batch well signed by a key that is not on record");
    finds("2026-01-31 - 1000 5 / 2000 -4", NULL, "f", KT_UNBALANCED, 0, "off by 1.00 DKK",
          "a signed entry that does not balance (law 2)");
    finds("2025-12-31 - 1000 5 / 2000 -5", NULL, "f", KT_CLOSED, 0, "period 2025-12",
          "a signed entry in a closed month (law 10)");
    finds("2026-01-31 - 1000 5 / 9999 -5", NULL, "f", KT_UNKNOWN, 0, "account 9999",
          "a signed entry on an account that is not there");
    finds("2026-01-31 V1 1000 5 / 2000 -5", NULL, "f", KT_DUPLICATE, 0, "used already",
          "a signed entry whose voucher is used");
    finds("2026-01-31 - 1000 5 EUR / 2000 -5 EUR", NULL, "f", KT_UNKNOWN, 0, "EUR",
          "a currency that nobody put on record");
    finds("2026-01-31 - 1000 5 / 2000 -5", NULL, "used", KT_DAMAGED, 1, "repeats the batch id",
          "a second batch of the same id (law 5)");
}

/* ---- what is signed, and says less or more than its records ---- */

/* Nothing is wrong with the records: what is found is that state was not told of them. */
static void is_good(const forgery *forged, const char *law) {
    found first;
    copy_book("honest", "forged");
    (void)forge(forged);
    (void)verify_path(path_of("forged"), NULL, &first);
    ok(first.record == UINT64_MAX && strstr(first.what, "follows from the journal, and is not stored"), "%s", law);
    diag("%s", first.what);
}

static void seals(void) {
    uint8_t record[1000];
    forgery forged = {.id = "f",
                      .records = {entry_record("2026-01-31 - 1000 5 / 2000 -5", record, sizeof record)},
                      .count = 1,
                      .posted = 1};
    is_good(&forged, "a batch forged without a fault is one only to its state");
    forged.posted = 2;
    is_found(&forged, KT_DAMAGED, 1, "counts 2 entries posted, found 1", "a seal that counts an entry too many");
    forged.posted = 0;
    is_found(&forged, KT_DAMAGED, 1, "counts 0 entries posted, found 1", "a seal that counts one too few");
    forged.posted = 1;
    forged.days = 1;
    is_found(&forged, KT_DAMAGED, 1, "not dated by its recorded time", "a seal that is dated a day late");
    forged.days = -400;
    is_found(&forged, KT_DAMAGED, 1, "not dated by its recorded time", "or more than a year early");
}

/* An entry with so many bytes of text, in two parts and the head that lists them; the first holds `cut` bytes. */
static void in_parts(forgery *forged, size_t texts, size_t cut, int32_t days) {
    static uint8_t whole[3 * KT_RECORD_MAX], rooms[3][KT_RECORD_MAX];
    static char text[KT_TEXT_MAX];
    kt_line lines[32] = {{.amount = 500, .account = KT_STR("1000")}, {.amount = -500, .account = KT_STR("2000")}};
    uint8_t hashes[2][KT_HASH_SIZE];
    kt_envelope envelope;
    kt_pack pack;
    memset(text, 't', sizeof text);
    kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = 2};
    for (size_t size; texts != 0; texts -= size) {
        size = texts < sizeof text ? texts : sizeof text;
        lines[entry.line_count++] = (kt_line){.account = KT_STR("1000"), .text = {text, size}};
    }
    kt_pack_init(&pack, whole, sizeof whole);
    kt_entry_pack(&pack, &entry, false);
    (void)kt_envelope_read(kt_span_of(whole, pack.size), &envelope, &said);
    const uint8_t *body = envelope.body.data;
    for (size_t i = 0; i < 2; i++) {
        kt_pack_init(&pack, rooms[i], sizeof rooms[i]);
        kt_pack_envelope(&pack, KT_KIND_PART, 1, entry.date + (i == 0 ? days : 0));
        kt_pack_bytes(&pack, i == 0 ? body : body + cut, i == 0 ? cut : envelope.body.size - cut);
        kt_leaf_hash(rooms[i], pack.size, hashes[i]);
        forged->records[i] = kt_span_of(rooms[i], pack.size);
    }
    kt_pack_init(&pack, rooms[2], sizeof rooms[2]);
    kt_pack_envelope(&pack, KT_KIND_LONG, 1, entry.date);
    kt_pack_array(&pack, 4);
    kt_pack_uint(&pack, envelope.kind);
    kt_pack_uint(&pack, envelope.kind_version);
    kt_pack_uint(&pack, envelope.body.size);
    kt_pack_bytes(&pack, hashes, sizeof hashes);
    forged->records[2] = kt_span_of(rooms[2], pack.size);
    forged->count = 3;
}

static void parts(void) {
    uint8_t record[1000];
    forgery forged = {.id = "f", .posted = 1};
    kt_span entry = entry_record("2026-01-31 - 1000 5 / 2000 -5", record, sizeof record);
    in_parts(&forged, 80000, KT_PART_BODY, 0);
    is_good(&forged, "a long record in its parts is good");
    in_parts(&forged, 80000, KT_PART_BODY - 100, 0);
    is_found(&forged, KT_DAMAGED, 2, "is no part of a long record", "a part that is not filled");
    in_parts(&forged, 80000, KT_PART_BODY, 1);
    is_found(&forged, KT_DAMAGED, 2, "is no part of a long record", "a part of another day");
    in_parts(&forged, KT_PART_BODY - 180, KT_PART_BODY, 0);
    is_found(&forged, KT_DAMAGED, 2, "would fit in one", "a record in parts that would fit in one");
    in_parts(&forged, 80000, KT_PART_BODY, 0);
    forged.records[1] = entry;
    forged.count = 2;
    is_found(&forged, KT_DAMAGED, 1, "1 parts stand before it, it lists 0", "a part that no long record claims");
    forged.records[1] = forged.records[0];
    forged.records[0] = entry;
    is_found(&forged, KT_DAMAGED, 2, "1 parts stand before it, it lists 0", "one that stands before the seal");
}

int main(void) {
    checkpoints();
    by_right();
    forged();
    seals();
    parts();
    return done();
}
